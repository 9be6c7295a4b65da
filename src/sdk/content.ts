import type { Plan } from "../plans/plan.ts";
import type { Withheld } from "./authorised.ts";
import type { Counters } from "./counters.ts";
import { type Downloaded, type DownloadOptions, download } from "./download.ts";
import type { KeptFile } from "./files.ts";
import { backoffMs, errorText } from "./http.ts";
import { decideStorage, filesOf, type NeededFile } from "./storage.ts";

/** What one pass over the files did. */
export interface Tended {
  fetched: string[];
  evicted: string[];
  /** Could not be had, and were counted as failures. */
  failed: string[];
  /** Needed, and over the cap. */
  tooMuch: string[];
  /** Why files are missing that are not to be had now; null where none are. The next pass goes on where this one stood. */
  withheld: Withheld | null;
}

export interface ContentOptions extends DownloadOptions {
  counters: Counters;
}

/** So many files that are not to be had now, and there is no network: one or two must not hold up what stands behind them. */
const WAITS_MOST = 3;

/** Whether a pass ends with a file that is not to be had now, of so many. Pure. */
function mustEnd(outcome: Withheld, waits: number): boolean {
  return outcome.kind === "stopped" || outcome.retryAfterMs !== null || waits >= WAITS_MOST;
}

/**
 * Keeps the files of the plan on the device: fetches them, from where the last try ended, believes none whose hash it has not
 * found right, and removes what no plan needs where there is no room. A file that cannot be had counts in `download_failures`.
 */
export class ContentKeeper {
  readonly #options: ContentOptions;
  #files = new Map<string, KeptFile>();
  #pass: Promise<Tended> | null = null;
  #stop = new AbortController();
  #lastError: string | null = null;
  /** Files that could not be had: how often in a row, and when to try again (ms, the monotonic clock: the device's may be set back). */
  readonly #failures = new Map<string, { times: number; notBefore: number }>();

  private constructor(options: ContentOptions) {
    this.#options = options;
  }

  static async open(options: ContentOptions): Promise<ContentKeeper> {
    const keeper = new ContentKeeper(options);
    await keeper.#look();
    return keeper;
  }

  /** Whether a file is here, whole and right. */
  has(sha256: string): boolean {
    return this.#files.get(sha256)?.complete === true;
  }

  /** How much all files take. */
  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Why a file of the plan is not here; null where nothing is wrong. For heartbeats. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /**
   * Fetches what the plan needs from `at` (ms by the server) on, and makes room for it within `capBytes` (null: no limit).
   * One pass; who asks while one is under way gets that one. Never throws.
   */
  tend(plan: Plan, at: number, capBytes: number | null): Promise<Tended> {
    this.#pass ??= this.#tend(filesOf(plan, at), capBytes, this.#stop.signal).finally(() => {
      this.#pass = null;
    });
    return this.#pass;
  }

  /** Ends a pass that is under way. What has come of its file stays. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#pass;
    this.#stop = new AbortController();
  }

  /** Removes all files; the next pass fetches what is needed. Returns how many there were. */
  async clear(): Promise<number> {
    await this.stop();
    const hashes = [...this.#files.keys()];
    await this.#remove(hashes);
    this.#failures.clear();
    return hashes.length;
  }

  async #tend(needed: NeededFile[], capBytes: number | null, signal: AbortSignal): Promise<Tended> {
    const tended: Tended = { fetched: [], evicted: [], failed: [], tooMuch: [], withheld: null };
    try {
      const decision = decideStorage(needed, [...this.#files.values()], capBytes);
      tended.tooMuch = decision.tooMuch.map(({ sha256 }) => sha256);
      tended.evicted = await this.#remove(decision.evict);
      let error = decision.tooMuch.length > 0 ? `The storage is too small for ${decision.tooMuch.length} of the plan's files.` : null;
      let waits = 0;
      for (const file of decision.fetch) {
        if (this.#options.host.monotonic() < (this.#failures.get(file.sha256)?.notBefore ?? 0)) {
          error ??= this.#lastError;
          continue;
        }
        const outcome = await this.#fetch(file, signal);
        if (outcome.kind === "wait" || outcome.kind === "stopped") {
          tended.withheld ??= outcome;
          waits += 1;
          if (mustEnd(outcome, waits) || signal.aborted) return tended;
          continue;
        }
        if (outcome.kind === "complete") {
          tended.fetched.push(file.sha256);
          continue;
        }
        error = outcome.error;
        tended.failed.push(file.sha256);
        await this.#fail(file);
        if (outcome.kind === "disk") tended.evicted.push(...(await this.#removeAllBut(needed)));
      }
      this.#lastError = error;
    } catch (error) {
      this.#lastError = `The files cannot be kept: ${errorText(error)}`;
    }
    return tended;
  }

  /** Fetches a file; once more from its beginning, where its bytes were wrong. */
  async #fetch(file: NeededFile, signal: AbortSignal): Promise<Exclude<Downloaded, { kind: "wrong" }>> {
    const tryOnce = async () => {
      const outcome = await download(this.#options, file, this.#files.get(file.sha256)?.bytes ?? 0, signal);
      await this.#look();
      return outcome;
    };
    const first = await tryOnce();
    const last = first.kind === "wrong" ? await tryOnce() : first;
    if (last.kind === "wrong") return { kind: "failed", error: `File ${file.sha256}: the bytes that came have another hash.` };
    if (last.kind === "complete") this.#failures.delete(file.sha256);
    return last;
  }

  async #fail({ sha256 }: NeededFile): Promise<void> {
    const { counters, host } = this.#options;
    const times = (this.#failures.get(sha256)?.times ?? 0) + 1;
    this.#failures.set(sha256, { times, notBefore: host.monotonic() + backoffMs(times, host.random()) });
    await counters.add("download_failures");
  }

  /** The disk is full before the cap is reached: what no plan needs makes room for the next try. */
  async #removeAllBut(needed: readonly NeededFile[]): Promise<string[]> {
    const wanted = new Set(needed.map(({ sha256 }) => sha256));
    return await this.#remove([...this.#files.keys()].filter((sha256) => !wanted.has(sha256)));
  }

  async #remove(hashes: string[]): Promise<string[]> {
    for (const sha256 of hashes) await this.#options.store.remove(sha256);
    await this.#look();
    return hashes;
  }

  async #look(): Promise<void> {
    this.#files = new Map((await this.#options.store.list()).map((file) => [file.sha256, file]));
  }
}
