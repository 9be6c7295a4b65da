import type { Chunk } from "../chunk.ts";
import { sumChunks } from "../ledger/sums.ts";
import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, DAILY_SUMS, type DailySums } from "../tables.ts";
import { chunksOf } from "./read.ts";
import type { ArchiveRow } from "./segment.ts";

const ACTIVITY_COUNTERS = ["plays_count", "billable_count", "total_duration_ms"] as const;

type Figures = Record<string, number>;
/** A row of D1: ids and figures by column. */
type SumRow = Record<string, string | number>;

/** The archive's sums of one day, by the keys of the aggregates and by device. */
export class DaySums {
  readonly aggregates = new Map<string, Figures>();
  readonly devices = new Map<string, Figures>();
  constructor(readonly day: string) {}

  /** Adds plays; those of other days are left out. */
  add(chunks: Chunk[]): void {
    const { hourly, activity } = sumChunks(chunks);
    for (const sum of hourly) if (sum.day === this.day) addTo(this.aggregates, keyOf(sum, AGGREGATE_KEYS), sum, AGGREGATE_COUNTERS);
    for (const sum of activity) if (sum.day === this.day) addTo(this.devices, sum.device_id, sum, ACTIVITY_COUNTERS);
  }
}

function keyOf<K extends string>(row: { [key in K]?: string | number }, keys: readonly K[]): string {
  return keys.map((key) => row[key]).join("|");
}

function addTo<K extends string>(
  sums: Map<string, Figures>,
  key: string,
  row: { [key in K]?: string | number },
  counters: readonly K[],
): void {
  const figures = sums.get(key) ?? {};
  for (const counter of counters) figures[counter] = (figures[counter] ?? 0) + Number(row[counter] ?? 0);
  sums.set(key, figures);
}

/** How a day's sums differ: its totals on both sides, how many rows differ, and the first of them. */
export interface DayDifference {
  archive: Figures;
  aggregates: Figures;
  rows_different: number;
  devices_different: number;
  /** Rows of the tables that leave dimensions out, what is pending for them included. */
  narrow_different: number;
  examples: { key: Record<string, string>; archive: Figures | null; aggregates: Figures | null }[];
}

const EXAMPLES = 5;

/**
 * Compares the archive's sums of a day with D1's, row by row. Null where all of them are equal; a row of nothing but zeros is no row.
 * @param narrow the rows of each of {@link DAILY_SUMS}, and what is pending for it
 */
export function compareDay(sums: DaySums, aggregates: SumRow[], activity: SumRow[], narrow: SumRow[][]): DayDifference | null {
  const stored = new Map<string, Figures>();
  for (const row of aggregates) addTo(stored, keyOf(row, AGGREGATE_KEYS), row, AGGREGATE_COUNTERS);
  const devices = new Map<string, Figures>();
  for (const row of activity) addTo(devices, String(row.device_id), row, ACTIVITY_COUNTERS);
  const rows = differentKeys(sums.aggregates, stored);
  const differentDevices = differentKeys(sums.devices, devices);
  const differentNarrow = DAILY_SUMS.map((kind, index) => narrowDifferences(sums, kind, narrow[index] ?? [])).reduce((a, b) => a + b, 0);
  if (rows.length === 0 && differentDevices.length === 0 && differentNarrow === 0) return null;
  return {
    archive: total(sums.aggregates),
    aggregates: total(stored),
    rows_different: rows.length,
    devices_different: differentDevices.length,
    narrow_different: differentNarrow,
    examples: [
      ...rows.slice(0, EXAMPLES).map((key) => ({
        key: Object.fromEntries(key.split("|").map((id, index) => [AGGREGATE_KEYS[index] ?? "", id])),
        archive: sums.aggregates.get(key) ?? null,
        aggregates: stored.get(key) ?? null,
      })),
      ...differentDevices.slice(0, EXAMPLES).map((key) => ({
        key: { device_id: key },
        archive: sums.devices.get(key) ?? null,
        aggregates: devices.get(key) ?? null,
      })),
    ],
  };
}

function narrowDifferences(sums: DaySums, { keys }: DailySums, rows: SumRow[]): number {
  const archived = new Map<string, Figures>();
  for (const [key, figures] of sums.aggregates) {
    const ids = key.split("|");
    addTo(archived, keys.map((column) => ids[AGGREGATE_KEYS.indexOf(column)]).join("|"), figures, AGGREGATE_COUNTERS);
  }
  const stored = new Map<string, Figures>();
  for (const row of rows) addTo(stored, keyOf(row, keys), row, AGGREGATE_COUNTERS);
  return differentKeys(archived, stored).length;
}

function differentKeys(a: Map<string, Figures>, b: Map<string, Figures>): string[] {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return [...keys].filter((key) => !equalFigures(a.get(key) ?? {}, b.get(key) ?? {})).sort();
}

function equalFigures(a: Figures, b: Figures): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((counter) => (a[counter] ?? 0) === (b[counter] ?? 0));
}

function total(sums: Map<string, Figures>): Figures {
  const totals = new Map<string, Figures>();
  for (const figures of sums.values()) addTo(totals, "", figures, AGGREGATE_COUNTERS);
  return totals.get("") ?? Object.fromEntries(AGGREGATE_COUNTERS.map((counter) => [counter, 0]));
}

/** A chunk of which the ledger says something else than the archive; null: the ledger does not have it. */
export interface LedgerDifference {
  chunk_id: string;
  archive_plays: number;
  ledger_plays: number | null;
  /** The segment that the ledger names; the archive has the chunk in another one. */
  ledger_segment_id: string | null;
}

/**
 * Compares the chunks of whole segments with the ledger, in one read: how many plays, and in one of these segments. Of chunks whose rows
 * were folded nothing is known any more but that they are recorded.
 */
export async function readLedgerDifferences(db: D1Database, rowsBySegment: Map<string, ArchiveRow[]>): Promise<LedgerDifference[]> {
  const chunks = chunksOf([...rowsBySegment.values()].flat());
  const byObject = Map.groupBy(chunks, ({ header }) => `${header.device_id}.${header.incarnation}`);
  const keys = [...byObject.values()].map((of) => [
    of[0]?.header.device_id,
    of[0]?.header.incarnation,
    of.map(({ header }) => [header.number, header.plays]),
  ]);
  const { results } = await db
    .prepare(
      `WITH chunks AS (
         SELECT o.value ->> 0 AS device_id, o.value ->> 1 AS incarnation, k.value ->> 0 AS number, k.value ->> 1 AS plays_count
         FROM json_each(?1) o, json_each(o.value, '$[2]') k)
       SELECT c.device_id || '.' || c.incarnation || '.' || c.number AS chunk_id, c.plays_count AS archive_plays,
         l.plays_count AS ledger_plays, l.segment_id AS ledger_segment_id
       FROM chunks c
       LEFT JOIN chunk_ledger l ON l.device_id = c.device_id AND l.incarnation = c.incarnation AND l.number = c.number
       LEFT JOIN chunk_ledger_folds f ON f.device_id = c.device_id AND f.incarnation = c.incarnation
       WHERE (l.number IS NULL AND coalesce(f.recorded_through, 0) < c.number)
         OR l.plays_count <> c.plays_count OR l.segment_id NOT IN (SELECT value FROM json_each(?2))`,
    )
    .bind(JSON.stringify(keys), JSON.stringify([...rowsBySegment.keys()]))
    .all<LedgerDifference>();
  return results;
}
