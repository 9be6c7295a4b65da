import type { Device } from "../../api/schema.ts";
import { span } from "../../parts/format.ts";
import type { StateValue } from "../../parts/state.tsx";

export interface DeviceState {
  value: StateValue;
  word: string;
}

/** How a device stands, as far as the registry knows (heartbeats reach it within ten minutes, silence within one). Pure. */
export function deviceState({ status, offline_at, last_seen_at }: Pick<Device, "status" | "offline_at" | "last_seen_at">): DeviceState {
  if (status === "unpaired") return { value: "unknown", word: "Not paired" };
  if (status === "revoked") return { value: "unknown", word: "Revoked" };
  if (offline_at !== null) return { value: "bad", word: "Offline" };
  return last_seen_at === null ? { value: "warn", word: "Never seen" } : { value: "ok", word: "Online" };
}

const CLOCK_EXACT_WITHIN_MS = 50;

/** How a clock goes: "0.2 s fast", "3 min slow", "exact". `offsetMs` is device − server. Pure. */
export function clockWords(offsetMs: number): string {
  if (Math.abs(offsetMs) < CLOCK_EXACT_WITHIN_MS) return "exact";
  const size = Math.abs(offsetMs);
  const words = size < 1000 ? `${(size / 1000).toFixed(1)} s` : span(size);
  return `${words} ${offsetMs > 0 ? "fast" : "slow"}`;
}

const CLOCK_WARN_MS = 10 * 60_000;
const CLOCK_BAD_MS = 30 * 60_000;

/** Over 10 min plays lose quality, over 30 min they are refused. Pure. */
export function clockState(offsetMs: number): StateValue {
  const size = Math.abs(offsetMs);
  return size > CLOCK_BAD_MS ? "bad" : size > CLOCK_WARN_MS ? "warn" : "ok";
}

/** What a heartbeat said, as far as it is of the known shape: players are older and newer than this page. */
export interface HeartbeatFacts {
  contentId: string | null;
  playingSince: string | null;
  diskUsedBytes: number | null;
  diskTotalBytes: number | null;
  planEtag: string | null;
  lastError: string | null;
  clockOffsetMs: number | null;
  counters: Record<string, number>;
}

/** Reads a device's `heartbeat`. Pure. */
export function factsOf(heartbeat: Record<string, unknown> | null): HeartbeatFacts {
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  const playing = record(heartbeat?.now_playing);
  const counters = Object.entries(record(heartbeat?.counters)).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return {
    contentId: text(playing.content_id),
    playingSince: text(playing.started_at),
    diskUsedBytes: number(heartbeat?.disk_used_bytes),
    diskTotalBytes: number(heartbeat?.disk_total_bytes),
    planEtag: text(heartbeat?.plan_etag),
    lastError: text(heartbeat?.last_error),
    clockOffsetMs: number(heartbeat?.clock_offset_ms),
    counters: Object.fromEntries(counters),
  };
}

/** `player_version` → `Player version`. Pure. */
export function factName(key: string): string {
  const words = key.replaceAll("_", " ");
  return words === "os" ? "OS" : words.charAt(0).toUpperCase() + words.slice(1);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

const STORAGE_FULL_SHARE = 0.9;

/** How full a disk is, from 0 to 1; null where that was not told. Pure. */
export function diskShare({ diskUsedBytes, diskTotalBytes }: Pick<HeartbeatFacts, "diskUsedBytes" | "diskTotalBytes">): number | null {
  return diskUsedBytes === null || !diskTotalBytes ? null : diskUsedBytes / diskTotalBytes;
}

export function diskState(share: number): StateValue {
  return share > STORAGE_FULL_SHARE ? "warn" : "ok";
}
