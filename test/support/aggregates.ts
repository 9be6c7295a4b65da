import { HOUR_MS } from "../../src/platform/time.ts";
import { pendingStatements } from "../../src/plays/ledger/daily-sums.ts";
import {
  AGGREGATE_COUNTERS,
  AGGREGATE_KEYS,
  type AggregateCounter,
  CONTEXT_VALUES,
  DAILY_SUMS,
  PLAY_VALUES,
} from "../../src/plays/tables.ts";

/** A recorded play as the reports see it. */
export interface RecordedPlay {
  event_id: string;
  device_id: string;
  day: string;
  started_at: number;
  campaign_id: string;
  ad_group_id: string;
  supplier_id: string;
  store_id: string;
  content_id: string;
  type: "PLAY" | "PLAY_START";
  result: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR" | "";
  billable: 0 | 1;
  duration_ms: number;
}

export type Figures = Record<AggregateCounter, number>;

/** What one play adds to each figure. */
export function figuresOf(play: RecordedPlay): Figures {
  const ended = play.type !== "PLAY_START";
  const was = (result: RecordedPlay["result"]) => Number(ended && play.result === result);
  return {
    plays_count: Number(ended),
    completed_count: was("COMPLETED"),
    partial_count: was("PARTIAL"),
    skipped_count: was("SKIPPED"),
    interrupted_count: was("INTERRUPTED"),
    error_count: was("ERROR"),
    billable_count: ended ? play.billable : 0,
    starts_count: Number(!ended),
    total_duration_ms: ended ? play.duration_ms : 0,
  };
}

export const NO_FIGURES: Figures = {
  plays_count: 0,
  completed_count: 0,
  partial_count: 0,
  skipped_count: 0,
  interrupted_count: 0,
  error_count: 0,
  billable_count: 0,
  starts_count: 0,
  total_duration_ms: 0,
};

export function addFigures(a: Figures, b: Figures): Figures {
  return Object.fromEntries(AGGREGATE_COUNTERS.map((counter) => [counter, a[counter] + b[counter]])) as Figures;
}

const EVENT_COLUMNS: string[] = [
  "event_id",
  "device_id",
  "day",
  ...AGGREGATE_KEYS,
  "type",
  "result",
  "billable",
  "duration_ms",
  "started_at",
];

/**
 * Records plays the way a commit of the queue's consumer does, in one transaction: single plays, hourly rows of every written
 * generation (daily rows, where a day's hourly rows are retired), pending sums by day, sums by device and day, and the marks of touched
 * days.
 */
export function commitStatements(db: D1Database, plays: RecordedPlay[], touchedAt: number, generation = 1): D1PreparedStatement[] {
  const rows = JSON.stringify(plays.map((play) => ({ ...play, hour: Math.floor(play.started_at / HOUR_MS), ...figuresOf(play) })));
  const value = (column: string) => `value ->> '$.${column}'`;
  const knownValue = (column: string) => (EVENT_COLUMNS.includes(column) ? value(column) : "''");
  const keys = AGGREGATE_KEYS.join(", ");
  const sums = AGGREGATE_COUNTERS.map((counter) => `sum(${value(counter)})`).join(", ");
  const added = (table: string, counters: readonly string[]) => counters.map((c) => `${c} = ${table}.${c} + excluded.${c}`).join(", ");
  const retired = `(SELECT hourly_retired_at FROM aggregate_days WHERE generation = ?2 AND day = ${value("day")}) IS NOT NULL`;
  const picked = AGGREGATE_KEYS.map(value).join(", ");
  const insertAggregate = (table: string, hour: string, condition: string) => `
    INSERT INTO ${table} (generation, day, ${hour ? "hour, " : ""}${keys}, ${AGGREGATE_COUNTERS.join(", ")})
    SELECT ?2, ${value("day")}, ${hour ? `${value("hour")}, ` : ""}${picked}, ${sums} FROM json_each(?1) WHERE ${condition}
    GROUP BY ${value("day")}, ${hour ? `${value("hour")}, ` : ""}${picked}
    ON CONFLICT DO UPDATE SET ${added(table, AGGREGATE_COUNTERS)}`;
  return [
    db
      .prepare(
        `INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, contexts_json, rows_json)
         SELECT ${value("device_id")}, ${value("day")}, ${value("event_id")}, 1, ${value("day")}, 1,
           json_array(json_array(${CONTEXT_VALUES.map((column) => knownValue(column)).join(", ")}, 0, 0)),
           json_array(json_array(0, ${PLAY_VALUES.map((column) => knownValue(column)).join(", ")}, 0))
         FROM json_each(?1)`,
      )
      .bind(rows),
    db.prepare(insertAggregate("plays_hourly", "hour", `NOT (${retired})`)).bind(rows, generation),
    db.prepare(insertAggregate("proof_of_play_aggregate_daily", "", retired)).bind(rows, generation),
    ...pendingStatements(
      db,
      plays.map((play) => ({ ...play, ...figuresOf(play) })),
      generation,
    ),
    db
      .prepare(
        `INSERT INTO device_activity_daily (generation, day, device_id, plays_count, billable_count, total_duration_ms, last_activity_at)
         SELECT ?2, ${value("day")}, ${value("device_id")}, sum(${value("plays_count")}), sum(${value("billable_count")}),
           sum(${value("total_duration_ms")}), max(${value("started_at")}) FROM json_each(?1) WHERE true GROUP BY 2, 3
         ON CONFLICT DO UPDATE SET ${added("device_activity_daily", ["plays_count", "billable_count", "total_duration_ms"])}`,
      )
      .bind(rows, generation),
    db
      .prepare(
        `INSERT INTO aggregate_days (generation, day, dirty, touched_at)
         SELECT DISTINCT ?2, ${value("day")}, 1, ?3 FROM json_each(?1) WHERE true
         ON CONFLICT DO UPDATE SET dirty = (aggregate_days.hourly_retired_at IS NULL), touched_at = excluded.touched_at`,
      )
      .bind(rows, generation, touchedAt),
  ];
}

