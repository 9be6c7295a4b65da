import { parseInstant } from "../../platform/time.ts";
import { MAX_EXPECTED_MS, MAX_SLOT_ID_CHARS } from "../limits.ts";
import { PLAY_STATUSES, type PlayLog, type PlayStatus } from "../play.ts";

/**
 * The shape of a playback log, read by hand: what nearly every record has, a tenth of the schema's cost. It may only say yes where the schema
 * in `playback-log.ts` says yes, with the same log; for everything else, also what it merely does not know, it says nothing and the schema
 * decides. A property test holds the two together.
 */
export function readFast(record: unknown): { deviceId: string; log: PlayLog } | null {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return null;
  const r = record as Record<string, unknown>;
  const { device_id, content_id, started_at, ended_at, status } = r;
  if (!isUuid(device_id) || !isUuid(content_id) || typeof status !== "string") return null;
  if (typeof started_at !== "string" || typeof ended_at !== "string") return null;
  // Rare fields are left to the schema.
  if (r.duration_seconds !== undefined || r.content_version !== undefined || r.screenshot_hash !== undefined) return null;
  if (r.location !== undefined || r.metadata !== undefined) return null;
  if (!isOptionalUuid(r.log_id) || !isOptionalUuid(r.campaign_id) || !isOptionalUuid(r.ad_group_id)) return null;
  if (!isOptionalUuid(r.playlist_id) || !isOptionalUuid(r.epoch)) return null;
  if (!isOptionalText(r.slot_id) || !isOptionalText(r.checksum) || !isOptionalText(r.signature)) return null;
  if (typeof r.slot_id === "string" && r.slot_id.length > MAX_SLOT_ID_CHARS) return null;
  const startedAt = parseInstant(started_at);
  const endedAt = parseInstant(ended_at);
  if (startedAt === null || endedAt === null || !STATUSES.has(status)) return null;
  if (typeof r.duration_actual !== "number" || !Number.isFinite(r.duration_actual)) return null;
  const expected = r.duration_expected;
  if (expected !== undefined && (typeof expected !== "number" || !Number.isFinite(expected))) return null;
  const sequence = r.sequence;
  if (sequence !== undefined && (typeof sequence !== "number" || !Number.isSafeInteger(sequence) || sequence < 1)) return null;
  return {
    deviceId: device_id,
    log: {
      id: r.log_id ?? "",
      campaignId: r.campaign_id ?? "",
      adGroupId: r.ad_group_id ?? "",
      contentId: content_id,
      contentVersion: "",
      playlistId: r.playlist_id ?? "",
      slotId: r.slot_id ?? "",
      type: "PLAY",
      startedAt,
      endedAt,
      durationMs: Math.round(r.duration_actual * 1000),
      deviceExpectedMs: expected === undefined ? null : Math.min(Math.max(Math.round(expected * 1000), 0), MAX_EXPECTED_MS),
      status: status as PlayStatus,
      epoch: r.epoch ?? "0",
      sequence: sequence ?? null,
      location: null,
    },
  };
}

const STATUSES = new Set<string>(PLAY_STATUSES);
/** Lower case only, and of a version that there is: what is left out here, the schema judges. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

function isOptionalUuid(value: unknown): value is string | undefined {
  return value === undefined || isUuid(value);
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
