import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { reportCsv, TOTALS_OF_MOVING_STATE, TOTALS_OF_ONE_STATE } from "../../src/reports/csv.ts";
import type { ReportQuery } from "../../src/reports/query.ts";
import { clearPlays, commitPlays, recordedPlay, testId } from "../support/aggregates.ts";
import { parseCsv } from "../support/csv.ts";

const DAYS = ["2026-03-01", "2026-03-02", "2026-03-20"];
const query: ReportQuery = { from: "2026-02-01", to: "2026-03-31", groupBy: ["day", "content"], filters: {}, totals: true };

beforeEach(async () => {
  await clearPlays(env.DB);
  const contents = [1, 2].map((n) => testId("content", n));
  await commitPlays(
    env.DB,
    DAYS.flatMap((day) => contents.map((content_id) => recordedPlay({ day, content_id }))),
    1,
  );
});

/** Day and plays of each row behind the header. */
async function read(stream: ReadableStream<Uint8Array>): Promise<[string, string][]> {
  const [header = [], ...rows] = parseCsv(await new Response(stream).text());
  return rows.map((row) => [row[0] ?? "", row[header.indexOf("plays_count")] ?? ""]);
}

/** Reads the first page of two rows, does something, and reads on. */
async function readAround(between: () => Promise<void>): Promise<[string, string][]> {
  let pending: (() => Promise<void>) | null = between;
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        const now = pending;
        pending = null;
        await now?.();
        return results;
      };
    },
  });
  return await read(await reportCsv(db, query, "aggregates", 2));
}

test("pages of any size make the same file, over days without plays too", async () => {
  const whole = await read(await reportCsv(env.DB, query, "aggregates"));
  expect(whole).toEqual([...DAYS.flatMap((day) => [day, day]).map((day) => [day, "1"]), [TOTALS_OF_ONE_STATE, "6"]]);
  for (const pageRows of [1, 2, 4, 5, 6, 7])
    expect(await read(await reportCsv(env.DB, query, "aggregates", pageRows)), String(pageRows)).toEqual(whole);
});

test("a play that is recorded between two pages shows in the later one, and the totals row says so", async () => {
  const rows = await readAround(
    async () =>
      await commitPlays(
        env.DB,
        DAYS.map((day) => recordedPlay({ day })),
        2,
      ),
  );
  expect(rows).toEqual([
    ["2026-03-01", "1"],
    ["2026-03-01", "1"],
    ["2026-03-02", "2"],
    ["2026-03-02", "1"],
    ["2026-03-20", "2"],
    ["2026-03-20", "1"],
    [TOTALS_OF_MOVING_STATE, "8"],
  ]);
});

test("a play outside the report does not trouble the file", async () => {
  const rows = await readAround(async () => await commitPlays(env.DB, [recordedPlay({ day: "2026-04-01" })], 2));
  expect(rows.at(-1)).toEqual([TOTALS_OF_ONE_STATE, "6"]);
});

test("a file keeps to the generation that it began with", async () => {
  const rows = await readAround(async () => {
    await env.DB.batch([
      env.DB.prepare("UPDATE aggregate_generations SET live = 0"),
      env.DB.prepare("INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (2, 1, 1, 0)"),
    ]);
    await commitPlays(
      env.DB,
      DAYS.map((day) => recordedPlay({ day })),
      2,
      2,
    );
  });
  expect(rows.at(-1)).toEqual([TOTALS_OF_ONE_STATE, "6"]);
});

test("a file whose generation goes away is broken off, not cut short in silence", async () => {
  const reading = readAround(async () => {
    await env.DB.prepare("UPDATE aggregate_generations SET id = 7").run();
  });
  await expect(reading).rejects.toThrow("the generation of the aggregates that the report reads does not exist");
});
