/** NTP's four timestamps in ms: device sends, server receives, server answers, device hears. */
export interface TimeSample {
  t0: number;
  t1: number;
  t2: number;
  t3: number;
}

/** How far the device's clock is ahead of the server's (negative: behind), and the delay that blurs it, both in ms (RFC 5905, 8). */
export function offsetOf(sample: TimeSample): { offsetMs: number; delayMs: number } {
  return {
    offsetMs: (sample.t0 - sample.t1 + (sample.t3 - sample.t2)) / 2,
    delayMs: sample.t3 - sample.t0 - (sample.t2 - sample.t1),
  };
}

/**
 * What to take for the offset after one more sample. A sample can be off by half its delay: as long as the known offset
 * is within that, the sample says nothing better; else the clock has drifted, or nothing was known. Pure.
 */
export function refineOffset(known: number | null, sample: TimeSample): number {
  const { offsetMs, delayMs } = offsetOf(sample);
  return known !== null && Math.abs(known - offsetMs) <= delayMs / 2 ? known : Math.round(offsetMs);
}

/** An offset as it was measured at an instant of the device's clock; all in ms. */
export interface Measured {
  at: number;
  offsetMs: number;
  delayMs: number;
}

/** So many measurements tell a drift from the noise of the network. */
export const MEASUREMENTS_KEPT = 16;
const DRIFT_SPAN_MS = 10 * 60_000;
const DRIFT_SAMPLES = 4;
/** RFC 5905's PHI is 15 ppm, and its tolerance for a clock 500: what is worse is no drift. */
const DRIFT_MOST_PPM = 500;

/**
 * How much faster than the server's the device's clock runs (negative: slower), in parts in a million: the line of least squares
 * through the measurements whose delay was no more than twice the shortest. 0 where they are too few, lie too close together, or
 * where their delays could be the reason. Pure.
 */
export function driftOf(measured: readonly Measured[]): number {
  const shortest = Math.min(...measured.map(({ delayMs }) => delayMs));
  const good = measured.filter(({ delayMs }) => delayMs <= 2 * shortest + 1);
  const [first, last] = [good[0], good.at(-1)];
  if (!first || !last || good.length < DRIFT_SAMPLES || last.at - first.at < DRIFT_SPAN_MS) return 0;
  const meanAt = mean(good.map(({ at }) => at));
  const meanOffset = mean(good.map(({ offsetMs }) => offsetMs));
  let [above, below] = [0, 0];
  for (const { at, offsetMs } of good) {
    above += (at - meanAt) * (offsetMs - meanOffset);
    below += (at - meanAt) ** 2;
  }
  const slope = above / below;
  const blurMs = Math.max(...good.map(({ delayMs }) => delayMs)) / 2;
  if (Math.abs(slope) * (last.at - first.at) <= blurMs) return 0;
  return Math.max(-DRIFT_MOST_PPM, Math.min(DRIFT_MOST_PPM, slope * 1_000_000));
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
