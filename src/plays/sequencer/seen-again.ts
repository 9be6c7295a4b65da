import { DAY_MS, utcDay } from "../../platform/time.ts";
import { SEEN_RETENTION_MS } from "../limits.ts";
import { shortHash } from "../play.ts";
import { FLAGS } from "../policy.ts";
import { storedValueSql } from "../tables.ts";
import type { SeenEntry } from "./seen.ts";

/** Chunks read at once, of up to a few hundred plays each. */
const PAGE_CHUNKS = 100;

interface ChunkRow {
  last_day: string;
  incarnation: string;
  number: number;
  seen_json: string;
}

const SEEN_VALUES = (["event_id", "record_hash", "billable", "quality", "flags"] as const)
  .map((column) => storedValueSql(column, "value", "contexts_json -> (value ->> 0)"))
  .join(", ");
type SeenValues = [id: string, recordHash: string, billable: number, quality: number, flags: string];

/**
 * What D1 has recorded of a device as far back as any door lets a log in, in the form in which a sequencer remembers it: id, hash and first
 * verdict. Read in pages along the key.
 */
export async function recordedAsSeen(db: D1Database, deviceId: string, now: number): Promise<SeenEntry[]> {
  const entries: SeenEntry[] = [];
  // A store's day may be a day behind UTC's.
  let after: Omit<ChunkRow, "seen_json"> = { last_day: utcDay(now - SEEN_RETENTION_MS - DAY_MS), incarnation: "", number: 0 };
  for (;;) {
    const { results } = await db
      .prepare(
        `SELECT last_day, incarnation, number,
           (SELECT json_group_array(json_array(${SEEN_VALUES})) FROM json_each(rows_json)) AS seen_json
         FROM chunk_plays WHERE device_id = ?1 AND (last_day, incarnation, number) > (?2, ?3, ?4) ORDER BY last_day, incarnation, number LIMIT ?5`,
      )
      .bind(deviceId, after.last_day, after.incarnation, after.number, PAGE_CHUNKS)
      .all<ChunkRow>();
    for (const { seen_json } of results) {
      for (const [id, recordHash, billable, quality, flags] of JSON.parse(seen_json) as SeenValues[]) {
        const named = new Set(flags.split(","));
        const told = { billable: billable === 1, quality, flags: FLAGS.filter((flag) => named.has(flag)) };
        entries.push({ id, hash: shortHash(recordHash), told });
      }
    }
    const last = results.at(-1);
    if (!last || results.length < PAGE_CHUNKS) return entries;
    after = last;
  }
}
