import { z } from "@hono/zod-openapi";
import type { FieldError } from "../platform/errors.ts";
import { dayField, idField } from "../platform/fields.ts";
import { overlappingDayparts, WEEKDAYS } from "./dayparts.ts";

/** The range of priorities, on either side of 0. */
export const PRIORITY_MAX = 1000;
/** The largest weight among schedules that share a loop. */
export const SCHEDULE_WEIGHT_MAX = 100;
export const MAX_DAYPARTS = 50;
export const MAX_EXCLUDED_DATES = 366;
export const MAX_EXCLUDED_STORES = 500;
const HOUR_SECONDS = 3600;
const MAX_PLAYS_PER_HOUR = 3600;
const MAX_PLAYS_PER_DAY = 24 * MAX_PLAYS_PER_HOUR;

const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "must be a time of day, HH:MM");
const closing = z.string().regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, "must be a time of day, HH:MM, or 24:00");

const daypartSchema = z
  .strictObject({
    days: distinct(z.array(z.enum(WEEKDAYS)).min(1, "must name a day; leave it out for every day"), "day").optional(),
    from: clock.meta({ example: "08:00" }),
    to: closing.meta({ example: "12:00" }),
  })
  .meta({ description: "[from, to) by the wall clock of the schedule's zone; `to` at or before `from` runs over midnight." });

const capSchema = z.strictObject({
  max_plays_per_hour: z.int().min(1).max(MAX_PLAYS_PER_HOUR).optional(),
  max_plays_per_day: z.int().min(1).max(MAX_PLAYS_PER_DAY).optional(),
});

const exclusionsSchema = z.strictObject({
  dates: distinct(z.array(dayField).max(MAX_EXCLUDED_DATES), "date").optional(),
  store_ids: distinct(z.array(idField).max(MAX_EXCLUDED_STORES), "store").optional(),
});

/**
 * When a schedule is on, and how much of the loop it gets. Everything is optional: without dayparts all day, without dates
 * always, priority 0, weight 1, no cap. A field that is not known is refused by name at every level.
 */
export const scheduleRulesSchema = z
  .strictObject({
    priority: z.int().min(-PRIORITY_MAX).max(PRIORITY_MAX).optional().meta({ description: "Of schedules that are on, the highest play." }),
    start_date: dayField.nullable().optional().meta({ description: "The first day, by the clock of the schedule's zone" }),
    end_date: dayField.nullable().optional().meta({ description: "The last day, included" }),
    dayparts: z.array(daypartSchema).max(MAX_DAYPARTS).optional(),
    frequency_cap: capSchema.nullable().optional(),
    exclusions: exclusionsSchema.nullable().optional(),
    weight: z
      .int()
      .min(1)
      .max(SCHEDULE_WEIGHT_MAX)
      .optional()
      .meta({ description: "Its part of the loop among schedules of its priority." }),
    share_of_voice_s_per_hour: z
      .int()
      .min(1)
      .max(HOUR_SECONDS)
      .nullable()
      .optional()
      .meta({ description: "Seconds of every hour, evenly interleaved, before the others share what is left." }),
  })
  .openapi("ScheduleRules");

/** The rules of a schedule as they are stored and sent. */
export type ScheduleRules = z.infer<typeof scheduleRulesSchema>;

/** What no single field of the rules is wrong about: dates and dayparts that do not go together. Pointers begin at the rules. */
export function checkRules(rules: ScheduleRules): FieldError[] {
  const { start_date, end_date, dayparts } = rules;
  const reversed = start_date && end_date && end_date < start_date;
  return [
    ...(reversed ? [{ pointer: "/end_date", detail: `It must not be before start_date, ${start_date}.` }] : []),
    ...overlappingDayparts(dayparts ?? []),
  ];
}

function distinct<T extends z.ZodArray>(list: T, what: string): T {
  return list.refine((values) => new Set(values).size === values.length, `names a ${what} twice`) as T;
}
