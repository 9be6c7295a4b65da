import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { findLags, type PipelineMeasures, watchPipeline } from "../../src/monitoring/pipeline-lag.ts";
import { MINUTE_MS } from "../../src/platform/time.ts";
import { incidentsOf } from "../support/heartbeats.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");
const ago = (minutes: number) => NOW - minutes * MINUTE_MS;
const WELL: PipelineMeasures = { queues: { "play-events": null }, oldestPushAt: null, recordedAt: ago(60), sweep: null };

beforeEach(async () => {
  await env.DB.batch(["incidents", "profile_pushes", "job_runs", "segments"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});

test.each<[string, Partial<PipelineMeasures>, string[]]>([
  ["nothing waits", {}, []],
  ["a message for 15 min", { queues: { "play-events": ago(15) } }, []],
  ["a message for over 15 min", { queues: { "play-events": ago(16), other: ago(1) } }, ["play-events"]],
  ["a push for over 15 min", { oldestPushAt: ago(16) }, ["profile-pushes"]],
  ["outboxes that hold nothing", { sweep: { at: ago(30), heldPlays: 0 } }, []],
  ["outboxes that were seen to hold plays just now", { sweep: { at: ago(15), heldPlays: 3 } }, []],
  ["outboxes that held plays, and nothing was recorded since", { sweep: { at: ago(16), heldPlays: 3 } }, ["outboxes"]],
  ["outboxes that held plays, and something was recorded since", { sweep: { at: ago(16), heldPlays: 3 }, recordedAt: ago(15) }, []],
  ["nothing was ever recorded", { sweep: { at: ago(16), heldPlays: 3 }, recordedAt: null }, ["outboxes"]],
])("%s", (_, changes, parts) => {
  expect(findLags({ ...WELL, ...changes }, NOW).map(({ part }) => part)).toEqual(parts);
});

test("the incident opens while something lags, once, and resolves when nothing does", async () => {
  await env.DB.prepare("INSERT INTO profile_pushes (device_id, created_at) VALUES ('d', ?)").bind(ago(20)).run();
  expect(await watchPipeline(env, NOW)).toEqual([{ part: "profile-pushes", since: "2026-11-21T09:40:00.000Z" }]);
  await watchPipeline(env, NOW + MINUTE_MS);
  expect(await incidentsOf("")).toEqual([{ type: "PIPELINE_LAG", open: true }]);
  await env.DB.prepare("UPDATE profile_pushes SET acknowledged_at = 1").run();
  expect(await watchPipeline(env, NOW + 2 * MINUTE_MS)).toEqual([]);
  expect(await incidentsOf("")).toEqual([{ type: "PIPELINE_LAG", open: false }]);
});

test("what the last sweep found is read from its run", async () => {
  await env.DB.prepare("INSERT INTO job_runs (job, ran_at, ok, result_json) VALUES ('sweep outboxes', ?, 1, ?)")
    .bind(ago(20), JSON.stringify({ waiting_plays: 2, unconfirmed_plays: 3 }))
    .run();
  expect(await watchPipeline(env, NOW)).toEqual([{ part: "outboxes", since: null, held_plays: 5 }]);
});

test("other incidents of no device are left alone", async () => {
  await env.DB.prepare("INSERT INTO incidents (id, type, severity, created_at) VALUES ('a', 'ARCHIVE_MISMATCH', 'high', 1)").run();
  await watchPipeline(env, NOW);
  expect(await incidentsOf("")).toEqual([{ type: "ARCHIVE_MISMATCH", open: true }]);
});
