import type { DeviceActivity } from "../../api/schema.ts";

/** A stretch of a day in which a device was heard of, was not, or nothing is known. Ms since 1970. */
export interface StripSpan {
  state: "online" | "silent";
  from: number;
  to: number;
}

/** The stretches of [`from`, `to`] in which a device was heard of and was not, in order. What was before its first sample is not told. Pure. */
export function onlineSpans({ heartbeats }: Pick<DeviceActivity, "heartbeats">, from: number, to: number): StripSpan[] {
  if (heartbeats === null) return [];
  const last = heartbeats.last_at === null ? null : Date.parse(heartbeats.last_at);
  const silences = heartbeats.silences.map((silence) => ({ from: Date.parse(silence.from), to: Date.parse(silence.to) }));
  if (heartbeats.silent && last !== null) silences.push({ from: last, to });
  const first = Math.min(...heartbeats.samples.map(({ at }) => Date.parse(at)), ...silences.map((silence) => silence.from), last ?? to);
  const spans: StripSpan[] = [];
  let at = Math.max(from, first);
  for (const silence of silences) {
    if (silence.to <= at) continue;
    if (silence.from > at) spans.push({ state: "online", from: at, to: silence.from });
    spans.push({ state: "silent", from: Math.max(at, silence.from), to: silence.to });
    at = silence.to;
  }
  if (at < to) spans.push({ state: "online", from: at, to });
  return spans;
}
