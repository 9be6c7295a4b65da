import type { Incident } from "../../api/schema.ts";
import { ago, bytes, exact, percent, plural, span } from "../../parts/format.ts";
import type { StateValue } from "../../parts/state.tsx";
import { INCIDENTS } from "../../parts/words.ts";

export const SEVERITIES: Record<Incident["severity"], { word: string; state: StateValue; rank: number }> = {
  high: { word: "High", state: "bad", rank: 3 },
  medium: { word: "Medium", state: "warn", rank: 2 },
  low: { word: "Low", state: "unknown", rank: 1 },
};

/** A detail's name: `last_seen_at` → `Last seen at`. */
export function detailLabel(name: string): string {
  const words = name.replace(/_(ms|s|bytes)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A detail's value in words, by what its name says of its unit. */
export function detailWords(name: string, value: unknown, zone: string | undefined): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "number") {
    if (name === "clock_offset_ms") return `${span(value)} ${value > 0 ? "fast" : "slow"}`;
    if (name.endsWith("_ms")) return span(value);
    if (name.endsWith("_s")) return span(value * 1000);
    if (name.endsWith("_bytes")) return bytes(value);
  }
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return exact(Date.parse(value), zone);
  if (name === "missing" && Array.isArray(value)) return missingWords(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function missingWords(ranges: unknown[]): string {
  const numbers = ranges.flatMap((range) => (Array.isArray(range) && range.length === 2 ? [range.map(Number)] : []));
  const count = numbers.reduce((sum, [first = 0, last = 0]) => sum + last - first + 1, 0);
  const listed = numbers.slice(0, 8).map(([first = 0, last = 0]) => (first === last ? String(first) : `${first}–${last}`));
  return `${plural(count, "number")}: ${listed.join(", ")}${numbers.length > 8 ? " …" : ""}`;
}

/** One line that says what is wrong, out of an incident's details. */
export function summary({ type, details, timezone }: Pick<Incident, "type" | "details" | "timezone">, now: number): string {
  const text = (name: string) => detailWords(name, details[name], timezone ?? undefined);
  const time = (name: string) => (typeof details[name] === "string" ? ago(Date.parse(String(details[name])), now) : "at an unknown time");
  const number = (name: string) => Number(details[name] ?? 0);
  switch (type) {
    case "OFFLINE_DURING_HOURS":
      return `Last heard of ${time("last_seen_at")}`;
    case "PLAYBACK_STUCK":
      return `Nothing new since ${time("last_activity_at")}; the limit is ${text("limit_s")}`;
    case "DOWNLOAD_FAIL":
      return `${plural(number("failures"), "failure")} within ${text("within_s")}`;
    case "LOW_STORAGE":
      return diskWords(details);
    case "CRASH_LOOP":
      return `${plural(number("restarts"), "restart")} within ${text("within_s")}`;
    case "CLOCK_DRIFT":
      return text("clock_offset_ms");
    case "SEQUENCE_GAP":
      return text("missing");
    default:
      return INCIDENTS[type]?.todo.split(".")[0] ?? "";
  }
}

function diskWords({ disk_used_bytes: used, disk_total_bytes: total, storage_cap_bytes: cap }: Record<string, unknown>): string {
  if (typeof used !== "number") return "The disk is nearly full";
  if (typeof total === "number" && total > 0) return `${percent(used / total, 0)} used: ${bytes(used)} of ${bytes(total)}`;
  return typeof cap === "number" ? `${bytes(used)} used; the policy's cap is ${bytes(cap)}` : `${bytes(used)} used`;
}