export async function commitPlays(db: D1Database, plays: RecordedPlay[], touchedAt: number, generation = 1): Promise<void> {
  await db.batch(commitStatements(db, plays, touchedAt, generation));
}

/** Empties everything that plays leave behind; the first generation is live and written again. */
export async function clearPlays(db: D1Database): Promise<void> {
  const tables = [
    "chunk_plays",
    "plays_hourly",
    "proof_of_play_aggregate_daily",
    "device_activity_daily",
    ...DAILY_SUMS.map(({ table }) => table),
    "plays_daily_pending",
    "aggregate_days",
    "aggregate_generations",
  ];
  await db.batch([
    ...tables.map((table) => db.prepare(`DELETE FROM ${table}`)),
    db.prepare("INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (1, 1, 1, 0)"),
  ]);
}

/** A UUID of a kind and a number, so that tests read and sort well. */
export function testId(kind: "campaign" | "ad_group" | "supplier" | "store" | "content" | "device" | "event", number: number): string {
  const kinds = ["campaign", "ad_group", "supplier", "store", "content", "device", "event"];
  return `${String(kinds.indexOf(kind) + 1).padStart(8, "0")}-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

let lastEvent = 0;

/** A completed, billable play of ten seconds, but for what is given. */
export function recordedPlay(given: Partial<RecordedPlay> & { day: string }): RecordedPlay {
  lastEvent += 1;
  return {
    event_id: testId("event", lastEvent),
    device_id: testId("device", 1),
    started_at: Date.parse(given.day) + 10 * HOUR_MS,
    campaign_id: testId("campaign", 1),
    ad_group_id: testId("ad_group", 1),
    supplier_id: testId("supplier", 1),
    store_id: testId("store", 1),
    content_id: testId("content", 1),
    type: "PLAY",
    result: "COMPLETED",
    billable: 1,
    duration_ms: 10_000,
    ...given,
  };
}

/** Rows of the registry for the first `count` of each kind, so that names can be joined. */
export async function registerNetwork(db: D1Database, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await db.batch(
    numbers.flatMap((n) => [
      db
        .prepare("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, ?, 0, 0)")
        .bind(testId("supplier", n), `Supplier ${n}`),
      db
        .prepare("INSERT INTO stores (id, supplier_id, name, timezone, created_at, updated_at) VALUES (?, ?, ?, 'UTC', 0, 0)")
        .bind(testId("store", n), testId("supplier", n), `Store ${n}`),
      db
        .prepare("INSERT INTO devices (id, external_name, store_id, status, created_at, updated_at) VALUES (?, ?, ?, 'active', 0, 0)")
        .bind(testId("device", n), `Screen ${n}`, testId("store", n)),
      db
        .prepare("INSERT INTO campaigns (id, brand_name, name, created_at, updated_at) VALUES (?, 'Brand', ?, 0, 0)")
        .bind(testId("campaign", n), `Campaign ${n}`),
      db
        .prepare("INSERT INTO ad_groups (id, campaign_id, name, created_at, updated_at) VALUES (?, ?, ?, 0, 0)")
        .bind(testId("ad_group", n), testId("campaign", n), `Ad group ${n}`),
      db
        .prepare("INSERT INTO content (id, name, type, created_at, updated_at) VALUES (?, ?, 'video', 0, 0)")
        .bind(testId("content", n), `Content ${n}`),
    ]),
  );
}
