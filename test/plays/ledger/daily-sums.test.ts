import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { HOUR_MS } from "../../../src/platform/time.ts";
import {
  type KeyedSum,
  MERGED_FROM_SUMS,
  mergePending,
  mergeStatements,
  pendingRows,
  pendingStatements,
} from "../../../src/plays/ledger/daily-sums.ts";
import { rollUp } from "../../../src/plays/ledger/rollup.ts";
import { AGGREGATE_COUNTERS, DAILY_SUMS, type DailySums } from "../../../src/plays/tables.ts";
import { clearPlays, commitPlays, figuresOf, type RecordedPlay, recordedPlay, testId } from "../../support/aggregates.ts";
import fc from "../../support/property.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"];
const DAY = "2026-03-02";
const SUMS = AGGREGATE_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`).join(", ");

beforeEach(async () => await clearPlays(env.DB));

type Rows = Record<string, unknown>[];
async function rows(sql: string): Promise<Rows> {
  return (await env.DB.prepare(sql).all()).results;
}

/** What a table and its pending sums say together. */
async function narrow({ table, keys, ...kind }: DailySums): Promise<Rows> {
  const key = ["generation", "day", ...keys].join(", ");
  const columns = [key, ...AGGREGATE_COUNTERS].join(", ");
  return await rows(
    `SELECT ${key}, ${SUMS} FROM (SELECT ${columns} FROM ${table} UNION ALL SELECT ${columns} FROM (${pendingRows({ table, keys, ...kind } as DailySums)}))
     GROUP BY ${key} ORDER BY ${key}`,
  );
}

/** The same of the tables with all dimensions: hourly rows of marked days, daily rows of all others. */
async function full({ keys }: DailySums): Promise<Rows> {
  const key = ["generation", "day", ...keys].join(", ");
  const columns = [key, ...AGGREGATE_COUNTERS].join(", ");
  const marked = "SELECT generation, day FROM aggregate_days WHERE dirty = 1 AND hourly_retired_at IS NULL";
  return await rows(
    `SELECT ${key}, ${SUMS} FROM (
       SELECT ${columns} FROM proof_of_play_aggregate_daily WHERE (generation, day) NOT IN (${marked})
       UNION ALL SELECT ${columns} FROM plays_hourly WHERE (generation, day) IN (${marked})) GROUP BY ${key} ORDER BY ${key}`,
  );
}

/** The sums of hours of any day are the day's, also where daily rows are there already. */
async function hourly({ keys }: DailySums): Promise<Rows> {
  const key = ["generation", "day", ...keys].join(", ");
  return await rows(`SELECT ${key}, ${SUMS} FROM plays_hourly GROUP BY ${key} ORDER BY ${key}`);
}

const steps = ["commit", "commit", "commit", "roll up", "roll up one", "merge", "merge some", "retire"] as const;
const playArbitrary = fc
  .record({
    day: fc.constantFrom(...DAYS),
    hour: fc.integer({ min: 0, max: 23 }),
    campaign: fc.integer({ min: 0, max: 2 }),
    ad_group: fc.integer({ min: 0, max: 1 }),
    supplier: fc.integer({ min: 0, max: 1 }),
    store: fc.integer({ min: 0, max: 3 }),
    content: fc.integer({ min: 1, max: 3 }),
    result: fc.constantFrom("COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR" as const),
    duration_ms: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ hour, campaign, ad_group, supplier, store, content, ...play }) => {
    const id = (kind: Parameters<typeof testId>[0], n: number) => (n === 0 ? "" : testId(kind, n));
    return {
      ...play,
      started_at: Date.parse(play.day) + hour * HOUR_MS,
      campaign_id: id("campaign", campaign),
      ad_group_id: id("ad_group", ad_group),
      supplier_id: id("supplier", supplier),
      store_id: id("store", store),
      content_id: id("content", content),
      billable: play.result === "COMPLETED" ? (1 as const) : (0 as const),
    };
  });

/** Single plays are not looked at here, so that a play that shrinking hands out twice is none too many. */
async function commit(plays: Partial<RecordedPlay>[]): Promise<void> {
  await commitPlays(
    env.DB,
    plays.map((play) => recordedPlay({ day: DAY, ...play })),
    NOW,
  );
}

async function take(step: (typeof steps)[number], plays: Partial<RecordedPlay>[]): Promise<void> {
  if (step === "commit") await commit(plays);
  if (step === "roll up" || step === "retire") await rollUp(env.DB, NOW);
  if (step === "roll up one") await rollUp(env.DB, NOW, { maxDays: 1 });
  if (step === "merge") await mergePending(env.DB, 0);
  if (step === "merge some") await env.DB.batch(mergeStatements(env.DB, 1));
  if (step !== "retire") return;
  await env.DB.batch([
    env.DB.prepare("UPDATE aggregate_days SET hourly_retired_at = 1 WHERE day = ?").bind(DAY),
    env.DB.prepare("DELETE FROM plays_hourly WHERE day = ?").bind(DAY),
  ]);
}

test("whatever is committed, merged, rolled up or retired: the narrow tables with what is pending equal the full ones, and the hours", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ step: fc.constantFrom(...steps), plays: fc.array(playArbitrary, { minLength: 1, maxLength: 15 }) }), {
        minLength: 2,
        maxLength: 8,
      }),
      async (run) => {
        await clearPlays(env.DB);
        let retired = false;
        for (const { step, plays } of run) {
          await take(step, plays);
          retired ||= step === "retire";
          for (const kind of DAILY_SUMS) {
            const found = await narrow(kind);
            expect(found).toEqual(await full(kind));
            if (!retired) expect(found).toEqual(await hourly(kind));
          }
        }
      },
    ),
    { numRuns: 80, seed: 20260310 },
  );
});

test("a commit writes one row for all its sums, whatever it holds", async () => {
  const sums = Array.from({ length: 3000 }, (_, n): KeyedSum => {
    const play = recordedPlay({ day: DAY, store_id: testId("store", n), content_id: testId("content", n % 40) });
    return { ...play, ...figuresOf(play) };
  });
  const [result] = await env.DB.batch(pendingStatements(env.DB, sums));
  expect(result?.meta.rows_written).toBe(1);
  expect(
    await rows(
      "SELECT json_array_length(by_content_json) AS contents, json_array_length(by_store_json) AS stores FROM plays_daily_pending",
    ),
  ).toEqual([{ contents: 40, stores: 3000 }]);
});

test("the largest commit is spread over rows that each fit into a value of two megabytes", async () => {
  const sums = Array.from({ length: 10_000 }, (_, n): KeyedSum => {
    const play = recordedPlay({ day: DAY, store_id: testId("store", n), content_id: testId("content", n), duration_ms: 14_400_000 });
    return { ...play, ...figuresOf(play) };
  });
  await env.DB.batch(pendingStatements(env.DB, sums));
  const found = await rows("SELECT id, length(by_content_json) + length(by_store_json) AS bytes FROM plays_daily_pending ORDER BY id");
  expect(found.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(Math.max(...found.map(({ bytes }) => Number(bytes)))).toBeLessThan(1_900_000);
  expect(await mergePending(env.DB)).toEqual({ rows: 3 });
  expect(await rows("SELECT count(*) AS n, sum(plays_count) AS plays FROM plays_daily_by_content")).toEqual([{ n: 10_000, plays: 10_000 }]);
});

test("few pending sums wait for more; the rollup takes all", async () => {
  await commit([{}]);
  expect(await mergePending(env.DB)).toEqual({ rows: 0 });
  expect(await mergePending(env.DB, 2)).toEqual({ rows: 1 });
  expect(await mergePending(env.DB, 0)).toEqual({ rows: 0 });
  const stores = Array.from({ length: MERGED_FROM_SUMS - 1 }, (_, n) => ({ store_id: testId("store", n) }));
  await commit(stores);
  expect(await mergePending(env.DB)).toMatchObject({ rows: expect.toSatisfy((merged) => merged > 0) });
  await commit([{}]);
  await rollUp(env.DB, NOW);
  expect(await rows("SELECT * FROM plays_daily_pending")).toEqual([]);
});

test("merges and commits at the same time count each play once", async () => {
  await Promise.all(Array.from({ length: 10 }, async () => [await commit([{}]), await mergePending(env.DB, 0)]));
  await mergePending(env.DB, 0);
  for (const { table } of DAILY_SUMS) expect(await rows(`SELECT plays_count FROM ${table}`), table).toEqual([{ plays_count: 10 }]);
});

test("every generation that is written has its own, of its days alone; one that is no more leaves nothing", async () => {
  await env.DB.prepare(
    `INSERT INTO aggregate_generations (id, live, writing, created_at, from_day, to_day) VALUES (2, 0, 1, 0, '${DAY}', '${DAY}')`,
  ).run();
  const sums = DAYS.map((day): KeyedSum => {
    const play = recordedPlay({ day });
    return { ...play, ...figuresOf(play) };
  });
  const days = async (sql: string) => (await rows(sql)).map(({ generation, day }) => `${generation} ${day}`);
  await env.DB.batch(pendingStatements(env.DB, sums));
  await env.DB.batch(pendingStatements(env.DB, sums, 2));
  for (const kind of DAILY_SUMS) {
    expect(await days(`SELECT generation, day FROM (${pendingRows(kind)}) ORDER BY 1, 2`)).toEqual([
      ...DAYS.map((day) => `1 ${day}`),
      `2 ${DAY}`,
      `2 ${DAY}`,
    ]);
  }
  await env.DB.prepare("DELETE FROM aggregate_generations WHERE id = 2").run();
  expect(await mergePending(env.DB, 0)).toEqual({ rows: 3 });
  for (const { table } of DAILY_SUMS)
    expect(await days(`SELECT generation, day FROM ${table} ORDER BY 1, 2`)).toEqual(DAYS.map((day) => `1 ${day}`));
});

test("a rollup puts right what is wrong in a narrow table, and rewrites only that", async () => {
  await commit([{}, { campaign_id: testId("campaign", 2) }, { store_id: testId("store", 2) }]);
  await mergePending(env.DB, 0);
  const before = await Promise.all(DAILY_SUMS.map(narrow));
  await env.DB.batch([
    env.DB.prepare("UPDATE plays_daily_by_content SET plays_count = plays_count + 1 WHERE campaign_id = ?").bind(testId("campaign", 2)),
    env.DB.prepare("DELETE FROM plays_daily_by_store WHERE store_id = ?").bind(testId("store", 2)),
    env.DB.prepare("UPDATE plays_daily_by_store SET store_id = 'nowhere'"),
  ]);
  await rollUp(env.DB, NOW);
  expect(await Promise.all(DAILY_SUMS.map(narrow))).toEqual(before);
});

test("a commit between the last merge and the rollup of its day is counted once", async () => {
  await commit([{}]);
  let committed = false;
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        // Behind the merge that the rollup begins with.
        if (!committed) await commit([{}]);
        committed = true;
        return results;
      };
    },
  });
  await rollUp(db, NOW);
  expect(committed).toBe(true);
  for (const kind of DAILY_SUMS) expect(await narrow(kind)).toMatchObject([{ plays_count: 2 }]);
});
