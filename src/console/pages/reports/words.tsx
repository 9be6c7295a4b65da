import { Tooltip } from "@mantine/core";
import type { PlayOfReport, ProofOfPlayReport } from "../../api/schema.ts";
import { exact } from "../../parts/format.ts";
import type { StateValue } from "../../parts/state.tsx";

export const STATUS: Record<PlayOfReport["result"], { word: string; state: StateValue }> = {
  COMPLETED: { word: "Completed", state: "ok" },
  PARTIAL: { word: "Partial", state: "warn" },
  SKIPPED: { word: "Skipped", state: "unknown" },
  INTERRUPTED: { word: "Interrupted", state: "warn" },
  ERROR: { word: "Error", state: "bad" },
};

/** Where a report's figures were read. */
export const SOURCES: Record<ProofOfPlayReport["source"], string> = {
  aggregates: "sums as of now",
  events: "summed from single plays",
  device_activity: "sums by device and day",
};

/** A flag in words: `SEQUENCE_GAP` → `Sequence gap`. */
export function flagWords(flag: string): string {
  const words = flag.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** An instant by the store's clock, to the second; on hover with zone, and in UTC. */
export function At({ at, zone, withDay = false }: { at: string; zone: string | null; withDay?: boolean }) {
  const ms = Date.parse(at);
  const local = new Intl.DateTimeFormat(undefined, {
    ...(withDay ? { day: "numeric", month: "short", year: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: zone ?? "UTC",
  }).format(ms);
  return (
    <Tooltip
      multiline
      label={
        <>
          {zone && <div>{`${exact(ms, zone)} (${zone})`}</div>}
          <div>{exact(ms, "UTC")}</div>
        </>
      }
    >
      <time dateTime={at}>{local}</time>
    </Tooltip>
  );
}
