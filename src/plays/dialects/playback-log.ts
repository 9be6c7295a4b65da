import { z } from "@hono/zod-openapi";
import { MAX_EXPECTED_MS, MAX_SLOT_ID_CHARS } from "../limits.ts";
import { PLAY_STATUSES } from "../play.ts";
import type { ShapedRecord } from "./dialect.ts";
import { readFast } from "./fast-shape.ts";
import { firstIssue, instant, optional, sha256, uuid } from "./fields.ts";

// Shape means presence and type. The ranges of times and numbers are judged by the rules (`admit.ts`), so that a play
// that is wrong gets the reason that it deserves.

const status = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(PLAY_STATUSES));

/**
 * A playback log as a device sends it (also at the impression door and in stream frames). Unknown fields are let through:
 * they are kept with the record and are part of what is signed.
 */
export const playbackLogSchema = z
  .looseObject({
    log_id: optional(uuid),
    device_id: uuid,
    campaign_id: optional(uuid),
    ad_group_id: optional(uuid),
    content_id: uuid,
    content_version: optional(sha256),
    playlist_id: optional(uuid),
    slot_id: optional(z.string().max(MAX_SLOT_ID_CHARS)),
    started_at: instant,
    ended_at: instant,
    duration_actual: optional(z.number()),
    /** Another name of `duration_actual`. */
    duration_seconds: optional(z.number()),
    duration_expected: optional(z.number()),
    status,
    sequence: optional(z.int().min(1)),
    epoch: optional(uuid),
    location: optional(z.looseObject({ lat: z.number(), lng: z.number() })),
    screenshot_hash: optional(sha256),
    metadata: optional(z.record(z.string(), z.unknown())),
    checksum: optional(z.string()),
    signature: optional(z.string()),
  })
  .superRefine((record, context) => {
    if (record.duration_actual === undefined && record.duration_seconds === undefined) {
      context.addIssue({ code: "custom", path: ["duration_actual"], message: "is missing" });
    }
  });

/** Reads one record of a request. Never throws: what is wrong is told by field. */
export function readPlaybackLog(record: unknown): ShapedRecord {
  const fast = readFast(record);
  return fast ? { ok: true, ...fast } : readBySchema(record);
}

/** What the schema makes of a record: the rule that {@link readFast} only hastens. */
export function readBySchema(record: unknown): ShapedRecord {
  const parsed = playbackLogSchema.safeParse(record);
  if (!parsed.success) return firstIssue(parsed.error);
  const value = parsed.data;
  return {
    ok: true,
    deviceId: value.device_id,
    log: {
      id: value.log_id ?? "",
      campaignId: value.campaign_id ?? "",
      adGroupId: value.ad_group_id ?? "",
      contentId: value.content_id,
      contentVersion: value.content_version ?? "",
      playlistId: value.playlist_id ?? "",
      slotId: value.slot_id ?? "",
      type: "PLAY",
      startedAt: value.started_at,
      endedAt: value.ended_at,
      durationMs: toMs(value.duration_actual ?? value.duration_seconds ?? 0),
      // Kept in bounds that can be stored; what is beyond them differs from every real duration all the same.
      deviceExpectedMs:
        value.duration_expected === undefined ? null : Math.min(Math.max(toMs(value.duration_expected), 0), MAX_EXPECTED_MS),
      status: value.status,
      epoch: value.epoch ?? "0",
      sequence: value.sequence ?? null,
      location: value.location ? { lat: value.location.lat, lng: value.location.lng } : null,
    },
  };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
