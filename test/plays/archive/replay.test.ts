import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { abandonReplay, GENERATION_TABLES, readReplay, startReplay, tidyReplays } from "../../../src/plays/archive/replay.ts";
import { findUnarchived } from "../../../src/plays/archive/replay-coverage.ts";
import { type ReplayOptions, stepReplay } from "../../../src/plays/archive/replay-step.ts";
import { mergePending } from "../../../src/plays/ledger/daily-sums.ts";
import { rollUp } from "../../../src/plays/ledger/rollup.ts";
import { admin } from "../../support/admin.ts";
import { attached, clearArchive, damageObject, recordMoved, segments, sendChunks } from "../../support/archive.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";
import { type CaughtQueue, deliver, withFault } from "../../support/pipeline.ts";

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  device = await makeDevice({ timezone: "UTC" });
  queue = await attached(device);
});

const NOW = () => Date.now();
const TODAY = utcDay(Date.now());
const day = (ago: number) => utcDay(Date.parse(TODAY) - ago * DAY_MS);
const ASKER = { actor: "tester", idempotency: null };
const RANGE = () => ({ from: day(4), to: day(-1) });

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await env.DB.prepare(sql).all()).results;
}

/** All aggregates of the live generation, daily rows brought up to date and pending sums merged. */
async function aggregates() {
  await rollUp(env.DB, NOW());
  const live = "WHERE generation = (SELECT id FROM aggregate_generations WHERE live = 1) ORDER BY 1, 2, 3, 4, 5, 6, 7";
  return {
    hourly: await rows(`SELECT day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id, * FROM plays_hourly ${live}`),
    daily: await rows(
      `SELECT day, campaign_id, ad_group_id, supplier_id, store_id, content_id, * FROM proof_of_play_aggregate_daily ${live}`,
    ),
    activity: await rows(`SELECT day, device_id, 0, 0, 0, 0, 0, * FROM device_activity_daily ${live}`),
    byContent: await rows(`SELECT day, campaign_id, ad_group_id, content_id, 0, 0, 0, * FROM plays_daily_by_content ${live}`),
    byStore: await rows(`SELECT day, supplier_id, store_id, 0, 0, 0, 0, * FROM plays_daily_by_store ${live}`),
  };
}

async function reported(): Promise<Record<string, number>> {
  const answer = await admin("GET", `/v1/admin/reports/proof-of-play?group_by=day&from=${day(6)}&to=${day(0)}`);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return Object.fromEntries((answer.body.items as { day: string; plays_count: number }[]).map((item) => [item.day, item.plays_count]));
}

async function loseAggregates(): Promise<void> {
  await env.DB.batch([...GENERATION_TABLES, "plays_daily_pending"].map((t) => env.DB.prepare(`DELETE FROM ${t}`)));
}

/** Plays of three days in six segments, of all statuses; two days' segments are compacted. */
async function network(): Promise<void> {
  await recordMoved(device, queue, 3, { day: day(3) });
  await recordMoved(device, queue, 2, { day: day(2) });
  await recordMoved(device, queue, 4, { day: day(0) }, (index) => ({ status: ["COMPLETED", "SKIPPED", "INTERRUPTED", "ERROR"][index] }));
  await compact(env, NOW() + 2 * HOUR_MS);
  await recordMoved(device, queue, 1, { day: day(3) });
  await recordMoved(device, queue, 2, { day: day(0) });
}

async function start(range = RANGE()): Promise<string> {
  return (await startReplay(env.DB, range, ASKER, NOW())).replay.id;
}

/** Steps until the replay ends. Returns how it ended. */
async function finish(id: string, options: ReplayOptions = {}): Promise<string> {
  for (let step = 0; step < 50; step++) {
    await stepReplay(env, NOW(), options);
    const { status } = await readReplay(env.DB, id);
    if (status !== "filling") return status;
  }
  throw new Error("the replay does not end");
}

/** One generation, and nothing left of any other. */
async function expectTidy(): Promise<void> {
  while ((await tidyReplays(env.DB)) > 0);
  await mergePending(env.DB, 0);
  expect(await rows("SELECT * FROM plays_daily_pending")).toEqual([]);
  expect(await rows("SELECT id, live, writing FROM aggregate_generations")).toEqual([{ id: 1, live: 1, writing: 1 }]);
  for (const table of GENERATION_TABLES) {
    expect(await rows(`SELECT generation, day FROM ${table} WHERE generation <> 1`), table).toEqual([]);
  }
  expect(await rows("SELECT * FROM replay_segments")).toEqual([]);
}

