import type { Host } from "./host.ts";
import { postJson, refusalOf } from "./http.ts";
import type { ValueStore } from "./kept.ts";
import { driftOf, MEASUREMENTS_KEPT, type Measured, offsetOf, refineOffset, type TimeSample } from "./offset.ts";

export { offsetOf, refineOffset, type TimeSample } from "./offset.ts";

/** The clock that a play is timed by. */
export interface PlayClock {
  /** Milliseconds since 1970 by the device; never jumps. */
  now(): number;
  /** Its name, where the device has had more than one: logs that wait are sent by the clock that timed them. */
  readonly id?: string;
}

/** How far past clocks of the device were ahead of the server's, in ms, by their ids; the latest last. */
export type KnownClocks = Record<string, number>;

const CLOCKS_KEPT = 32;
/** The machine's clock is believed again where it is nearer to the server's by more than this. */
const NEARER_BY_MS = 30_000;
const WORTH_KEEPING_MS = 100;
/** An answer that took longer tells nothing of the time; one that came before it was asked for was measured by two clocks. */
const LONGEST_DELAY_MS = 60_000;

/** The machine's clocks have parted: one of them was set, or stood still while the machine slept. */
const PARTED_MS = 30_000;

/** A time that is carried on from one instant by the monotonic clock. */
class CarriedClock implements PlayClock {
  readonly id: string;
  readonly #host: Host;
  readonly #anchor: number;
  readonly #monotonicAnchor: number;
  /** How far the machine's clock was ahead of it at first, ms. */
  readonly #leadMs: number;

  /** `anchor`: what it says at first, ms since 1970; what the machine's clock says without it. */
  constructor(host: Host, anchor: number = host.wallClock()) {
    this.#host = host;
    this.#anchor = anchor;
    this.#monotonicAnchor = host.monotonic();
    this.#leadMs = host.wallClock() - anchor;
    this.id = `${Math.round(host.wallClock())}.${Math.floor(host.random() * 1e9)}`;
  }

