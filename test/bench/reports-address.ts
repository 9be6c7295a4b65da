import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { ADMIN_TOKEN, type Stack } from "../stack/stack.ts";

export const ADMIN_HEADERS = { Authorization: `Bearer ${ADMIN_TOKEN}` };

/** The address of a report of so many days up to today. */
export function reportAddress(stack: Stack, file: string, { days, query }: { days: number; query: string }, now: number): string {
  return `${stack.url}/v1/admin/reports/${file}?from=${utcDay(now - (days - 1) * DAY_MS)}&to=${utcDay(now)}&${query}`;
}