describe("rebuilding", () => {
  test("aggregates that were lost come back from the archive as they were, from segments and parts", async () => {
    await network();
    const before = await aggregates();
    expect(before.daily.length).toBe(3);
    await loseAggregates();
    const id = await start();
    expect(await finish(id)).toBe("done");
    expect(await aggregates()).toEqual(before);
    expect(await readReplay(env.DB, id)).toMatchObject({ status: "done", segments_total: 5, segments_filled: 5, damaged_json: "[]" });
    await expectTidy();
  });

  test("sums that are too high or too low become right, and a second replay changes nothing", async () => {
    await network();
    const before = await aggregates();
    await env.DB.batch([
      env.DB.prepare("UPDATE plays_hourly SET plays_count = plays_count + 5"),
      env.DB.prepare("UPDATE proof_of_play_aggregate_daily SET billable_count = 0"),
      env.DB.prepare("UPDATE device_activity_daily SET plays_count = 99"),
      env.DB.prepare("UPDATE plays_daily_by_content SET plays_count = 0"),
      env.DB.prepare("UPDATE plays_daily_by_store SET total_duration_ms = 0"),
    ]);
    expect(await finish(await start())).toBe("done");
    expect(await aggregates()).toEqual(before);
    expect(await finish(await start())).toBe("done");
    expect(await aggregates()).toEqual(before);
    await expectTidy();
  });

  test("only days in the range are touched", async () => {
    await network();
    await env.DB.prepare("UPDATE plays_hourly SET plays_count = 0").run();
    await rollUp(env.DB, NOW());
    expect(await finish(await start({ from: day(3), to: day(3) }))).toBe("done");
    expect(await reported()).toEqual({ [day(3)]: 4, [day(2)]: 0, [day(0)]: 0 });
    await expectTidy();
  });

  test("a day whose hourly rows were retired is exact before, while and after it changes over, and takes late plays", async () => {
    await network();
    await rollUp(env.DB, NOW());
    await env.DB.batch([
      env.DB.prepare("DELETE FROM plays_hourly WHERE day = ?").bind(day(3)),
      env.DB.prepare("UPDATE aggregate_days SET hourly_retired_at = 1 WHERE day = ?").bind(day(3)),
    ]);
    const expected = { [day(3)]: 4, [day(2)]: 2, [day(0)]: 6 };
    expect(await reported()).toEqual(expected);
    const id = await start();
    await stepReplay(env, NOW(), { maxGroups: 1, maxGroupPlays: 1 });
    expect(await reported()).toEqual(expected);
    expect(await finish(id, { maxDays: 2 })).toBe("done");
    expect(await reported()).toEqual(expected);
    await recordMoved(device, queue, 1, { day: day(3) });
    expect(await reported()).toEqual({ ...expected, [day(3)]: 5 });
    await rollUp(env.DB, NOW());
    expect(await reported()).toEqual({ ...expected, [day(3)]: 5 });
  });

  test("a report is right after every single step", async () => {
    await network();
    const expected = { [day(3)]: 4, [day(2)]: 2, [day(0)]: 6 };
    const id = await start();
    const seen: string[] = [];
    for (let step = 0; step < 30; step++) {
      seen.push(await stepReplay(env, NOW(), { maxGroups: 1, maxGroupPlays: 1, maxDays: 1 }));
      expect(await reported()).toEqual(expected);
      await rollUp(env.DB, NOW());
      expect(await reported()).toEqual(expected);
    }
    expect((await readReplay(env.DB, id)).status).toBe("done");
    expect(seen.filter((step) => step === "filling").length).toBe(4);
    expect(seen.filter((step) => step === "changing over").length).toBeGreaterThan(3);
  });
});

