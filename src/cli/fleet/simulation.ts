import { systemHost } from "../../sdk/host.ts";
import { Stop } from "../tools.ts";
import { type Account, closeBooks } from "./account.ts";
import type { AdminAccess } from "./api.ts";
import { createCatalogue, LOOP_MS, zonesWhereToday } from "./catalogue.ts";
import { type Chance, characterOf } from "./decisions.ts";
import { Draws } from "./draws.ts";
import { type Chances, type Fault, HARSH } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import { progressLine } from "./progress.ts";
import { recordedByDevice } from "./report.ts";
import { RunLog } from "./run-log.ts";
import { Screen } from "./screen.ts";
import type { FleetStore } from "./store.ts";

export interface SimulationOptions {
  access: AdminAccess;
  store: FleetStore;
  devices: number;
  /** How many times faster than life the screens play. */
  speed: number;
  durationMs: number;
  faults: ReadonlySet<Fault>;
  chances?: Chances;
  seed: number;
  /** Keeps the ids of two runs on one server apart; they are no part of what a seed repeats. */
  salt: string;
  print: (line: string) => void;
  /** Called as the run goes on, with the share of the fleet's time that has passed. */
  onProgress: (share: number) => Promise<void>;
}

export interface SimulationResult extends Account {
  /** A number that two runs have in common exactly where all of their screens decided the same. */
  fingerprint: string;
}

const HOUR_MS = 3_600_000;
/** Screens stay this far behind the present, so that no play ends in the future. */
const BEHIND_PRESENT_MS = 2 * 60_000;
/** Plays are refused when they are a day old. */
const LAG_MOST_MS = 20 * HOUR_MS;
const LINE_EVERY_MS = 5000;
const TICK_MS = 100;
const LOOK_EVERY_MS = 1000;
/** How long the queues may take to drain, and the report to have everything. */
const DRAIN_LONGEST_MS = 5 * 60_000;
const SETTLE_LONGEST_MS = 2 * 60_000;
/** How many looks long nothing at all may be played of what is left, by screens that wait for a network or to be paired anew: ten minutes. */
const STUCK_LOOKS = (10 * 60_000) / TICK_MS;

