import type { Campaign } from "../../api/schema.ts";
import { addDays } from "../../parts/days.ts";

/** Reports reach back so far. */
const MAX_DAYS = 400;

/** The days of which its delivery is told: from its start (400 days at most) to its end, or to the latest that there is. Pure. */
export function deliveryRange(
  { start_date, end_date }: Pick<Campaign, "start_date" | "end_date">,
  latest: string,
): { from: string; to: string } {
  const to = end_date !== null && end_date < latest ? end_date : latest;
  const earliest = addDays(to, 1 - MAX_DAYS);
  // The middle one: neither before the earliest nor behind the end.
  const [, from = to] = [earliest, start_date ?? addDays(to, -29), to].sort();
  return { from, to };
}

/**
 * Where one report over all of these campaigns begins: with the first of their days, 30 days ago at the latest, and no further back than it
 * reaches. Pure.
 */
export function firstDayOfAll(campaigns: readonly Pick<Campaign, "start_date" | "end_date">[], latest: string): string {
  const [first = latest] = [addDays(latest, -29), ...campaigns.map((campaign) => deliveryRange(campaign, latest).from)].sort();
  // The later one.
  return [addDays(latest, 1 - MAX_DAYS), first].sort().at(-1) ?? first;
}
