import { systemHost } from "../../sdk/host.ts";
import type { AdminAccess } from "../fleet/api.ts";
import { type Chance, type Character, characterOf } from "../fleet/decisions.ts";
import { Draws } from "../fleet/draws.ts";
import { FAULTS, type Fault, MILD } from "../fleet/faults.ts";
import { Fleet } from "../fleet/fleet.ts";
import { type Finding, judge, recordedByDevice, reportLine } from "../fleet/report.ts";
import { RunLog } from "../fleet/run-log.ts";
import { Screen } from "../fleet/screen.ts";
import type { FleetStore } from "../fleet/store.ts";
import { createNetwork } from "./network.ts";
import { noteScreens, switchedOff } from "./switches.ts";

export interface ShowOptions {
  access: AdminAccess;
  store: FleetStore;
  screens: number;
  /** How many times faster than life the screens play until they have caught up with the present. */
  speed: number;
  print: (line: string) => void;
}

/** What went over the wire since the state began. */
interface Counters {
  sent: number;
  accepted: number;
  duplicate: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;
/** So far in the past a screen begins: under four hours, from which on plays count as late. */
const BEGIN_BEFORE_MS = 3.5 * HOUR_MS;
/** Screens stay this far behind the present, so that no play ends in the future. */
const BEHIND_PRESENT_MS = MINUTE_MS;
const TICK_MS = 250;
const LINE_EVERY_MS = 3000;
/** The fleet plays for a shift, then rests until everything has been counted, so that the sums can be compared. */
const SHIFT_MS = 20_000;
const REST_LONGEST_MS = 60_000;
const SEED_MOST = 2 ** 32;

/** The first screens have one fault each, the others none but what happens to everybody. */
const ROLES: Partial<Character>[] = [
  { clockAheadMs: 8 * MINUTE_MS },
  { clockAheadMs: 40 * MINUTE_MS, refusedAs: "CLOCK_SKEW" },
  { forges: 0.1 },
  { losesNetwork: 0.03 },
];
/** A demo that goes on for days keeps its screens' storage, and their clocks' faults to those that are known for them. */
const DEMO_FAULTS = (Object.keys(FAULTS) as Fault[]).filter((fault) => fault !== "reimaging" && fault !== "clocks");

/** The demo's screens, their books, and the comparison of both with the server's report. */
export class Show {
  readonly #options: ShowOptions;
  readonly #startedAt = performance.now();
  readonly #begunAt: number;
  readonly #before: Counters;
  readonly #log = new RunLog();
  #fleet: Fleet | null = null;
  #phase: "playing" | "resting" = "playing";
  #restSince = 0;
  #finding: Finding = { kind: "unknown" };

  constructor(options: ShowOptions) {
    this.#options = options;
    this.#begunAt = options.store.once("begun at", () => Date.now());
    this.#before = options.store.fact<Counters>("counters") ?? { sent: 0, accepted: 0, duplicate: 0 };
  }