describe("while plays keep coming", () => {
  test("a play recorded at any moment of the replay is counted once", async () => {
    await network();
    await loseAggregates();
    const id = await start();
    let recorded = 0;
    for (let step = 0; step < 30; step++) {
      await recordMoved(device, queue, 1, { day: day(step % 2 === 0 ? 3 : 2) });
      recorded += 1;
      await stepReplay(env, NOW(), { maxGroups: 1, maxGroupPlays: 1, maxDays: 1 });
      if ((await readReplay(env.DB, id)).status === "done") break;
    }
    const report = await reported();
    expect((report[day(3)] ?? 0) + (report[day(2)] ?? 0) + (report[day(0)] ?? 0)).toBe(12 + recorded);
    expect(report[day(0)]).toBe(6);
    await expectTidy();
    expect(await finish(await start())).toBe("done");
    expect(await reported()).toEqual(report);
  });

  test("a play recorded just before any one transaction of the replay is counted once", async () => {
    await network();
    const before = await reported();
    const late: Awaited<ReturnType<typeof sendChunks>>[] = [];
    for (let n = 0; n < 12; n++) late.push(await sendChunks(device, queue, 1, { day: day(3) }));
    let batches = 0;
    const db = new Proxy(env.DB, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (name !== "batch") return value.bind(target);
        return async (statements: D1PreparedStatement[]) => {
          await deliver(late[batches++] ?? []);
          return await target.batch(statements);
        };
      },
    });
    await start();
    while ((await stepReplay({ ...env, DB: db }, NOW())) !== "done");
    expect(batches).toBeGreaterThan(6);
    expect(await reported()).toEqual({ ...before, [day(3)]: (before[day(3)] ?? 0) + Math.min(batches, late.length) });
    await expectTidy();
    const narrow = await aggregates();
    await rollUp(env.DB, NOW());
    expect(await aggregates()).toEqual(narrow);
  });

  test("a message redelivered during a replay is counted no second time", async () => {
    const bodies = await sendChunks(device, queue, 3, { day: day(0) });
    await deliver(bodies);
    await loseAggregates();
    const id = await start();
    await deliver(bodies);
    await stepReplay(env, NOW(), { maxGroups: 1 });
    await deliver(bodies);
    expect(await finish(id)).toBe("done");
    await deliver(bodies);
    expect(await reported()).toEqual({ [day(0)]: 3 });
  });

  test("segments recorded during a replay are taken by the next one", async () => {
    await network();
    const first = await start();
    await recordMoved(device, queue, 2, { day: day(0) });
    expect(await finish(first)).toBe("done");
    expect((await segments()).at(-1)?.generation).toBe(2);
    await loseAggregates();
    const second = await start();
    expect((await readReplay(env.DB, second)).generation).toBe(3);
    expect(await finish(second)).toBe("done");
    expect((await reported())[day(0)]).toBe(8);
  });

  test("compaction in the middle of a replay changes nothing", async () => {
    await network();
    const before = await aggregates();
    await loseAggregates();
    const id = await start();
    await stepReplay(env, NOW(), { maxGroups: 3, maxGroupPlays: 1 });
    await compact(env, NOW() + 2 * HOUR_MS);
    expect(await finish(id)).toBe("done");
    expect(await aggregates()).toEqual(before);
  });
});

