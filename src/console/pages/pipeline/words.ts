import type { Pipeline } from "../../api/schema.ts";
import { count, MINUTE_MS } from "../../parts/format.ts";

/** What waits longer than this lags. */
const LATE_AFTER_MS = 5 * MINUTE_MS;

/** What lags, and which jobs failed when they last ran. Pure. */
export function waysOf({ queues, profile_pushes, jobs }: Pipeline, now: number): { late: string[]; failed: string[] } {
  const isLate = (at: string | null) => at !== null && now - Date.parse(at) > LATE_AFTER_MS;
  return {
    late: [
      ...Object.entries(queues).flatMap(([name, { oldest_message_at }]) => (isLate(oldest_message_at) ? [`queue ${name}`] : [])),
      ...(isLate(profile_pushes.oldest_at) ? ["telling devices' profiles"] : []),
    ],
    failed: jobs.filter(({ ok }) => !ok).map(({ job }) => `"${job}"`),
  };
}

const NOTHING = "nothing to do";

/** What a job said when it last ran, on one line: `rows 12`. Zeros are left out: of what was not done nothing is told. Pure. */
export function resultWords(result: unknown): string {
  if (result === null || result === undefined) return "";
  if (result === 0) return NOTHING;
  if (typeof result !== "object") return typeof result === "number" ? `${count(result)} done` : String(result);
  if (Array.isArray(result)) return result.length === 0 ? NOTHING : `${count(result.length)} entries`;
  const told = Object.entries(result).filter(([, value]) => value !== 0);
  if (told.length === 0) return NOTHING;
  return told
    .map(
      ([name, value]) =>
        `${name
          .replace(/([a-z])([A-Z])/g, "$1 $2")
          .toLowerCase()
          .replaceAll("_", " ")} ${valueWords(value)}`,
    )
    .join(", ");
}

function valueWords(value: unknown): string {
  if (typeof value === "number") return count(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.every((one) => typeof one === "string") ? value.join(" ") : count(value.length);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What each queue carries. */
export const QUEUES: Record<string, string> = {
  "play-events-dead": "What the platform gave up delivering, on its way to the dead letters",
  "device-reports": "What devices' heartbeats tell of their state",
};

/** Why a letter is dead, and what redriving it does. */
export const REASONS: Record<string, string> = {
  UNREADABLE: "It is no chunk: its bytes cannot be read. Redriving helps only where the consumer was at fault.",
  CHUNK_CONFLICT: "Another chunk stands in the ledger under its id. Redriving it changes nothing while that one stands.",
  UNRECORDABLE: "The database refused to record it. Redrive it once the cause is mended.",
};

/** A refusal's code, in words: `TOO_OLD` → `Too old`. */
export function codeWords(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
