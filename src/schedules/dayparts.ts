import type { FieldError } from "../platform/errors.ts";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

const DAY_NAMES: Record<Weekday, string> = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/** A part of the day by the wall clock: [`from`, `to`). `to` at or before `from` runs over midnight. Without days: every day. */
export interface Daypart {
  days?: readonly Weekday[] | undefined;
  /** `HH:MM` */
  from: string;
  /** `HH:MM`, or `24:00`. */
  to: string;
}

/** A stretch of the week's wall clock in minutes since Monday 00:00; it may end in the week that follows. */
interface Stretch {
  daypart: number;
  start: number;
  end: number;
}

/**
 * Dayparts of one schedule that share wall-clock time, over midnight and from Sunday to Monday too: for each daypart that
 * meets an earlier one, an error at the later that says where they first meet. Dates are not looked at.
 */
export function overlappingDayparts(dayparts: readonly Daypart[]): FieldError[] {
  const stretches = dayparts.flatMap(stretchesOf);
  return dayparts.flatMap((_, later) => {
    const shared = stretches
      .filter(({ daypart }) => daypart === later)
      .flatMap((mine) => stretches.filter(({ daypart }) => daypart < later).flatMap((other) => sharedBy(mine, other)))
      .sort((a, b) => a.start - b.start || a.daypart - b.daypart);
    const [first] = shared;
    if (!first) return [];
    const until = clockOf(first.end % WEEK_MINUTES);
    return [
      {
        pointer: `/dayparts/${later}`,
        detail: `It overlaps dayparts/${first.daypart} on ${dayOf(first.start)} from ${clockOf(first.start)} to ${until}.`,
      },
    ];
  });
}

function stretchesOf({ days, from, to }: Daypart, daypart: number): Stretch[] {
  const [start, end] = [minutesOf(from), minutesOf(to)];
  const length = end > start ? end - start : end + DAY_MINUTES - start;
  return (days ?? WEEKDAYS).map((day) => {
    const begins = WEEKDAYS.indexOf(day) * DAY_MINUTES + start;
    return { daypart, start: begins, end: begins + length };
  });
}

/** What two stretches of the week share, the week being a circle; it begins within the week. */
function sharedBy(mine: Stretch, other: Stretch): Stretch[] {
  return [-WEEK_MINUTES, 0, WEEK_MINUTES].flatMap((shift) => {
    const start = Math.max(mine.start, other.start + shift);
    const end = Math.min(mine.end, other.end + shift);
    const turn = start >= WEEK_MINUTES ? WEEK_MINUTES : 0;
    return start < end ? [{ daypart: other.daypart, start: start - turn, end: end - turn }] : [];
  });
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}

function dayOf(minute: number): string {
  return DAY_NAMES[WEEKDAYS[Math.floor(minute / DAY_MINUTES)] ?? "mon"];
}

function clockOf(minute: number): string {
  const [hours, minutes] = [Math.floor((minute % DAY_MINUTES) / 60), minute % 60];
  return `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}
