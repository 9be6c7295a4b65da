/** Numbers, sizes, spans and times as the reader's language and region write them. */

const LOCALE = undefined;

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "always", style: "short" });

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `12,345` */
export function count(value: number): string {
  return whole.format(value);
}

/** `12.3K`, for places that are narrow. */
export function shortCount(value: number): string {
  return short.format(value);
}

/** A fraction of one: `12.5%`. */
export function percent(fraction: number, digits = 1): string {
  return new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: digits }).format(fraction);
}

/** `1 device`, `12 devices` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** Bytes in steps of 1000: `1.2 GB`. */
export function bytes(value: number): string {
  const step = Math.min(BYTE_UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const unit = BYTE_UNITS[step] ?? "byte";
  const scaled = value / 1000 ** step;
  return new Intl.NumberFormat(LOCALE, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: step > 0 && scaled < 100 ? 1 : 0,
  }).format(scaled);
}

/** A span of time, to two units: `1 h 5 min`, `15 s`, `350 ms`. */
export function span(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${whole.format(ms)} ms`;
  if (size < MINUTE_MS) return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(ms / 1000)} s`;
  if (size < HOUR_MS) return joined(Math.floor(size / MINUTE_MS), "min", Math.floor((size % MINUTE_MS) / 1000), "s");
  if (size < DAY_MS) return joined(Math.floor(size / HOUR_MS), "h", Math.floor((size % HOUR_MS) / MINUTE_MS), "min");
  return joined(Math.floor(size / DAY_MS), "d", Math.floor((size % DAY_MS) / HOUR_MS), "h");
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** How long ago, or how soon: `12 sec. ago`, `in 3 hr.` */
export function ago(at: number, now: number): string {
  const diff = at - now;
  const size = Math.abs(diff);
  if (size < MINUTE_MS) return relative.format(Math.trunc(diff / 1000), "second");
  if (size < HOUR_MS) return relative.format(Math.trunc(diff / MINUTE_MS), "minute");
  if (size < DAY_MS) return relative.format(Math.trunc(diff / HOUR_MS), "hour");
  return relative.format(Math.trunc(diff / DAY_MS), "day");
}

/** Date and time in a zone, with the zone's name: `21 Nov 2026, 09:30:12 CET`. */
export function exact(at: number, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
    ...(zone ? { timeZone: zone } : {}),
  }).format(at);
}

/** The time of day in a zone: `09:30`. */
export function clock(at: number, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(zone ? { timeZone: zone } : {}),
  }).format(at);
}

/** Date and time of day in a zone, without seconds: `21 Nov, 09:30`. */
export function moment(at: number, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(zone ? { timeZone: zone } : {}),
  }).format(at);
}

/** A day in a zone by its weekday: `Sat, 21 Nov`. */
export function weekday(at: number, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, { weekday: "short", month: "short", day: "numeric", ...(zone ? { timeZone: zone } : {}) }).format(
    at,
  );
}

/** A calendar day `YYYY-MM-DD` as people write it: `21 Nov 2026`. */
export function day(text: string): string {
  return new Intl.DateTimeFormat(LOCALE, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" }).format(
    Date.parse(`${text}T00:00:00Z`),
  );
}

/** An id, short enough to be recognised by. */
export function shortId(id: string): string {
  return id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id;
}
