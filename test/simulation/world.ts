import { createHash, createHmac } from "node:crypto";
import { Random } from "./random.ts";

/** The faults that a run may inject, and how likely each is at a call it can befall. A run's weather sets them; none is on while it drains. */
export const FAULTS = [
  "request lost",
  "request doubled",
  "answer lost",
  "player restarts",
  "call of the object lost",
  "answer of the object lost",
  "call of the object hangs",
  "object aborted, write lost",
  "object aborted, write kept",
  "object evicted",
  "object's disk slow",
  "object's write fails",
  "alarm late",
  "alarm lost",
  "alarm twice",
  "queue refuses",
  "queue takes, answer lost",
  "queue hangs",
  "queue loses",
  "queue doubles",
  "queue redelivers what was acknowledged",
  "queue holds back",
  "rubbish in the queue",
  "altered chunk in the queue",
  "consumer killed",
  "D1 fails before",
  "D1 fails after",
  "D1 hangs",
  "D1 late",
  "R2 fails before",
  "R2 fails after",
  "R2 hangs",
  "R2 late",
  "D1 away",
  "R2 away",
  "queue away",
  "rollup dies",
  "compaction dies",
  "dead letters redriven",
  "former player's token",
  "device revoked",
] as const;
export type FaultKind = (typeof FAULTS)[number];

interface Task {
  at: number;
  /** Breaks ties by chance, so that what happens at the same time happens in any order. */
  tie: number;
  run: (() => void) | null;
}

const macrotask = setImmediate;

/** Simulated time, chance, faults and the trace of one run. */
export class World {
  now = Date.parse("2026-03-10T08:00:00.000Z");
  readonly random: Random;
  /** For ids that the product makes: apart from the decisions, since libraries buffer what they draw. */
  readonly idRandom: Random;
  readonly fired = new Map<FaultKind, number>();
  readonly checks = new Map<string, number>();
  readonly trace: string[] | null;
  faultsOn = true;
  steps = 0;
  readonly #tasks = new Set<Task>();
  readonly #weather = new Map<FaultKind, number>();
  readonly #started = this.now;
  #failure: Error | null = null;

  constructor(seed: number, traced: boolean) {
    this.random = new Random(seed);
    this.idRandom = new Random(seed ^ 0x5bd1e995);
    this.trace = traced ? [] : null;
    // In each run some faults are rare, some frequent, some absent: together they reach what an even mix would not.
    for (const kind of FAULTS) this.#weather.set(kind, this.random.pick([0, 0.01, 0.03, 0.1]));
  }

  note(what: string): void {
    this.trace?.push(`${String(this.now - this.#started).padStart(11)} ms  ${what}`);
  }

  /** Whether the fault befalls this call. */
  fault(kind: FaultKind, factor = 1): boolean {
    if (!this.faultsOn || !this.random.chance((this.#weather.get(kind) ?? 0) * factor)) return false;
    this.fire(kind);
    return true;
  }

  fire(kind: FaultKind): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
    this.note(`FAULT ${kind}`);
  }

  /** Counts a check, and fails the run where it does not hold. */
  check(invariant: string, holds: boolean, what: () => string): void {
    this.checks.set(invariant, (this.checks.get(invariant) ?? 0) + 1);
    if (!holds) throw new Violation(`${invariant}: ${what()}`);
  }

  /** Ends the run with an error that happened where nobody awaits it. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  /** Runs something later. */
  after(ms: number, run: () => void): Task {
    const task = { at: this.now + Math.max(0, ms), tie: this.random.fraction(), run };
    this.#tasks.add(task);
    return task;
  }

  cancel(task: Task | undefined): void {
    if (task) this.#tasks.delete(task);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** A network's or disk's delay: mostly short. */
  latency(most = 40): Promise<void> {
    return this.sleep(this.random.chance(0.05) ? this.random.between(0, most * 20) : this.random.between(0, most));
  }

  /** Lets time pass: everything that falls due runs, one after the other, each to where it waits again. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      let next: Task | undefined;
      for (const task of this.#tasks) {
        if (task.at <= until && (!next || task.at < next.at || (task.at === next.at && task.tie < next.tie))) next = task;
      }
      if (!next) break;
      this.#tasks.delete(next);
      this.now = Math.max(this.now, next.at);
      this.steps += 1;
      if (this.steps > 2_000_000) throw new Violation("I6: the run does not come to an end");
      next.run?.();
      await settled();
      if (this.#failure) throw this.#failure;
    }
    this.now = until;
  }

  /** Puts simulated time, ids and hashes in the place of the real ones; returns what puts the real ones back. */
  install(): () => void {
    const real = {
      now: Date.now,
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      randomUUID: crypto.randomUUID,
      getRandomValues: crypto.getRandomValues,
      console: { debug: console.debug, info: console.info, warn: console.warn, error: console.error },
    };
    Date.now = () => this.now;
    Reflect.set(globalThis, "setTimeout", (run: () => void, ms = 0) => this.after(ms, run));
    Reflect.set(globalThis, "clearTimeout", (task: Task | undefined) => this.cancel(task));
    Reflect.set(crypto, "randomUUID", () => this.idRandom.uuid());
    Reflect.set(crypto, "getRandomValues", (into: Uint8Array | Uint32Array) => {
      this.idRandom.fill(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
      return into;
    });
    // The real ones answer from a pool of threads, in any order.
    Reflect.defineProperty(crypto.subtle, "digest", {
      configurable: true,
      value: async (_: string, data: Uint8Array) => bufferOf(createHash("sha256").update(data).digest()),
    });
    Reflect.defineProperty(crypto.subtle, "importKey", { configurable: true, value: async (_: string, key: Uint8Array) => key });
    Reflect.defineProperty(crypto.subtle, "sign", {
      configurable: true,
      value: async (_: string, key: Uint8Array, data: Uint8Array) => bufferOf(createHmac("sha256", key).update(data).digest()),
    });
    for (const level of ["debug", "info", "warn", "error"] as const) {
      // Without the stack, which says who ran the simulation.
      console[level] = (text: string) => this.note(`log ${level} ${text.replace(/(\\n {4}at [^"]*)/g, "")}`);
    }
    return () => {
      Date.now = real.now;
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Reflect.set(crypto, "randomUUID", real.randomUUID);
      Reflect.set(crypto, "getRandomValues", real.getRandomValues);
      for (const name of ["digest", "importKey", "sign"]) Reflect.deleteProperty(crypto.subtle, name);
      Object.assign(console, real.console);
    };
  }
}

/** An invariant that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** What runs a piece of the product and may be killed: nothing reaches it any more, and nothing that it has still to do is done. */
export class Life {
  dead = false;
  readonly died: Promise<never>;
  #die: (error: Error) => void = () => {};

  constructor() {
    this.died = new Promise((_, reject) => {
      this.#die = reject;
    });
    this.died.catch(() => {});
  }

  end(why: string): void {
    if (this.dead) return;
    this.dead = true;
    this.#die(new Error(why));
  }

  /** A call to the outside. What was sent before death is on its way; its answer finds nobody. */
  call<T>(work: () => Promise<T>): Promise<T> {
    if (this.dead) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      work().then(
        (value) => this.dead || resolve(value),
        (error) => this.dead || reject(error),
      );
    });
  }
}

/** Never comes. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Every promise that can go on has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    macrotask(() => resolve());
  });
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
