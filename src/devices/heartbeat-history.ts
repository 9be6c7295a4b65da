import { DAY_MS } from "../platform/time.ts";
import { REPORT_EVERY_MS } from "./heartbeat-limits.ts";

/** How far back a device's object knows what its heartbeats said. */
export const HISTORY_KEPT_MS = DAY_MS;
const MAX_SILENCES_KEPT = 100;

/** What one heartbeat said. Times in ms. */
export interface HeartbeatSample {
  at: number;
  offset_ms: number;
  disk_used_bytes: number;
  disk_total_bytes: number | null;
}

/** What is kept of a device's heartbeats of the last day: one every ten minutes, and each time that it was not heard of for too long. */
export interface HeartbeatHistory {
  samples: HeartbeatSample[];
  silences: { from: number; to: number }[];
}

const NOTHING: HeartbeatHistory = { samples: [], silences: [] };

/** Adds a heartbeat to what is kept. `silentSince`: when the device was heard of last, where it had fallen silent since; else null. Pure. */
export function noteHeartbeat(before: HeartbeatHistory | undefined, sample: HeartbeatSample, silentSince: number | null): HeartbeatHistory {
  const { samples, silences } = before ?? NOTHING;
  const oldest = sample.at - HISTORY_KEPT_MS;
  const last = samples.at(-1);
  const due = last === undefined || silentSince !== null || sample.at - last.at >= REPORT_EVERY_MS;
  const ended = silentSince === null ? silences : [...silences, { from: silentSince, to: sample.at }];
  if (!due) return before ?? NOTHING;
  return {
    samples: [...samples.filter(({ at }) => at >= oldest), sample],
    silences: ended.filter(({ to }) => to >= oldest).slice(-MAX_SILENCES_KEPT),
  };
}
