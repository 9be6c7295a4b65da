import type { Site } from "./site.ts";

/** A play as the server has recorded it. */
export interface Recorded {
  sequence: number;
  status: string;
  slot_id: string;
  billable: number;
  flags: string;
}

/** What the server has recorded of a device, once it has come to rest: as many plays as it says to have accepted. */
export async function recorded(site: Site, deviceId: string): Promise<Recorded[]> {
  for (let look = 0; look < 600; look++) {
    const { accepted, waiting_plays } = await site.api<{ accepted: number; waiting_plays: number }>(
      "GET",
      `/v1/admin/devices/${deviceId}/sequencer`,
    );
    const rows = await site.stack.sql<Recorded>(
      `SELECT sequence, result AS status, slot_id, billable, flags FROM proof_of_play_events WHERE device_id = '${deviceId}' ORDER BY sequence`,
    );
    if (waiting_plays === 0 && rows.length === accepted) return rows;
    await Bun.sleep(100);
  }
  throw new Error("The plays do not come to rest.");
}

/** Sums of the report that advertisers see, by status. */
export async function reported(site: Site, deviceId: string): Promise<Record<string, number>> {
  const report = await site.api<{ items: { status: string; plays_count: number }[] }>(
    "GET",
    `/v1/admin/reports/proof-of-play?group_by=status&device_id=${deviceId}`,
  );
  return Object.fromEntries(report.items.map(({ status, plays_count }) => [status, plays_count]));
}

/** How often each status is there. */
export function byStatus(rows: readonly Recorded[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
