import { z } from "@hono/zod-openapi";
import { givenEtag } from "../plans/give.ts";
import { readKeptPlan } from "../plans/serve.ts";
import { Problem } from "../platform/errors.ts";
import { sha256Field } from "../platform/fields.ts";
import { describeError, pointerOf, validationProblem } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { DAY_MS, parseInstant, SECOND_MS, toIso } from "../platform/time.ts";
import { doorPolicy } from "../plays/policy.ts";
import { COMMAND_TYPES, type OpenCommand } from "./commands.ts";
import { type Heartbeat, heartbeatIntervalMs } from "./heartbeat.ts";
import type { HeartbeatAnswer } from "./heartbeat-desk.ts";
import { MAX_RESULTS_PER_HEARTBEAT, MAX_TEXT_CHARS, RESULT_DETAIL_CUT_CHARS, RESULT_DETAIL_MAX_BYTES } from "./heartbeat-limits.ts";
import type { GroupPolicy } from "./policy.ts";
import type { CommandResult } from "./report.ts";
import { superseded, unknownDevice } from "./standing.ts";

// What a heartbeat and its answer look like, over HTTP and on a stream.

const PLAN_WAIT_MS = 500;
const MAX_COUNTERS = 32;
const MAX_ETAG_CHARS = 200;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

// Unknown members are let through unread: players are older and newer than the server.
const nowPlayingSchema = z
  .object({
    content_id: z.uuid().nullish(),
    content_version: sha256Field.nullish(),
    campaign_id: z.uuid().nullish(),
    playlist_id: z.uuid().nullish(),
    slot_id: z.string().max(128).nullish(),
    started_at: z.iso.datetime({ offset: true }).nullish(),
    duration_s: z
      .number()
      .min(0)
      .max(DAY_MS / SECOND_MS)
      .nullish()
      .meta({ description: "How long the item lasts: playing is stuck after three of these, and 15 min at least." }),
  })
  .openapi("NowPlaying");

/** What became of a command. */
export const resultFields = {
  status: z.enum(["done", "failed"]),
  detail: z.record(z.string(), z.unknown()).nullish().meta({ description: "Up to 2,000 bytes; cut where it is longer." }),
};

export const heartbeatSchema = z
  .object({
    device_time: z.string().meta({ description: "Now, by the device's clock (RFC 3339)." }),
    now_playing: nowPlayingSchema.nullable(),
    disk_used_bytes: count,
    disk_total_bytes: count.nullish(),
    plan_etag: z.string().max(MAX_ETAG_CHARS).nullable().meta({ description: "Of the plan that is played; null without one." }),
    last_error: z
      .string()
      .nullish()
      .meta({ description: `Cut to ${MAX_TEXT_CHARS} characters.` }),
    counters: z
      .record(z.string().max(64), count)
      .refine((counters) => Object.keys(counters).length <= MAX_COUNTERS, `names over ${MAX_COUNTERS} counters`)
      .meta({ description: "Numbers that only grow. `restarts` and `download_failures` are watched.", example: { restarts: 3 } }),
    player_version: z.string().max(64).nullish(),
    command_results: z
      .array(z.object({ id: z.uuid().toLowerCase(), ...resultFields }))
      .max(MAX_RESULTS_PER_HEARTBEAT)
      .nullish()
      .meta({ description: "What became of commands. Sent again until the command is no longer among the answer's." }),
  })
  .openapi("Heartbeat");

const shownCommandSchema = z.object({
  id: z.uuid(),
  type: z.enum(COMMAND_TYPES),
  params: z.record(z.string(), z.unknown()),
  created_at: z.iso.datetime({ precision: 3 }),
  expires_at: z.iso.datetime({ precision: 3 }),
});

export const heartbeatAnswerSchema = z
  .object({
    server_time: z.iso.datetime({ precision: 3 }),
    clock_offset_ms: z.int().meta({ description: "Device − server." }),
    plan_etag: z.string().nullable().meta({ description: "Of the plan as it is now; null: fetch it to find out, with If-None-Match." }),
    epoch: z.string(),
    expected_sequence: z.int(),
    commands: z.array(shownCommandSchema),
    policy: z.object({
      heartbeat_interval_s: z.int(),
      storage_cap_bytes: z.int().nullable(),
      requests_per_minute: z.int(),
      signature: z.enum(["required", "optional"]),
      batch_signature: z.boolean(),
    }),
    next_heartbeat_s: z.int(),
  })
  .openapi("HeartbeatAnswer");

/** What the device's object answers to a heartbeat: with where it stands in the device's numbers. */
export type AskedHeartbeat = HeartbeatAnswer & { epoch: string; expectedSequence: number };
type TakenHeartbeat = Extract<AskedHeartbeat, { kind: "taken" }>;

