import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { PlayColumns } from "../../../src/plays/columns.ts";
import { PLAY_COLUMNS } from "../../../src/plays/play.ts";
import { storedPlays } from "../../../src/plays/tables.ts";

/** The statements of a migration, by its number. */
function migration(number: string): string[] {
  const found = env.TEST_MIGRATIONS.find(({ name }) => name.startsWith(number));
  if (!found) throw new Error(`there is no migration ${number}`);
  return found.queries;
}

const run = async (statements: string[]) => await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
const plays = async () => (await env.DB.prepare("SELECT * FROM proof_of_play_events ORDER BY event_id").all()).results;

test("plays that were stored before contexts are the same plays behind the migration", async () => {
  const oldView = migration("0006").filter((statement) => /^\s*CREATE VIEW/m.test(statement));
  expect(oldView.length).toBe(1);
  await run([
    "DROP VIEW proof_of_play_events",
    "ALTER TABLE chunk_plays RENAME COLUMN contexts_json TO requests_json",
    "ALTER TABLE chunk_plays RENAME COLUMN rows_json TO plays_json",
    ...oldView,
  ]);
  const requests = [
    [1_790_000_000_000, "playback-log", "key", "2026-11-2", "first"],
    [1_790_000_100_000, "stream", "", "2026-11-2", "second"],
  ];
  const stored = [
    // ad group, content, type, result, billable, duration, started, id, ended, raw start, raw end, expected, quality, flags, epoch, sequence, …
    ["", "content-1", "PLAY", "COMPLETED", 1, 15000, 1000, "a", 16000, 1090, 16091, 15000, 100, "", "0", 7, "", "v1", "slot", "hash-a"],
    ["group", "content-2", "PLAY", "PARTIAL", 0, 5000, 2000, "b", 7000, 2090, 7091, null, 80, "LATE", "e", null, "list", "", "", "hash-b"],
    ["", "content-1", "PLAY_START", "", 0, 0, 3000, "c", 3000, 3000, 3000, null, 100, "", "0", null, "", "", "", "hash-c"],
  ].map((values, at) => [at === 2 ? 1 : 0, "2026-11-20", "store", "supplier", "campaign", ...values]);
  await env.DB.prepare(
    "INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, requests_json, plays_json) VALUES ('d', '2026-11-20', 'i', 4, '2026-11-20', 3, ?, ?)",
  )
    .bind(JSON.stringify(requests), JSON.stringify(stored))
    .run();
  const before = await plays();
  expect(before).toMatchObject([
    { event_id: "a", day: "2026-11-20", received_at: 1_790_000_000_000, started_at_raw: 1090, sequence: 7, chunk: "d.i.4" },
    { event_id: "b", expected_ms: null, flags: "LATE", playlist_id: "list", record_hash: "hash-b" },
    { event_id: "c", type: "PLAY_START", door: "stream", correlation_id: "second" },
  ]);
  await run(migration("0022"));
  expect(await plays()).toEqual(before);
  // The first and the last of them came in other requests than the one between.
  const row = await env.DB.prepare("SELECT json_array_length(contexts_json) AS contexts, rows_json FROM chunk_plays").first<{
    contexts: number;
    rows_json: string;
  }>();
  expect(row?.contexts).toBe(3);
  expect((JSON.parse(row?.rows_json ?? "[]") as unknown[][]).map(([place]) => place).sort()).toEqual([0, 1, 2]);
});

test("every column of a stored play is read back as its own by the view", async () => {
  const numbers = new Set([
    "started_at",
    "ended_at",
    "started_at_raw",
    "ended_at_raw",
    "received_at",
    "duration_ms",
    "expected_ms",
    "quality",
    "sequence",
    "billable",
  ]);
  const someValue = (column: string, at: number) =>
    numbers.has(column) ? 1000 * (1 + (PLAY_COLUMNS as readonly string[]).indexOf(column)) + at : `${column} ${at}`;
  const given = [0, 1, 2].map((at) => Object.fromEntries(PLAY_COLUMNS.map((column) => [column, someValue(column, at)])));
  const columns = Object.fromEntries(PLAY_COLUMNS.map((column) => [column, given.map((play) => play[column])])) as unknown as PlayColumns;
  const { contexts, rows } = storedPlays(columns);
  await env.DB.prepare("DELETE FROM chunk_plays").run();
  await env.DB.prepare(
    "INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, contexts_json, rows_json) VALUES ('d', 'day 2', 'i', 5, 'day 0', 3, ?, ?)",
  )
    .bind(JSON.stringify(contexts), JSON.stringify(rows))
    .run();
  expect(await plays()).toEqual(given.map((play) => ({ ...play, device_id: "d", first_day: "day 0", last_day: "day 2", chunk: "d.i.5" })));
});
