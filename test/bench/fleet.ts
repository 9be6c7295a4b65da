import { createHash } from "node:crypto";

/** How large the network of a run is. */
export interface FleetShape {
  devices: number;
  stores: number;
  contents: number;
  /** A content belongs to one campaign: `contents` should be a multiple of it. */
  campaigns: number;
}

export type FleetKind =
  | "supplier"
  | "store"
  | "group"
  | "campaign"
  | "content"
  | "version"
  | "device"
  | "family"
  | "playlist"
  | "item"
  | "schedule";

/**
 * The id of a thing of the bench's network: always the same, so that signed logs may be kept between runs.
 * Hashed, as real ids have no order that a B-tree could profit from.
 */
export function fleetId(kind: FleetKind, number: number): string {
  const hex = createHash("sha256").update(`alive-bench:${kind}:${number}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The secret that signs the devices' tokens in every system that is measured. */
export const DEVICE_TOKEN_SECRET = "stack-device-token-secret";

export const SPOT_MS = 15_000;

/** Which content a device shows as its n-th play of a set, and whose campaign it is. */
export function contentOf(shape: FleetShape, device: number, play: number): { content: number; campaign: number } {
  const content = (device * 7 + play) % shape.contents;
  return { content, campaign: content % shape.campaigns };
}

/** What a screen showed in so many hours is sent; one that has more plays than these hold is given shorter pauses than none. */
const SHOWN_WITHIN_MS = 20 * 3_600_000;

/** A log that is to be signed: of the `plays` that a screen showed until `lastEndsAt` (ms), the one with `after` others behind it. */
export function playOf(
  shape: FleetShape,
  device: number,
  play: { sequence: number; after: number; plays: number; lastEndsAt: number; id: string },
): Record<string, unknown> {
  const { content, campaign } = contentOf(shape, device, play.sequence);
  // Screens are not in step: each is up to five minutes behind the first.
  const phaseMs = ((device * 7919) % 300) * 1000;
  const stepMs = Math.min(SPOT_MS, Math.floor(SHOWN_WITHIN_MS / play.plays));
  const endedAt = play.lastEndsAt - phaseMs - play.after * stepMs;
  return {
    log_id: play.id,
    device_id: fleetId("device", device),
    campaign_id: fleetId("campaign", campaign),
    content_id: fleetId("content", content),
    started_at: new Date(endedAt - SPOT_MS).toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    duration_actual: SPOT_MS / 1000,
    duration_expected: SPOT_MS / 1000,
    status: "COMPLETED",
    sequence: play.sequence,
  };
}

/** When the last play ends: at twelve past an hour, the last such moment, so that plays fall into hours in the same way in every run. */
export function lastEndOf(now: number): number {
  const past = 12 * 60_000;
  return Math.floor((now - past - 60_000) / 3_600_000) * 3_600_000 + past;
}
