import { z } from "@hono/zod-openapi";
import { MAX_EXPECTED_MS } from "../limits.ts";
import { PLAY_STATUSES, type PlayLog } from "../play.ts";
import type { Dialect, ShapedRecord } from "./dialect.ts";
import { firstIssue, instant, optional, sha256, uuid } from "./fields.ts";

const upper = z.string().transform((text) => text.toUpperCase());

/** A proof event as a device sends it. Unknown fields are let through, and are part of what is signed. */
export const proofEventSchema = z.looseObject({
  event_id: optional(uuid),
  /** The token says whose event it is; where the record says so too, it must be the same. */
  device_id: optional(uuid),
  type: upper.pipe(z.enum(["PLAY_START", "PLAY_END"])),
  /** Of a PLAY_END: the `event_id` of its start. */
  play_id: optional(uuid),
  device_time_ts: instant,
  playlist_id: optional(uuid),
  campaign_id: optional(uuid),
  content_id: uuid,
  content_version: optional(sha256),
  /** Of a PLAY_END: how long the play lasted; else the time since its start. */
  duration_ms: optional(z.number()),
  /** Of a PLAY_END: how it ended; PARTIAL where it does not say. */
  result: optional(upper.pipe(z.enum(PLAY_STATUSES))),
  payload: optional(z.unknown()),
  sequence: optional(z.int().min(1)),
  epoch: optional(uuid),
  checksum: optional(z.string()),
  signature: optional(z.string()),
});

export const proofEvents: Dialect = {
  idField: "event_id",
  listField: "events",
  read: readProofEvent,
  errors: {
    VALIDATION_ERROR: "/duration_ms: is missing, and no start of this play is known",
    ID_CONFLICT: "The id was used for another record, or the play that play_id names has its end already.",
    INVALID_TIME_RANGE: "The play ends before its start.",
  },
};

/**
 * Reads a proof event. A start is the play of length 0 that it becomes where no end comes; an end that does not tell its duration has none
 * yet: the sequencer, which knows the start, completes it (`open-plays.ts`).
 */
export function readProofEvent(record: unknown, deviceId: string): ShapedRecord {
  const parsed = proofEventSchema.safeParse(record);
  if (!parsed.success) return firstIssue(parsed.error);
  const value = parsed.data;
  return { ok: true, deviceId: value.device_id ?? deviceId, log: value.type === "PLAY_START" ? startOf(value) : endOf(value) };
}

type ProofEvent = z.output<typeof proofEventSchema>;

function startOf(event: ProofEvent): PlayLog {
  const at = event.device_time_ts;
  return {
    ...common(event),
    type: "PLAY_START",
    startedAt: at,
    endedAt: at,
    durationMs: 0,
    status: "INTERRUPTED",
    event: { kind: "start", playlistId: event.playlist_id ?? "" },
  };
}

function endOf(event: ProofEvent): PlayLog {
  const { device_time_ts: endedAt, duration_ms, play_id = "" } = event;
  const durationMs = Math.round(duration_ms ?? 0);
  return {
    ...common(event),
    type: "PLAY_END",
    // Kept in bounds that can be stored; a duration beyond them is refused by the rules.
    startedAt: endedAt - Math.min(Math.max(durationMs, 0), MAX_EXPECTED_MS),
    endedAt,
    durationMs,
    status: event.result ?? "PARTIAL",
    event: { kind: "end", playId: play_id, timed: duration_ms !== undefined },
  };
}

function common(event: ProofEvent) {
  return {
    id: event.event_id ?? "",
    campaignId: event.campaign_id ?? "",
    adGroupId: "",
    contentId: event.content_id,
    contentVersion: event.content_version ?? "",
    playlistId: event.playlist_id ?? "",
    slotId: "",
    deviceExpectedMs: null,
    epoch: event.epoch ?? "0",
    sequence: event.sequence ?? null,
    location: null,
  };
}
