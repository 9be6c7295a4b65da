import { systemHost } from "../../sdk/host.ts";
import { Books, type Refusals, type SumsByDevice } from "./books.ts";
import type { Screen } from "./screen.ts";
import type { FleetStore } from "./store.ts";

const TICK_MS = 100;
const PAIR_AT_ONCE = 12;

/** How a fleet stands by its own books. */
export interface Standing {
  /** Logs in the queues. */
  queued: number;
  expected: SumsByDevice;
  acknowledged: SumsByDevice;
  refusals: Refusals;
}

/** Screens that play in a time of their own, which a pacemaker moves on. */
export class Fleet {
  readonly books: Books;
  readonly #screens: readonly Screen[];

  constructor(store: FleetStore, makeScreens: (books: Books) => readonly Screen[]) {
    this.books = new Books(store);
    this.#screens = makeScreens(this.books);
  }

  get screens(): readonly Screen[] {
    return this.#screens;
  }

  /** Switches screens on, a few at a time: there are only so many hands. */
  async powerOn(screens: readonly Screen[], signal: AbortSignal): Promise<void> {
    const left = [...screens];
    const hand = async () => {
      for (let screen = left.shift(); screen && !signal.aborted; screen = left.shift()) await screen.powerOn(signal);
    };
    await Promise.all(Array.from({ length: PAIR_AT_ONCE }, hand));
  }

  /**
   * Lets all screens play, each as fast as it can, up to where `goal` says (ms since 1970), until the signal. Nothing is begun
   * that would not end before `end`. `before` each look at its plan, a screen does what people want of it.
   * @throws what a screen throws: a fault of this program.
   */
  async live(
    goal: () => number,
    end: number,
    signal: AbortSignal,
    before: (screen: Screen) => Promise<void> = async () => {},
  ): Promise<void> {
    await Promise.all(
      this.#screens.map(async (screen) => {
        while (!signal.aborted) {
          await before(screen);
          await screen.playUntil(goal(), end, signal);
          await systemHost.sleep(TICK_MS, signal);
        }
      }),
    );
  }

  beCalm(calm: boolean): void {
    for (const screen of this.#screens) screen.beCalm(calm);
  }

  /** Logs that wait in these screens' queues. */
  async queued(screens: readonly Screen[]): Promise<number> {
    const queued = await Promise.all(screens.map((screen) => screen.queued()));
    return queued.reduce((sum, waiting) => sum + waiting, 0);
  }

  /** How these screens stand. */
  async standing(screens: readonly Screen[]): Promise<Standing> {
    const known = new Set(screens.map(({ deviceId }) => deviceId));
    const of = (sums: SumsByDevice) => new Map([...sums].filter(([device]) => known.has(device)));
    return {
      queued: await this.queued(screens),
      expected: of(this.books.expected()),
      acknowledged: of(this.books.acknowledgedSums()),
      refusals: this.books.refusals(known),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#screens.map((screen) => screen.powerOff()));
  }
}