  /** Makes the network, pairs the screens that never were, and switches all of them on. */
  async start(signal: AbortSignal): Promise<void> {
    const { access, print, store } = this.#options;
    print("Making the network through the API, where it is not there yet …");
    const network = await createNetwork(access, store, this.#options.screens);
    noteScreens(store, network.screens);
    const seed = store.once("seed", () => Math.floor(Math.random() * SEED_MOST));
    store.once("salt", () => crypto.randomUUID());
    const chance: Chance = { draws: new Draws(seed), faults: new Set(DEMO_FAULTS), chances: MILD };
    const beginAt = Date.now() - BEGIN_BEFORE_MS;
    this.#fleet = new Fleet(store, (books) =>
      network.screens.map(({ deviceId, name }, number) => {
        const character = { ...characterOf(chance, number), ...ROLES[number] };
        const place = { device_id: deviceId };
        return new Screen({ access, store, books, number, name, place, character, chance, beginAt, waitsForFiles: false, log: this.#log });
      }),
    );
    print(`${network.summary}. Pairing the screens and switching them on …`);
    const off = switchedOff(store);
    const screensOn = this.#fleet.screens.filter(({ deviceId }) => !off.has(deviceId));
    await this.#fleet.powerOn(screensOn, signal);
    if (off.size > 0) print(`Switched off by hand: ${this.#fleet.screens.length - screensOn.length} (bun run screens on all).`);
  }

  /** Plays and reports, shift by shift, until the signal or for a time (ms). Returns whether the sums agreed at the end. */
  async run(signal: AbortSignal, durationMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const fleet = this.#fleet;
    if (!fleet) return false;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    let goal = Math.max(...fleet.screens.map(({ position }) => position));
    const living = fleet.live(
      () => Math.min(goal, Date.now() - BEHIND_PRESENT_MS),
      Number.POSITIVE_INFINITY,
      either,
      (screen) => this.#obey(screen, either),
    );
    const reporting = this.#report(either);
    do {
      this.#enter("playing");
      await this.#forSome(SHIFT_MS, signal, (passedMs) => {
        goal = Math.min(goal + passedMs * this.#options.speed, Date.now() - BEHIND_PRESENT_MS);
        return false;
      });
      this.#enter("resting");
      await this.#forSome(REST_LONGEST_MS, signal, () => this.#finding.kind === "agree");
    } while (!signal.aborted && performance.now() - this.#startedAt < durationMs);
    over.abort();
    await Promise.all([living, reporting]);
    return this.#finding.kind === "agree";
  }

  async stop(): Promise<void> {
    await this.#fleet?.stop();
    this.#options.store.note("counters", this.#counters());
  }

  /** Calls `tick` with the time passed since the last call, for so long, or until it returns true. */
  async #forSome(ms: number, signal: AbortSignal, tick: (passedMs: number) => boolean): Promise<void> {
    const end = performance.now() + ms;
    for (let last = performance.now(); !signal.aborted && performance.now() < end; ) {
      await systemHost.sleep(TICK_MS, signal);
      const now = performance.now();
      if (tick(now - last)) return;
      last = now;
    }
  }

  /** Does what people want of a screen: switched by hand, or told to reboot. */
  async #obey(screen: Screen, signal: AbortSignal): Promise<void> {
    const { print, store } = this.#options;
    await screen.rebootIfAsked(signal);
    const off = switchedOff(store).has(screen.deviceId);
    if (screen.isOn !== off) return;
    if (screen.isOn) await screen.powerOff();
    else await screen.powerOn(signal);
    print(`${screen.name} is ${screen.isOn ? "on again" : "off"}.`);
  }

  #enter(phase: "playing" | "resting"): void {
    this.#phase = phase;
    this.#finding = { kind: "unknown" };
    this.#restSince = performance.now();
    this.#fleet?.beCalm(phase === "resting");
  }

  async #report(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await systemHost.sleep(LINE_EVERY_MS, signal);
      if (!signal.aborted) await this.#compare();
    }
  }

  async #compare(): Promise<void> {
    const { access, print, store } = this.#options;
    const fleet = this.#fleet;
    if (!fleet) return;
    const phase = this.#phase;
    const standing = fleet.screens.filter((screen) => screen.stopped === null);
    // What a screen that is off still has in its queue is not on its way.
    const writing = standing.filter((screen) => screen.isOn);
    const ids = writing.map((screen) => screen.deviceId);
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const recorded = await recordedByDevice(access, ids, day(this.#begunAt - 2 * DAY_MS), day(Date.now() + DAY_MS));
    // Read behind the report: what it holds was in the books before.
    const { expected, queued, refusals } = await fleet.standing(writing);
    const settled = phase === "resting" && queued === 0 && performance.now() - this.#restSince > REST_LONGEST_MS / 2;
    const finding = judge(expected, recorded, refusals, settled);
    if (this.#phase === phase) this.#finding = finding;
    const [stopped, off] = [fleet.screens.length - standing.length, standing.length - writing.length];
    const line = reportLine({
      ...{ elapsedMs: performance.now() - this.#startedAt, counters: this.#counters(), refusals, queued, expected, recorded, finding },
      phase: `${phase}${stopped > 0 ? `, ${stopped} stopped` : ""}${off > 0 ? `, ${off} off` : ""}`,
    });
    print(line);
    store.note("counters", this.#counters());
  }

  #counters(): Counters {
    const { accepted, duplicates, sentLogs } = this.#log;
    const { sent, accepted: acceptedBefore, duplicate } = this.#before;
    return { sent: sent + sentLogs, accepted: acceptedBefore + accepted, duplicate: duplicate + duplicates };
  }
}
