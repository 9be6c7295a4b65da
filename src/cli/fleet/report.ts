import type { AdminAccess } from "./api.ts";
import { type Agreement, compare, FIGURES, NO_PLAYS, type Refusals, type Sums, type SumsByDevice, total } from "./books.ts";
import { clockText } from "./progress.ts";

const DEVICES_PER_QUERY = 100;
const QUERY_TIMEOUT_MS = 20_000;

/** What the report API says was recorded of these devices between two days (`YYYY-MM-DD`); null where it cannot be asked now. */
export async function recordedByDevice(access: AdminAccess, deviceIds: string[], from: string, to: string): Promise<SumsByDevice | null> {
  const recorded: SumsByDevice = new Map();
  for (let at = 0; at < deviceIds.length; at += DEVICES_PER_QUERY) {
    const query = new URLSearchParams({ from, to, group_by: "device", limit: String(DEVICES_PER_QUERY) });
    for (const id of deviceIds.slice(at, at + DEVICES_PER_QUERY)) query.append("device_id", id);
    const rows = await fetchRows(`${access.baseUrl}/v1/admin/reports/proof-of-play?${query}`, access.adminToken);
    if (rows === null) return null;
    for (const row of rows) recorded.set(String(row.device_id), readSums(row));
  }
  return recorded;
}

async function fetchRows(url: string, adminToken: string): Promise<Record<string, unknown>[] | null> {
  try {
    const headers = { Authorization: `Bearer ${adminToken}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) });
    if (!response.ok) return null;
    const body = (await response.json()) as { items?: Record<string, unknown>[] };
    return body.items ?? null;
  } catch {
    return null;
  }
}

function readSums(row: Record<string, unknown>): Sums {
  const sums = { ...NO_PLAYS };
  for (const figure of FIGURES) sums[figure] = Number(row[figure] ?? 0);
  return sums;
}

/** Whether the books and the report say the same. */
export type Finding =
  | { kind: "agree" }
  /** Something is still on its way; so many plays fewer are recorded than are booked. */
  | { kind: "draining"; behind: number }
  | { kind: "disagree"; differences: string[] }
  | { kind: "unknown" };

/**
 * Judges a report against the books. While anything is on its way (`settled` false) a report may lag, but it may never
 * hold more than the books: that would be a play that was counted twice.
 */
export function judge(expected: SumsByDevice, recorded: SumsByDevice | null, refusals: Refusals, settled: boolean): Finding {
  if (recorded === null) return { kind: "unknown" };
  const agreement: Agreement = compare(expected, recorded, refusals);
  if (agreement.agree) return { kind: "agree" };
  const tooMany = [...recorded].filter(([device, sums]) => sums.plays_count > (expected.get(device)?.plays_count ?? 0));
  if (settled || tooMany.length > 0) return { kind: "disagree", differences: agreement.differences };
  return { kind: "draining", behind: total(expected).plays_count - total(recorded).plays_count };
}

export interface LineInput {
  elapsedMs: number;
  phase: string;
  /** What went over the wire since the state began. */
  counters: { sent: number; accepted: number; duplicate: number };
  refusals: Refusals;
  /** Logs in the screens' queues. */
  queued: number;
  expected: SumsByDevice;
  recorded: SumsByDevice | null;
  finding: Finding;
}

/** One line of the demo's report. */
export function reportLine(input: LineInput): string {
  const { counters, expected, finding, phase, queued, recorded, refusals } = input;
  const codes = [...refusals].filter(([, { refused }]) => refused > 0).map(([code, { refused }]) => `${code} ${refused}`);
  const refusedInAll = [...refusals.values()].reduce((sum, { refused }) => sum + refused, 0);
  return [
    `${clockText(input.elapsedMs)} ${phase}`,
    `sent ${counters.sent}`,
    `accepted ${counters.accepted}`,
    `duplicate ${counters.duplicate}`,
    `refused ${refusedInAll}${codes.length > 0 ? ` (${codes.join(", ")})` : ""}`,
    `queued ${queued}`,
    `recorded ${recorded ? total(recorded).plays_count : "?"} of ${total(expected).plays_count}`,
    `sums ${findingText(finding)}`,
  ].join(" | ");
}

function findingText(finding: Finding): string {
  switch (finding.kind) {
    case "agree":
      return "agree";
    case "draining":
      return `draining (${finding.behind} behind)`;
    case "unknown":
      return "unknown: the report does not answer";
    case "disagree":
      return `DISAGREE: ${finding.differences.slice(0, 3).join("; ")}`;
  }
}
