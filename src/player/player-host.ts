import { type Host, systemHost, type ValueStore } from "../sdk/index.ts";

/** So often at most the time is noted. */
const NOTE_EVERY_MS = 60_000;

/**
 * The browser as a host whose clock is never behind what the server has said already: a machine without a battery for its clock
 * starts in the past, and without a network it would find nothing in its plan. Plays that are timed by it are corrected when the
 * server is heard again, as those of any clock that is wrong.
 */
export class PlayerHost {
  readonly host: Host;
  readonly #store: ValueStore<number>;
  #notedAt = Number.NEGATIVE_INFINITY;

  private constructor(store: ValueStore<number>, heard: number) {
    this.#store = store;
    const since = systemHost.monotonic();
    this.host = { ...systemHost, wallClock: () => Math.max(systemHost.wallClock(), heard + systemHost.monotonic() - since) };
  }

  static async open(store: ValueStore<number>): Promise<PlayerHost> {
    const heard = await store.load().catch(() => null);
    return new PlayerHost(store, typeof heard === "number" ? heard : 0);
  }

  /** The server has said that it is so late, ms since 1970. */
  async hear(serverNow: number): Promise<void> {
    if (systemHost.monotonic() - this.#notedAt < NOTE_EVERY_MS) return;
    this.#notedAt = systemHost.monotonic();
    // Where the disk does not take it, the next start knows of an earlier time.
    await this.#store.save(serverNow).catch(() => undefined);
  }
}
