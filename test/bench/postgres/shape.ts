const uuid = { type: "string", format: "uuid" } as const;
const sha256 = { type: "string", pattern: "^[0-9a-fA-F]{64}$" } as const;
const instant = { type: "string", format: "date-time" } as const;

/** A playback log's shape, for Fastify's own validator (Ajv, compiled). */
export const logSchema = {
  type: "object",
  required: ["log_id", "device_id", "content_id", "started_at", "ended_at", "duration_actual", "status"],
  properties: {
    log_id: uuid,
    device_id: uuid,
    campaign_id: uuid,
    ad_group_id: uuid,
    content_id: uuid,
    content_version: sha256,
    playlist_id: uuid,
    slot_id: { type: "string", maxLength: 128 },
    started_at: instant,
    ended_at: instant,
    duration_actual: { type: "number" },
    duration_expected: { type: "number" },
    status: { type: "string", enum: ["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"] },
    sequence: { type: "integer", minimum: 1 },
    epoch: uuid,
    location: { type: "object", required: ["lat", "lng"], properties: { lat: { type: "number" }, lng: { type: "number" } } },
    screenshot_hash: sha256,
    metadata: { type: "object" },
    checksum: { type: "string" },
    signature: { type: "string" },
  },
} as const;
