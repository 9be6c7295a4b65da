import { DAY_MS, utcDay } from "../platform/time.ts";
import { SEEN_RETENTION_MS } from "./limits.ts";
import { shortHash } from "./play.ts";
import { FLAGS } from "./policy.ts";
import type { SeenEntry } from "./seen.ts";

const PAGE_ROWS = 5000;

interface EventRow {
  day: string;
  started_at_raw: number;
  event_id: string;
  record_hash: string;
  billable: number;
  quality: number;
  flags: string;
}

/**
 * What D1 has recorded of a device as far back as any door lets a log in, in the form in which a sequencer remembers it: id, hash and first
 * verdict. Read in pages along the key.
 */
export async function recordedAsSeen(db: D1Database, deviceId: string, now: number): Promise<SeenEntry[]> {
  const entries: SeenEntry[] = [];
  // A store's day may be a day behind UTC's.
  let after: Pick<EventRow, "day" | "started_at_raw" | "event_id"> = {
    day: utcDay(now - SEEN_RETENTION_MS - DAY_MS),
    started_at_raw: Number.MIN_SAFE_INTEGER,
    event_id: "",
  };
  for (;;) {
    const { results } = await db
      .prepare(
        `SELECT day, started_at_raw, event_id, record_hash, billable, quality, flags FROM proof_of_play_events
         WHERE device_id = ?1 AND (day, started_at_raw, event_id) > (?2, ?3, ?4) ORDER BY day, started_at_raw, event_id LIMIT ?5`,
      )
      .bind(deviceId, after.day, after.started_at_raw, after.event_id, PAGE_ROWS)
      .all<EventRow>();
    for (const row of results) {
      const named = new Set(row.flags.split(","));
      const told = { billable: row.billable === 1, quality: row.quality, flags: FLAGS.filter((flag) => named.has(flag)) };
      entries.push({ id: row.event_id, hash: shortHash(row.record_hash), told });
    }
    const last = results.at(-1);
    if (!last || results.length < PAGE_ROWS) return entries;
    after = last;
  }
}
