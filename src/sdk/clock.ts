import type { Host } from "./host.ts";
import { postJson, refusalOf } from "./http.ts";

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

/**
 * The device's clock: the machine's at start, carried on by its monotonic one. So durations are right, and the times in the
 * logs and in `Sent-At` stay on one clock, even when the machine's clock is set while a log waits.
 */
export class DeviceClock {
  readonly #host: Host;
  readonly #wallAnchor: number;
  readonly #monotonicAnchor: number;
  /** Device − server in ms; null until {@link synchronise} has found it. Logs carry the device's own time; the server corrects it. */
  offsetMs: number | null = null;

  constructor(host: Host) {
    this.#host = host;
    this.#wallAnchor = host.wallClock();
    this.#monotonicAnchor = host.monotonic();
  }

  /** Milliseconds since 1970 by the device. */
  now(): number {
    return Math.round(this.#wallAnchor + this.#host.monotonic() - this.#monotonicAnchor);
  }

  /** Milliseconds since 1970 by the server, as well as is known. */
  serverNow(): number {
    return this.now() - (this.offsetMs ?? 0);
  }

  /** Takes note of a server's time that came with an answer. */
  hear(sample: TimeSample): void {
    this.offsetMs = refineOffset(this.offsetMs, sample);
  }

  /**
   * Asks the server for the time, several times, and keeps the offset of the quickest answer.
   * Returns it in ms, or null where the server was not reached (what was known before stays).
   * @throws ServerRefusal where the server answers an error.
   */
  async synchronise(baseUrl: string, samples = 3): Promise<number | null> {
    let best: { offsetMs: number; delayMs: number } | null = null;
    for (let at = 0; at < samples; at++) {
      const sample = await this.#sample(baseUrl);
      const found = sample && offsetOf(sample);
      if (found && (best === null || found.delayMs < best.delayMs)) best = found;
    }
    if (best) this.offsetMs = Math.round(best.offsetMs);
    return best && this.offsetMs;
  }

  async #sample(baseUrl: string): Promise<TimeSample | null> {
    const t0 = this.now();
    const answer = await postJson(this.#host, `${baseUrl}/v1/device/time`, JSON.stringify({ t0 }));
    const t3 = this.now();
    if (answer.kind === "unreachable") return null;
    const { t1, t2 } = answer.body;
    if (answer.status !== 200 || typeof t1 !== "number" || typeof t2 !== "number") throw refusalOf(answer);
    return { t0, t1, t2, t3 };
  }
}