/** One run of a fleet with faults, from an empty network to the account. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #log = new RunLog();
  readonly #startedAt = performance.now();

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  /** Plays, drains, and closes the books. @throws Stop where the run cannot be had. */
  async run(signal: AbortSignal): Promise<SimulationResult> {
    const { access, devices, durationMs, faults, print, salt, seed, speed, store } = this.#options;
    const chance: Chance = { draws: new Draws(seed), faults, chances: this.#options.chances ?? HARSH };
    // Whole loops, so that the last play of every screen ends with the run.
    const spanMs = Math.max(1, Math.floor((durationMs * speed) / LOOP_MS)) * LOOP_MS;
    const lagMs = (speed - 1) * durationMs + BEHIND_PRESENT_MS + LOOP_MS;
    if (lagMs > LAG_MOST_MS)
      throw new Stop("--duration times --speed may be 20 hours at most: the plays lie in the past, and those of yesterday are refused.");
    print(
      `Seed ${seed}: ${devices} screens for ${span(durationMs)}, ${speed} times faster than life. Faults: ${[...faults].join(", ") || "none"}.`,
    );
    // Pairing takes a while: what is today then must be today in the plans.
    const zones = zonesWhereToday(Date.now(), lagMs + HOUR_MS);
    const places = await createCatalogue(access, chance.draws, salt, zones, devices);
    store.note("salt", salt);
    const beginAt = Math.floor((Date.now() - lagMs) / LOOP_MS) * LOOP_MS;
    const fleet = new Fleet(store, (books) =>
      places.map((place, number) => {
        const name = `Screen ${number + 1}`;
        const character = characterOf(chance, number);
        return new Screen({ access, store, books, number, name, place, character, chance, beginAt, waitsForFiles: true, log: this.#log });
      }),
    );
    try {
      print(`Pairing ${devices} screens …`);
      await fleet.powerOn(fleet.screens, signal);
      await this.#play(fleet, beginAt, beginAt + spanMs, signal);
      await this.#drain(fleet, signal);
      const account = await this.#account(fleet, signal);
      return { ...account, lines: [...account.lines, this.#log.summary()], fingerprint: this.#log.fingerprint };
    } finally {
      await fleet.stop();
    }
  }

  async #play(fleet: Fleet, beginAt: number, end: number, signal: AbortSignal): Promise<void> {
    const { onProgress, speed } = this.#options;
    const over = new AbortController();
    const started = performance.now();
    const goal = () => Math.min(end, beginAt + (performance.now() - started) * speed);
    const playing = fleet.live(goal, end, AbortSignal.any([signal, over.signal]));
    // A fault of this program ends the run at once.
    const failed = playing.then(
      () => null,
      (error: unknown) => ({ error }),
    );
    let line = 0;
    // Looks, and not time: a machine may sleep.
    let stuck = { positions: 0, looks: 0 };
    while (!signal.aborted) {
      await systemHost.sleep(TICK_MS, signal);
      const left = fleet.screens.filter((screen) => screen.stopped === null && screen.position < end);
      await onProgress((goal() - beginAt) / (end - beginAt));
      if (performance.now() - line >= LINE_EVERY_MS) {
        line = performance.now();
        await this.#tell(fleet, "playing", (goal() - beginAt) / (end - beginAt));
      }
      if (goal() >= end && left.length === 0) break;
      const positions = fleet.screens.reduce((sum, { position }) => sum + position, 0);
      stuck = { positions, looks: positions === stuck.positions ? stuck.looks + 1 : 0 };
      if (stuck.looks > STUCK_LOOKS) throw new Stop(`Stuck before the end: ${left.map(({ name }) => name).join(", ")}`);
      const failure = await Promise.race([failed, Promise.resolve(undefined)]);
      if (failure) throw failure.error;
    }
    over.abort();
    await playing;
  }

  /** No faults any more, until nothing waits. */
  async #drain(fleet: Fleet, signal: AbortSignal): Promise<void> {
    fleet.beCalm(true);
    const until = performance.now() + DRAIN_LONGEST_MS;
    for (let line = 0; !signal.aborted && performance.now() < until; ) {
      const queued = await fleet.queued(fleet.screens);
      if (queued === 0 || performance.now() - line >= LINE_EVERY_MS) {
        line = performance.now();
        await this.#tell(fleet, "draining", 1);
      }
      if (queued === 0) return;
      await Promise.all(fleet.screens.map((screen) => screen.sendAll(signal)));
      await systemHost.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Reads the report until it agrees, or time is up. */
  async #account(fleet: Fleet, signal: AbortSignal): Promise<Account> {
    const until = performance.now() + SETTLE_LONGEST_MS;
    for (;;) {
      const recorded = await this.#recorded(fleet);
      const standing = await fleet.standing(fleet.screens);
      const account = closeBooks({ ...standing, recorded, fates: fleet.books.fates() });
      if (account.differences.length === 0 || signal.aborted || performance.now() > until) return account;
      await systemHost.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #recorded(fleet: Fleet) {
    const { access } = this.#options;
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const ids = fleet.screens.map(({ deviceId }) => deviceId);
    return await recordedByDevice(access, ids, day(Date.now() - 48 * HOUR_MS), day(Date.now() + 24 * HOUR_MS));
  }

  async #tell(fleet: Fleet, phase: string, share: number): Promise<void> {
    const queued = await fleet.queued(fleet.screens);
    const stopped = fleet.screens.filter((screen) => screen.stopped !== null).length;
    const elapsedMs = performance.now() - this.#startedAt;
    this.#options.print(progressLine({ elapsedMs, phase, share, fates: fleet.books.fates(), queued, stopped, log: this.#log }));
  }
}

function span(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