  now(): number {
    return Math.round(this.#anchor + this.#host.monotonic() - this.#monotonicAnchor);
  }

  /** Whether the machine's clock has gone another way since. */
  get parted(): boolean {
    return Math.abs(this.#host.wallClock() - this.now() - this.#leadMs) > PARTED_MS;
  }
}

/**
 * The device's clock: the machine's at start, carried on by its monotonic one. So durations are right, and the times in the
 * logs and in `Sent-At` stay on one clock, even when the machine's clock is set while a log waits. It begins anew with the
 * machine's clock where the server's time shows that one to be right: after the machine slept, or was set right. Until the server
 * is heard nobody knows which of the two it was; so what is timed meanwhile has a clock of its own, whose offset is found then.
 */
export class DeviceClock {
  readonly #host: Host;
  readonly #store: ValueStore<KnownClocks> | null;
  #known: KnownClocks;
  #carried: CarriedClock;
  #offsetMs: number | null = null;
  #driftPpm = 0;
  /** When the offset was found, by the clock. */
  #foundAt = 0;
  #measured: Measured[] = [];
  /** Whether the clock runs on from one that parted from the machine's, and the server was not heard since. */
  #doubtful = false;

  constructor(host: Host, store: ValueStore<KnownClocks> | null = null, known: KnownClocks = {}) {
    this.#host = host;
    this.#store = store;
    this.#known = known;
    this.#carried = new CarriedClock(host);
  }

  /** A clock that remembers the offsets of those before it, so that logs which they timed are sent by them. */
  static async open(host: Host, store: ValueStore<KnownClocks>): Promise<DeviceClock> {
    return new DeviceClock(host, store, (await store.load()) ?? {});
  }

  /** Milliseconds since 1970 by the device. */
  now(): number {
    return this.#carried.now();
  }

  /** The clock as it runs now: it goes on as it is even where the device's begins anew. For plays. */
  get current(): PlayClock {
    if (this.#carried.parted) this.#part();
    return this.#carried;
  }

  /** Whether the machine's clocks have parted and the server was not heard since. */
  get inDoubt(): boolean {
    return this.#doubtful || this.#carried.parted;
  }

  /** Milliseconds since 1970 by the server; null while that is not known, or in doubt. */
  get knownServerNow(): number | null {
    return this.#offsetMs === null || this.inDoubt ? null : this.serverNow();
  }

  /** Device − server in ms; null until it was found. Logs carry the device's own time; the server corrects it. */
  get offsetMs(): number | null {
    return this.#offsetMs === null ? null : Math.round(this.#offsetAt(this.now()));
  }

  set offsetMs(offsetMs: number | null) {
    this.#offsetMs = offsetMs;
    this.#foundAt = this.now();
  }

  /** How much faster than the server's it runs, in parts in a million; 0 until that can be told. */
  get driftPpm(): number {
    return this.#driftPpm;
  }

  /** Milliseconds since 1970 by the server, as well as is known. */
  serverNow(): number {
    const now = this.now();
    return Math.round(now - this.#offsetAt(now));
  }

  /** Whether {@link sentAt} is no guess for what this clock timed: for one of the past the server must have been heard since the start. */
  canTell(clockId: string | undefined): boolean {
    if (this.inDoubt) return false;
    return this.#offsetMs !== null || clockId === undefined || clockId === this.#carried.id || this.#known[clockId] === undefined;
  }

  /** What the clock of this id says now: what `Sent-At` must say of logs that it timed. Ms since 1970. */
  sentAt(clockId: string | undefined): number {
    const past = clockId === undefined || clockId === this.#carried.id ? undefined : this.#known[clockId];
    return past === undefined || this.#offsetMs === null ? this.now() : this.serverNow() + past;
  }

  /** Takes note of a server's time that came with an answer. */
  hear(sample: TimeSample): void {
    const { offsetMs, delayMs } = offsetOf(sample);
    if (delayMs < 0 || delayMs > LONGEST_DELAY_MS) return;
    const lead = this.#host.wallClock() - this.now();
    if (this.#carried.parted) this.#part();
    if (this.#doubtful) this.#settle(offsetMs);
    if (Math.abs(offsetMs + lead) + NEARER_BY_MS < Math.abs(offsetMs)) {
      this.#beginAnew(Math.round(offsetMs + lead));
      return;
    }
    const known = this.#offsetMs === null ? null : this.#offsetAt(sample.t3);
    this.#offsetMs = refineOffset(known, sample);
    this.#foundAt = sample.t3;
    this.#measured = [...this.#measured, { at: sample.t3, offsetMs, delayMs }].slice(-MEASUREMENTS_KEPT);
    this.#driftPpm = driftOf(this.#measured);
    this.#remember();
  }

  /**
   * Asks the server for the time, several times, and keeps the offset of the quickest answer.
   * Returns it in ms, or null where the server was not reached (what was known before stays).
   * @throws ServerRefusal where the server answers an error.
   */
  async synchronise(baseUrl: string, samples = 3): Promise<number | null> {
    let best: { sample: TimeSample; delayMs: number } | null = null;
    for (let at = 0; at < samples; at++) {
      const sample = await this.#sample(baseUrl);
      const delayMs = sample && offsetOf(sample).delayMs;
      if (sample && delayMs !== null && (best === null || delayMs < best.delayMs)) best = { sample, delayMs };
    }
    if (!best || best.delayMs < 0 || best.delayMs > LONGEST_DELAY_MS) return null;
    // The quickest of several is better than what was known.
    this.#offsetMs = null;
    this.hear(best.sample);
    return this.offsetMs;
  }

  #offsetAt(at: number): number {
    return (this.#offsetMs ?? 0) + ((at - this.#foundAt) * this.#driftPpm) / 1_000_000;
  }

  /** What is timed from now on is by another clock, which goes on where this one stands. */
  #part(): void {
    this.#carried = new CarriedClock(this.#host, this.#carried.now());
    this.#doubtful = true;
    // As if the machine's clock had been set, should the power go before the server is heard.
    if (this.#offsetMs !== null) this.#remember();
  }

  /** The offset of a clock that ran on is what is measured now, whatever it was before. */
  #settle(offsetMs: number): void {
    this.#doubtful = false;
    this.#measured = [];
    this.#driftPpm = 0;
    this.offsetMs = Math.round(offsetMs);
    this.#remember();
  }

  #beginAnew(offsetMs: number): void {
    this.#carried = new CarriedClock(this.#host);
    this.#measured = [];
    this.#driftPpm = 0;
    this.offsetMs = offsetMs;
    this.#remember();
  }

  /** Where the disk does not take it, logs of this clock are sent by the next one, as if there had been one alone. */
  #remember(): void {
    const { id } = this.#carried;
    const offsetMs = this.offsetMs ?? 0;
    const kept = this.#known[id];
    if (kept !== undefined && Math.abs(kept - offsetMs) < WORTH_KEEPING_MS) return;
    this.#known = Object.fromEntries(
      [...Object.entries(this.#known).filter(([other]) => other !== id), [id, offsetMs]].slice(-CLOCKS_KEPT),
    );
    void this.#store?.save(this.#known).catch(() => undefined);
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