describe("faults", () => {
  test.each(["before", "after"] as const)("D1 fails %s each write in turn: the next step goes on, and the sums are right", async (when) => {
    await network();
    const before = await aggregates();
    await loseAggregates();
    const id = await start();
    const options = { maxGroups: 2, maxGroupPlays: 4, maxDays: 2 };
    let failures = 0;
    for (let step = 0; step < 60 && (await readReplay(env.DB, id)).status === "filling"; step++) {
      await stepReplay(withFault("DB.batch", when, 1), NOW(), options).catch(() => {
        failures += 1;
      });
      await stepReplay(env, NOW(), { maxGroups: 1, maxGroupPlays: 1, maxDays: 1 });
    }
    expect(failures).toBeGreaterThan(3);
    expect((await readReplay(env.DB, id)).status).toBe("done");
    expect(await aggregates()).toEqual(before);
    await expectTidy();
  });

  test("two runs at once, again and again, fill and change over once", async () => {
    await network();
    const before = await aggregates();
    await loseAggregates();
    const id = await start();
    for (let round = 0; round < 30 && (await readReplay(env.DB, id)).status === "filling"; round++) {
      const options = { maxGroups: 2, maxGroupPlays: round % 3, maxDays: 2 };
      await Promise.all([stepReplay(env, NOW(), options), stepReplay(env, NOW(), options), stepReplay(env, NOW(), { maxDays: 1 })]);
    }
    expect((await readReplay(env.DB, id)).status).toBe("done");
    expect(await aggregates()).toEqual(before);
    await expectTidy();
  });

  test("a run that comes late does not miss the plays of days that another one let change over", async () => {
    await network();
    const id = await start();
    expect(await stepReplay(env, NOW(), { maxDays: 2 })).toBe("changing over");
    expect(await findUnarchived(env.DB, (await readReplay(env.DB, id)).generation, day(4), day(-1))).toEqual([]);
    expect(await finish(id)).toBe("done");
    expect((await reported())[day(3)]).toBe(4);
  });

  test("a damaged and a missing segment are named, nothing changes over, and once they are back a new replay does", async () => {
    await network();
    const before = await aggregates();
    await env.DB.prepare("UPDATE plays_hourly SET plays_count = plays_count + 1").run();
    const wrong = await aggregates();
    const [open, last] = (await segments()).filter(({ compacted_at }) => compacted_at === null);
    if (!open || !last) throw new Error("no segments");
    const [first, second] = [await env.BUCKET.get(open.r2_key), await env.BUCKET.get(last.r2_key)];
    const [firstBytes, secondBytes] = [await first?.arrayBuffer(), await second?.arrayBuffer()];
    if (!firstBytes || !secondBytes) throw new Error("no objects");
    await damageObject(open.r2_key);
    await env.BUCKET.delete(last.r2_key);
    const id = await start();
    expect(await finish(id)).toBe("incomplete");
    expect(JSON.parse((await readReplay(env.DB, id)).damaged_json)).toEqual([
      { segment_id: open.id, r2_key: open.r2_key, problem: "damaged" },
      { segment_id: last.id, r2_key: last.r2_key, problem: "missing" },
    ]);
    expect(await readReplay(env.DB, id)).toMatchObject({ segments_total: 5, segments_filled: 3 });
    expect(await aggregates()).toEqual(wrong);
    await expectTidy();
    await env.BUCKET.put(open.r2_key, firstBytes);
    await env.BUCKET.put(last.r2_key, secondBytes);
    expect(await finish(await start())).toBe("done");
    expect(await aggregates()).toEqual(before);
  });

  test("a damaged part is named for each of its segments", async () => {
    await network();
    const part = await env.DB.prepare("SELECT r2_key FROM archive_parts").first<{ r2_key: string }>();
    await damageObject(part?.r2_key ?? "");
    const id = await start();
    expect(await finish(id)).toBe("incomplete");
    const named = JSON.parse((await readReplay(env.DB, id)).damaged_json) as { r2_key: string; problem: string }[];
    expect(named.map(({ r2_key, problem }) => ({ r2_key, problem }))).toEqual(Array(3).fill({ r2_key: part?.r2_key, problem: "damaged" }));
  });

  test("a day with plays of which the archive has none is named, and no day changes over", async () => {
    await network();
    await env.DB.prepare("DELETE FROM segments WHERE first_day = ? AND last_day = ?").bind(day(2), day(2)).run();
    const before = await aggregates();
    const id = await start();
    expect(await finish(id)).toBe("incomplete");
    const named = JSON.parse((await readReplay(env.DB, id)).damaged_json) as Record<string, unknown>[];
    expect(named).toEqual([
      { day: day(2), problem: "no archive", plays_count: 2 },
      { chunk_id: expect.stringContaining(device.id), problem: "no segment", plays_count: 2 },
    ]);
    expect(await aggregates()).toEqual(before);
  });

  test("a recorded chunk that no segment holds is named where a day would lose its plays", async () => {
    await network();
    await env.DB.prepare("DELETE FROM segments WHERE id = (SELECT min(id) FROM segments)").run();
    const id = await start();
    expect(await finish(id)).toBe("incomplete");
    expect(JSON.parse((await readReplay(env.DB, id)).damaged_json)).toEqual([
      { chunk_id: expect.stringContaining(device.id), problem: "no segment", plays_count: 3 },
    ]);
    expect((await reported())[day(3)]).toBe(4);
  });

  test("an abandoned replay leaves the aggregates as they are, takes no more, and the next one starts anew", async () => {
    await network();
    const before = await aggregates();
    const id = await start();
    await stepReplay(env, NOW(), { maxGroups: 2, maxGroupPlays: 1 });
    expect(await abandonReplay(env.DB, id, "tester", NOW())).toMatchObject({ status: "abandoned", segments_filled: 2 });
    expect(await stepReplay(env, NOW())).toBe("nothing to do");
    expect(await aggregates()).toEqual(before);
    await expectTidy();
    await loseAggregates();
    expect(await finish(await start())).toBe("done");
    expect(await aggregates()).toEqual(before);
  });
});

