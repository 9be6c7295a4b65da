import type { Campaign, PlannedRow } from "../../api/schema.ts";
import { DAY_MS, day } from "../../parts/format.ts";
import type { StateValue } from "../../parts/state.tsx";

/** Where a campaign stands by its dates. `today` is `YYYY-MM-DD`. Pure. */
export function standing(
  campaign: Pick<Campaign, "start_date" | "end_date" | "archived_at">,
  today: string,
): { word: string; state: StateValue } {
  const { start_date, end_date, archived_at } = campaign;
  if (archived_at !== null) return { word: "Archived", state: "unknown" };
  if (start_date !== null && start_date > today) return { word: "To come", state: "unknown" };
  if (end_date !== null && end_date < today) return { word: "Ended", state: "unknown" };
  return { word: "Running", state: "ok" };
}

/** How much of its time has gone, 0 to 1, and in days; null where it has no beginning or no end. Pure. */
export function elapsed(
  { start_date, end_date }: Pick<Campaign, "start_date" | "end_date">,
  today: string,
): { fraction: number; gone: number; all: number } | null {
  if (start_date === null || end_date === null) return null;
  const all = daysFrom(start_date, end_date);
  const gone = Math.max(0, Math.min(all, daysFrom(start_date, today)));
  return { fraction: all === 0 ? 0 : gone / all, gone, all };
}

function daysFrom(first: string, last: string): number {
  return Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;
}

const range = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });

/** Its dates as people write them. */
export function dates({ start_date, end_date }: Pick<Campaign, "start_date" | "end_date">): string {
  if (start_date === null && end_date === null) return "no dates";
  if (end_date === null) return `from ${day(start_date ?? "")}`;
  if (start_date === null) return `until ${day(end_date)}`;
  return range.formatRange(Date.parse(start_date), Date.parse(end_date));
}

/** Whether what was played is what was planned: from 95 % on it is well, below 80 % it is not, and far more than planned is odd. Pure. */
export function deliveryState(delivery: number | null): StateValue {
  if (delivery === null) return "unknown";
  if (delivery > 1.2) return "warn";
  return delivery >= 0.95 ? "ok" : delivery >= 0.8 ? "warn" : "bad";
}

export type Delivery = Pick<PlannedRow, "planned_plays" | "played_plays" | "billable_plays" | "delivery">;