/** Reads a heartbeat. `receivedAt` in ms. @throws Problem `validation-error` that names the field */
export function readHeartbeat(body: unknown, receivedAt: number): Heartbeat {
  const parsed = heartbeatSchema.safeParse(body);
  if (!parsed.success) throw validationProblem(parsed.error);
  const { now_playing, disk_total_bytes, plan_etag, last_error, counters, player_version, command_results, ...beat } = parsed.data;
  const deviceTime = parseInstant(beat.device_time);
  if (deviceTime === null) {
    const pointer = pointerOf(["device_time"]);
    const detail = "must be an RFC 3339 date-time";
    throw new Problem("validation-error", `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
  }
  return {
    receivedAt,
    deviceTime,
    nowPlaying: now_playing,
    itemMs: typeof now_playing?.duration_s === "number" ? now_playing.duration_s * SECOND_MS : null,
    diskUsedBytes: beat.disk_used_bytes,
    diskTotalBytes: disk_total_bytes ?? null,
    planEtag: plan_etag,
    lastError: last_error ? cut(last_error, MAX_TEXT_CHARS) : null,
    counters,
    playerVersion: player_version ?? null,
    results: (command_results ?? []).map(({ id, status, detail }) => commandResult(id, status, detail ?? null, receivedAt)),
  };
}

/** A command's result as it is kept. `at` in ms. */
export function commandResult(
  id: string,
  status: CommandResult["status"],
  detail: Record<string, unknown> | null,
  at: number,
): CommandResult {
  return { id, status, detail: shortDetail(detail), at };
}

/** What a player says at too great length must not cost it the heartbeat: it would be taken for offline, and say the same again. */
function shortDetail(detail: Record<string, unknown> | null): Record<string, unknown> | null {
  const text = JSON.stringify(detail);
  return Buffer.byteLength(text) <= RESULT_DETAIL_MAX_BYTES ? detail : { cut: cut(text, RESULT_DETAIL_CUT_CHARS) };
}

/** The first characters of a text, without half of one that takes two. */
function cut(text: string, chars: number): string {
  return text.slice(0, chars).replace(/[\ud800-\udbff]$/, "");
}

/** The answer to a heartbeat that was taken at `receivedAt` (ms). */
export function showHeartbeatAnswer(
  answer: TakenHeartbeat,
  planEtag: string | null,
  receivedAt: number,
): z.input<typeof heartbeatAnswerSchema> {
  const { clockOffsetMs, commands, policy, epoch, expectedSequence } = answer;
  return {
    server_time: toIso(receivedAt),
    clock_offset_ms: clockOffsetMs,
    plan_etag: planEtag,
    epoch,
    expected_sequence: expectedSequence,
    commands: commands.map(showCommand),
    policy: shownPolicy(policy),
    next_heartbeat_s: heartbeatIntervalMs(policy) / SECOND_MS,
  };
}

/** A command as its device is told of it. */
export function showCommand({ id, type, params, createdAt, expiresAt }: OpenCommand): z.input<typeof shownCommandSchema> {
  return { id, type, params, created_at: toIso(createdAt), expires_at: toIso(expiresAt) };
}

/** The ETag of the device's plan where it can be given without more ado; null too where D1 does not say in time. */
export async function findPlanEtag(db: D1Database, deviceId: string, now: number): Promise<string | null> {
  try {
    const kept = await withTimeout(readKeptPlan(db, deviceId), PLAN_WAIT_MS, "plan look-up");
    return kept && givenEtag(kept, now);
  } catch (error) {
    log("warn", "plan not asked", { error: describeError(error) });
    return null;
  }
}

function shownPolicy(policy: GroupPolicy): z.infer<typeof heartbeatAnswerSchema>["policy"] {
  const { signatureRequired, batchSignature, requestsPerMinute } = doorPolicy("playback-log", policy);
  return {
    heartbeat_interval_s: heartbeatIntervalMs(policy) / SECOND_MS,
    storage_cap_bytes: policy.storage_cap_bytes ?? null,
    requests_per_minute: requestsPerMinute,
    signature: signatureRequired ? "required" : "optional",
    batch_signature: batchSignature,
  };
}

/** The problem for a heartbeat that is not taken. */
export function heartbeatRefusal(answer: Exclude<HeartbeatAnswer, { kind: "taken" }>): Problem {
  switch (answer.kind) {
    case "unknown-device":
      return unknownDevice();
    case "superseded":
      return superseded();
    case "revoked":
      return new Problem("device-revoked", "The device was revoked; it is not heard any more.");
    case "unavailable":
      return new Problem("service-unavailable", "The heartbeat cannot be taken now.", {
        headers: { "Retry-After": String(answer.retryAfterS) },
      });
  }
}
