import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { HOUR_MS } from "../../../src/platform/time.ts";
import { lastDayOver, ROLLUP_QUIET_MS, rollUp } from "../../../src/plays/ledger/rollup.ts";
import { clearPlays, commitPlays, commitStatements, recordedPlay, testId } from "../../support/aggregates.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const DAY = "2026-03-08";

interface DailyRow {
  day: string;
  campaign_id: string;
  plays_count: number;
  billable_count: number;
  total_duration_ms: number;
}

async function daily(generation = 1): Promise<DailyRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT day, campaign_id, plays_count, billable_count, total_duration_ms FROM proof_of_play_aggregate_daily
     WHERE generation = ? ORDER BY day, campaign_id`,
  )
    .bind(generation)
    .all<DailyRow>();
  return results;
}

async function marked(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT generation || ' ' || day AS mark FROM aggregate_days WHERE dirty = 1 ORDER BY 1").all<{
    mark: string;
  }>();
  return results.map(({ mark }) => mark);
}

beforeEach(async () => await clearPlays(env.DB));

test("a marked day's daily rows become the sums of its hours and the mark goes", async () => {
  const play = recordedPlay({ day: DAY });
  await commitPlays(
    env.DB,
    [play, recordedPlay({ day: DAY, started_at: play.started_at + HOUR_MS, result: "PARTIAL", billable: 0, duration_ms: 4_000 })],
    NOW,
  );
  expect(await daily()).toEqual([]);
  expect(await rollUp(env.DB, NOW)).toEqual({ days: [{ generation: 1, day: DAY }], rowsWritten: 1, left: 0 });
  expect(await daily()).toEqual([
    { day: DAY, campaign_id: testId("campaign", 1), plays_count: 2, billable_count: 1, total_duration_ms: 14_000 },
  ]);
  expect(await marked()).toEqual([]);
});

test("a second run finds nothing to do, and a day marked again without a change costs no row", async () => {
  await commitPlays(env.DB, [recordedPlay({ day: DAY })], NOW);
  await rollUp(env.DB, NOW);
  const before = await daily();
  expect(await rollUp(env.DB, NOW)).toEqual({ days: [], rowsWritten: 0, left: 0 });
  await env.DB.prepare("UPDATE aggregate_days SET dirty = 1").run();
  expect(await rollUp(env.DB, NOW)).toEqual({ days: [{ generation: 1, day: DAY }], rowsWritten: 0, left: 0 });
  expect(await daily()).toEqual(before);
});

test("plays that come after a run are added by the next one, and only their row is written", async () => {
  const campaigns = [1, 2, 3].map((n) => recordedPlay({ day: DAY, campaign_id: testId("campaign", n) }));
  await commitPlays(env.DB, campaigns, NOW);
  await rollUp(env.DB, NOW);
  await commitPlays(env.DB, [recordedPlay({ day: DAY, campaign_id: testId("campaign", 2) })], NOW + 1);
  expect((await rollUp(env.DB, NOW + 2)).rowsWritten).toBe(1);
  expect((await daily()).map((row) => row.plays_count)).toEqual([1, 2, 1]);
});

test("daily rows that no hour backs are removed", async () => {
  await commitPlays(env.DB, [recordedPlay({ day: DAY }), recordedPlay({ day: DAY, campaign_id: testId("campaign", 2) })], NOW);
  await rollUp(env.DB, NOW);
  await env.DB.batch([
    env.DB.prepare("DELETE FROM plays_hourly WHERE campaign_id = ?").bind(testId("campaign", 1)),
    env.DB.prepare("UPDATE aggregate_days SET dirty = 1"),
  ]);
  expect((await rollUp(env.DB, NOW)).rowsWritten).toBe(1);
  expect((await daily()).map((row) => row.campaign_id)).toEqual([testId("campaign", 2)]);
});

test("days that were missed are all rolled up, of every generation, as many a run as allowed", async () => {
  await env.DB.prepare("INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (2, 0, 1, 0)").run();
  await commitPlays(env.DB, [recordedPlay({ day: "2026-01-01" }), recordedPlay({ day: "2026-02-01" })], NOW);
  await commitPlays(env.DB, [recordedPlay({ day: "2026-01-01" })], NOW, 2);
  const first = await rollUp(env.DB, NOW, { maxDays: 2 });
  expect(first.days).toEqual([
    { generation: 1, day: "2026-01-01" },
    { generation: 2, day: "2026-01-01" },
  ]);
  expect(first.left).toBe(1);
  expect(await marked()).toEqual(["1 2026-02-01"]);
  await rollUp(env.DB, NOW, { maxDays: 2 });
  expect((await daily(1)).map((row) => row.day)).toEqual(["2026-01-01", "2026-02-01"]);
  expect((await daily(2)).map((row) => row.day)).toEqual(["2026-01-01"]);
});

test("a day whose hourly rows are retired keeps its daily rows, and its mark is cleared", async () => {
  await commitPlays(env.DB, [recordedPlay({ day: DAY }), recordedPlay({ day: DAY })], NOW);
  await rollUp(env.DB, NOW);
  await env.DB.batch([
    env.DB.prepare("DELETE FROM plays_hourly"),
    env.DB.prepare("UPDATE aggregate_days SET hourly_retired_at = ?, dirty = 1").bind(NOW),
  ]);
  await commitPlays(env.DB, [recordedPlay({ day: DAY })], NOW + 1);
  await env.DB.prepare("UPDATE aggregate_days SET dirty = 1").run();
  await rollUp(env.DB, NOW + 2);
  expect((await daily()).map((row) => row.plays_count)).toEqual([3]);
  expect(await marked()).toEqual([]);
});

test("a commit between looking for marks and rolling up is not lost", async () => {
  await commitPlays(env.DB, [recordedPlay({ day: DAY })], NOW);
  const late = commitStatements(env.DB, [recordedPlay({ day: DAY })], NOW);
  await rollUp(committingBeforeBatch(env.DB, late), NOW);
  expect((await daily()).map((row) => row.plays_count)).toEqual([2]);
  expect(await marked()).toEqual([]);
});

test("commits and runs at the same time end in the right sums", async () => {
  const commits = Array.from({ length: 10 }, (_, n) => commitPlays(env.DB, [recordedPlay({ day: DAY })], NOW + n));
  const runs = Array.from({ length: 10 }, (_, n) => rollUp(env.DB, NOW + n));
  await Promise.all(commits.flatMap((commit, n) => [commit, runs[n]]));
  await rollUp(env.DB, NOW + 100);
  expect((await daily()).map((row) => row.plays_count)).toEqual([10]);
});

test("a day that still runs somewhere is left alone until it was quiet, where that is asked for", async () => {
  const today = "2026-03-10";
  await commitPlays(env.DB, [recordedPlay({ day: today }), recordedPlay({ day: DAY })], NOW);
  const busy = await rollUp(env.DB, NOW + ROLLUP_QUIET_MS - 1, { quietMs: ROLLUP_QUIET_MS });
  expect(busy.days).toEqual([{ generation: 1, day: DAY }]);
  const quiet = await rollUp(env.DB, NOW + ROLLUP_QUIET_MS, { quietMs: ROLLUP_QUIET_MS });
  expect(quiet.days).toEqual([{ generation: 1, day: today }]);
});

test("a day is over when it is over at UTC−12", () => {
  expect(lastDayOver(Date.parse("2026-03-10T11:59:59.999Z"))).toBe("2026-03-08");
  expect(lastDayOver(Date.parse("2026-03-10T12:00:00Z"))).toBe("2026-03-09");
});

/** The same database, with a commit that lands just before the first `batch()`. */
function committingBeforeBatch(db: D1Database, commit: D1PreparedStatement[]): D1Database {
  let committed = false;
  return new Proxy(db, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        if (!committed) await target.batch(commit);
        committed = true;
        return await target.batch(statements);
      };
    },
  });
}
