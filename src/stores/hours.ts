import { z } from "@hono/zod-openapi";
import { dayField } from "../platform/fields.ts";

const RANGES_PER_DAY = 6;
const MAX_HOLIDAYS = 366;

const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "must be a time of day, HH:MM");
const closing = z.string().regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, "must be a time of day, HH:MM, or 24:00");

const ranges = z.array(z.strictObject({ from: clock, to: closing })).max(RANGES_PER_DAY);

/**
 * When a store is open, by its own clock: [`from`, `to`) on each weekday; `to` at or before `from` runs over midnight.
 * A weekday that is absent is closed. A holiday's hours replace its weekday's; none means closed.
 */
export const operatingHoursSchema = z
  .strictObject({
    mon: ranges.optional(),
    tue: ranges.optional(),
    wed: ranges.optional(),
    thu: ranges.optional(),
    fri: ranges.optional(),
    sat: ranges.optional(),
    sun: ranges.optional(),
    holidays: z
      .array(z.strictObject({ date: dayField, hours: ranges }))
      .max(MAX_HOLIDAYS)
      .refine((holidays) => new Set(holidays.map((holiday) => holiday.date)).size === holidays.length, "names a date twice")
      .optional(),
  })
  .openapi("OperatingHours");

export type OperatingHours = z.infer<typeof operatingHoursSchema>;
