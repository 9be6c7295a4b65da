/** What a player counts. The server watches `restarts` and `download_failures`; others may stand beside them. */
export type Counts = Record<string, number>;

export interface CounterStore {
  load(): Promise<Counts | null>;
  save(counts: Counts): Promise<void>;
}

/** Numbers that only grow, over restarts of the player too. */
export class Counters {
  readonly #store: CounterStore;
  #counts: Counts;
  #last: Promise<void> = Promise.resolve();

  private constructor(store: CounterStore, counts: Counts) {
    this.#store = store;
    this.#counts = counts;
  }

  static async open(store: CounterStore): Promise<Counters> {
    return new Counters(store, { restarts: 0, download_failures: 0, ...(await store.load()) });
  }

  /** Counts one more. Where the disk does not take it, it counts until the next restart. */
  async add(name: string): Promise<void> {
    this.#counts = { ...this.#counts, [name]: (this.#counts[name] ?? 0) + 1 };
    this.#last = this.#last.then(() => this.#store.save(this.#counts)).catch(() => undefined);
    await this.#last;
  }

  all(): Counts {
    return { ...this.#counts };
  }
}
