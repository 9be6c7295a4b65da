export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339 in UTC with milliseconds, or null. */
export function toIso(ms: number): string;
export function toIso(ms: number | null | undefined): string | null;
export function toIso(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString();
}

/** The UTC calendar day (`YYYY-MM-DD`) of an instant. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

const ISO_LENGTH = "2026-02-05T10:00:00.000Z".length;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** The number that digits `from` to `to` of a text are; NaN where one is none. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** `YYYY-MM-DDTHH:MM:SS.sssZ`, by hand; null for all else, what is right among it too. */
function parseIsoUtc(text: string): number | null {
  if (
    text[4] !== "-" ||
    text[7] !== "-" ||
    text[10] !== "T" ||
    text[13] !== ":" ||
    text[16] !== ":" ||
    text[19] !== "." ||
    text[23] !== "Z"
  )
    return null;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const [hour, minute, second, milli] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19), digits(text, 20, 23)];
  // Years that `Date.UTC` takes for others are left to the careful way. NaN passes no comparison.
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59 && milli >= 0))
    return null;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, milli);
  return day > 28 && new Date(ms).getUTCDate() !== day ? null : ms;
}

/**
 * Milliseconds since 1970 of an RFC 3339 date-time with any offset; null for anything else, dates that no calendar has among
 * them. Fractions finer than a millisecond are cut off; a leap second counts as the second behind it.
 */
export function parseInstant(text: string): number | null {
  // The form that nearly everybody sends.
  const plain = text.length === ISO_LENGTH ? parseIsoUtc(text) : null;
  if (plain !== null) return plain;
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const [y, mo, d, h, mi, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (h > 23 || mi > 59 || s > 60 || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return null;
  const midnight = new Date(0).setUTCFullYear(y, mo - 1, d);
  const date = new Date(midnight);
  if (date.getUTCMonth() !== mo - 1 || date.getUTCDate() !== d) return null;
  const offset = (sign === "-" ? -1 : 1) * (Number(offsetHour ?? 0) * HOUR_MS + Number(offsetMinute ?? 0) * MINUTE_MS);
  const millis = fraction ? Math.floor(Number(fraction.slice(0, 4).padEnd(4, "0").slice(1))) : 0;
  return midnight + h * HOUR_MS + mi * MINUTE_MS + s * SECOND_MS + millis - offset;
}