describe("the API", () => {
  const post = (body: unknown, headers = {}) => admin("POST", "/v1/admin/pipeline/replay", body, headers);

  test("a replay is begun, shown, and ends as done; one audit row tells of it", async () => {
    await network();
    await loseAggregates();
    const started = await post({ from: day(4), to: day(0) });
    expect(started.status).toBe(202);
    expect(started.body).toMatchObject({ status: "filling", from_day: day(4), to_day: day(0), requested_by: "admin-token" });
    await finish(String(started.body.id));
    const shown = await admin("GET", `/v1/admin/pipeline/replays/${started.body.id}`);
    expect(shown.body).toMatchObject({ status: "done", segments_total: 5, segments_filled: 5, damaged: [], ended_at: expect.any(String) });
    expect((await admin("GET", "/v1/admin/pipeline/replays")).body).toEqual({ items: [shown.body], next_cursor: null });
    expect(await reported()).toEqual({ [day(3)]: 4, [day(2)]: 2, [day(0)]: 6 });
    const { results } = await env.DB.prepare("SELECT action, actor_user_id, details_json FROM audit_log WHERE target_id = ?")
      .bind(String(started.body.id))
      .all();
    expect(results).toEqual([
      { action: "replay.start", actor_user_id: "admin-token", details_json: JSON.stringify({ from: day(4), to: day(0) }) },
    ]);
  });

  test("ranges that are none, too long or without an archive are refused, and write nothing", async () => {
    await network();
    expect(await post({ from: day(1), to: day(2) })).toMatchObject({ status: 400, body: { errors: [{ pointer: "/to" }] } });
    expect(await post({ from: day(92), to: day(0) })).toMatchObject({ status: 400, body: { errors: [{ pointer: "/to" }] } });
    expect(await post({ from: "yesterday", to: day(0) })).toMatchObject({ status: 400, body: { errors: [{ pointer: "/from" }] } });
    expect(await post({ from: day(91), to: day(80) })).toMatchObject({ status: 422, body: { code: "NO_ARCHIVE" } });
    expect(await rows("SELECT * FROM replays")).toEqual([]);
    expect(await rows("SELECT id FROM aggregate_generations")).toEqual([{ id: 1 }]);
  });

  test("a range of 92 days is taken, and a second replay is refused while the first runs", async () => {
    await network();
    const id = await start({ from: day(91), to: day(0) });
    expect(await post({ from: day(3), to: day(0) })).toMatchObject({ status: 409, body: { code: "REPLAY_RUNNING" } });
    expect((await admin("POST", `/v1/admin/pipeline/replays/${id}/abandon`)).body).toMatchObject({ id, status: "abandoned" });
    expect(await admin("POST", `/v1/admin/pipeline/replays/${id}/abandon`)).toMatchObject({ status: 409, body: { code: "REPLAY_ENDED" } });
    expect(await rows(`SELECT action FROM audit_log WHERE target_id = '${id}' ORDER BY id`)).toEqual([
      { action: "replay.start" },
      { action: "replay.abandon" },
    ]);
    expect((await admin("GET", `/v1/admin/pipeline/replays/${crypto.randomUUID()}`)).status).toBe(404);
  });

  test("the same Idempotency-Key begins one replay", async () => {
    await network();
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const first = await post({ from: day(3), to: day(0) }, headers);
    const again = await post({ from: day(3), to: day(0) }, headers);
    expect([first.status, again.status, again.body]).toEqual([202, 202, first.body]);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    await finish(String(first.body.id));
    expect((await rows("SELECT id FROM replays")).length).toBe(1);
  });
});
