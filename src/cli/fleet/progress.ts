import type { Fates } from "./books.ts";
import type { RunLog } from "./run-log.ts";

export interface Progress {
  elapsedMs: number;
  phase: string;
  /** Of the fleet's time, from 0 to 1. */
  share: number;
  fates: Fates;
  queued: number;
  /** Screens that may write no more. */
  stopped: number;
  log: Pick<RunLog, "sentLogs" | "duplicates">;
}

/** One line of a run's progress. */
export function progressLine({ elapsedMs, fates, log, phase, queued, share, stopped }: Progress): string {
  return [
    `${clockText(elapsedMs)} ${phase} ${Math.floor(share * 100)} %`,
    `made ${fates.made}`,
    `sent ${log.sentLogs}`,
    `accepted ${fates.accepted}`,
    `duplicate ${log.duplicates}`,
    `refused ${fates.refused}`,
    `queued ${queued}`,
    ...(fates.lost > 0 ? [`lost ${fates.lost}`] : []),
    ...(stopped > 0 ? [`${stopped} screens stopped`] : []),
  ].join(" | ");
}

/** Minutes and seconds: `03:07`. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
