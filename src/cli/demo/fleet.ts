import type { Round } from "../../sdk/client.ts";
import { systemHost } from "../../sdk/host.ts";
import type { AdminAccess } from "./api.ts";
import { Books } from "./books.ts";
import { roleOf } from "./faults.ts";
import { createNetwork } from "./network.ts";
import { type Counters, type Finding, judge, recordedByDevice, reportLine } from "./report.ts";
import { Screen } from "./screen.ts";
import type { DemoStore } from "./store.ts";
import { noteScreens, switchedOff } from "./switches.ts";

export interface FleetOptions {
  access: AdminAccess;
  store: DemoStore;
  screens: number;
  /** How many times faster than life the screens play until they have caught up with the present. */
  speed: number;
  print: (line: string) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** So far in the past a screen begins: under four hours, from which on plays count as late. */
const BEGIN_BEFORE_MS = 3.5 * HOUR_MS;
/** Screens stay this far behind the present, so that no play ends in the future. */
const BEHIND_PRESENT_MS = 60_000;
const TICK_MS = 250;
const LINE_EVERY_MS = 3000;
/** The fleet plays for a shift, then rests until everything has been counted, so that the sums can be compared. */
const SHIFT_MS = 20_000;
const REST_LONGEST_MS = 60_000;
const PAIR_AT_ONCE = 6;

/** The demo's screens, their books, and the comparison of both with the server's report. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #books: Books;
  readonly #startedAt = performance.now();
  readonly #begunAt: number;
  readonly #counters: Counters;
  #screens: Screen[] = [];
  #phase: "pairing" | "playing" | "resting" = "pairing";
  #restSince = 0;
  #finding: Finding = { kind: "unknown" };

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#books = new Books(options.store);
    this.#begunAt = options.store.once("begun at", () => Date.now());
    this.#counters = options.store.fact<Counters>("counters") ?? { sent: 0, accepted: 0, duplicate: 0 };
  }

  /** Makes the network, pairs the screens that never were, and switches all of them on. */
  async start(signal: AbortSignal): Promise<void> {
    const { access, print, store } = this.#options;
    print("Making the network through the API, where it is not there yet …");
    const network = await createNetwork(access, store, this.#options.screens);
    const onRound = (round: Round) => this.#count(round);
    const onSentLogs = (logs: number) => {
      this.#counters.sent += logs;
    };
    noteScreens(store, network.screens);
    const beginAt = Date.now() - BEGIN_BEFORE_MS;
    this.#screens = network.screens.map(
      (screen, index) => new Screen({ access, store, books: this.#books, screen, role: roleOf(index), onRound, onSentLogs }, beginAt),
    );
    print(`${network.summary}. Pairing the screens and switching them on …`);
    const off = switchedOff(store);
    const screensOn = this.#screens.filter(({ deviceId }) => !off.has(deviceId));
    for (let at = 0; at < screensOn.length && !signal.aborted; at += PAIR_AT_ONCE)
      await Promise.all(screensOn.slice(at, at + PAIR_AT_ONCE).map((screen) => screen.powerOn()));
    if (off.size > 0) print(`Switched off by hand: ${this.#screens.length - screensOn.length} (bun run screens on all).`);
  }

  /** Plays and reports, shift by shift, until the signal or for a time (ms). Returns whether the sums agreed at the end. */
  async run(signal: AbortSignal, durationMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const over = new AbortController();
    const reporting = this.#report(AbortSignal.any([signal, over.signal]));
    do {
      await this.#playShift(signal);
      await this.#rest(signal);
    } while (!signal.aborted && performance.now() - this.#startedAt < durationMs);
    over.abort();
    await reporting;
    return this.#finding.kind === "agree";
  }

  async stop(): Promise<void> {
    await Promise.all(this.#screens.map((screen) => screen.powerOff()));
    this.#options.store.note("counters", this.#counters);
  }

  async #playShift(signal: AbortSignal): Promise<void> {
    this.#enter("playing");
    const goals = new Map(this.#screens.map((screen) => [screen, screen.position]));
    const end = performance.now() + SHIFT_MS;
    let last = performance.now();
    while (!signal.aborted && performance.now() < end) {
      await Bun.sleep(TICK_MS);
      await this.#obey();
      const passed = (performance.now() - last) * this.#options.speed;
      last = performance.now();
      await Promise.all(
        this.#screens.map(async (screen) => {
          const goal = Math.min((goals.get(screen) ?? 0) + passed, Date.now() - BEHIND_PRESENT_MS);
          goals.set(screen, goal);
          await screen.playUntil(goal);
        }),
      );
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    this.#enter("resting");
    const end = performance.now() + REST_LONGEST_MS;
    while (!signal.aborted && performance.now() < end && this.#finding.kind !== "agree") {
      await Bun.sleep(TICK_MS);
      await this.#obey();
    }
  }

  /** Does what people want of screens: switched by hand, or told to reboot. */
  async #obey(): Promise<void> {
    const { print, store } = this.#options;
    const off = switchedOff(store);
    await Promise.all(
      this.#screens.map(async (screen) => {
        await screen.rebootIfAsked();
        if (screen.isOn !== off.has(screen.deviceId)) return;
        if (screen.isOn) await screen.powerOff();
        else await screen.powerOn();
        print(`${screen.name} is ${screen.isOn ? "on again" : "off"}.`);
      }),
    );
  }

  #enter(phase: "playing" | "resting"): void {
    this.#phase = phase;
    this.#finding = { kind: "unknown" };
    this.#restSince = performance.now();
    for (const screen of this.#screens) screen.network.calm = phase === "resting";
  }

  async #report(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await systemHost.sleep(LINE_EVERY_MS, signal);
      if (!signal.aborted) await this.#compare();
    }
  }

  async #compare(): Promise<void> {
    const { access, print, store } = this.#options;
    const phase = this.#phase;
    const standing = this.#screens.filter((screen) => screen.stopped === null);
    // What a screen that is off still has in its queue is not on its way.
    const writing = standing.filter((screen) => screen.isOn);
    const ids = writing.map((screen) => screen.deviceId);
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const recorded = await recordedByDevice(access, ids, day(this.#begunAt - 2 * DAY_MS), day(Date.now() + DAY_MS));
    // Read behind the report: what it holds was in the books before.
    const known = new Set(ids);
    const expected = new Map([...this.#books.expected()].filter(([device]) => known.has(device)));
    const refusals = this.#books.refusals(known);
    const queued = (await Promise.all(writing.map((screen) => screen.queue.waiting()))).reduce((sum, waiting) => sum + waiting, 0);
    const settled = phase === "resting" && queued === 0 && performance.now() - this.#restSince > REST_LONGEST_MS / 2;
    const finding = judge(expected, recorded, refusals, settled);
    if (this.#phase === phase) this.#finding = finding;
    const [stopped, off] = [this.#screens.length - standing.length, standing.length - writing.length];
    const line = reportLine({
      ...{ elapsedMs: performance.now() - this.#startedAt, counters: this.#counters, refusals, queued, expected, recorded, finding },
      phase: `${phase}${stopped > 0 ? `, ${stopped} stopped` : ""}${off > 0 ? `, ${off} off` : ""}`,
    });
    print(line);
    store.note("counters", this.#counters);
  }

  #count(round: Round): void {
    if (round.kind !== "sent") return;
    this.#counters.accepted += round.processed - round.duplicates;
    this.#counters.duplicate += round.duplicates;
  }
}
