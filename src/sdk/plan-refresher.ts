import type { Withheld } from "./authorised.ts";
import type { Host } from "./host.ts";
import { patienceMs } from "./http.ts";
import { Pauses } from "./pauses.ts";
import type { PlanKeeper, PlanRefresh } from "./plan.ts";

export interface PlanRefresherOptions {
  host: Host;
  plans: PlanKeeper;
  /** Ends the tries. */
  signal: AbortSignal;
  onOutcome: (outcome: PlanRefresh) => void;
}

/** Asks for the plan, one request after the other; and again by itself, soon and then ever more rarely, where it was not to be had. */
export class PlanRefresher {
  readonly #options: PlanRefresherOptions;
  readonly #pauses: Pauses;
  #last: Promise<unknown> = Promise.resolve();
  /** In a row. */
  #failures = 0;
  /** Of requests, so that a try that waits knows whether somebody has asked meanwhile. */
  #asked = 0;
  /** Whether the server said itself when to ask again. */
  #told = false;

  constructor(options: PlanRefresherOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.host);
  }

  /** Asks now, or behind the request that is under way. Never throws. */
  refresh(): Promise<PlanRefresh> {
    const mine = this.#last.then(() => this.#ask());
    this.#last = mine;
    return mine;
  }

  /** The network may be there again: a try that waits is made at once, unless the server said when. */
  tryAgain(): void {
    if (!this.#told) this.#pauses.cut();
  }

  async #ask(): Promise<PlanRefresh> {
    const { onOutcome, plans } = this.#options;
    this.#asked += 1;
    this.#pauses.arm();
    const outcome = await plans.refresh();
    this.#failures = outcome.kind === "wait" ? this.#failures + 1 : 0;
    this.#told = outcome.kind === "wait" && outcome.retryAfterMs !== null;
    onOutcome(outcome);
    if (outcome.kind === "wait") void this.#askLater(outcome);
    return outcome;
  }

  async #askLater({ retryAfterMs }: Withheld & { kind: "wait" }): Promise<void> {
    const { host, signal } = this.#options;
    const asked = this.#asked;
    await this.#pauses.wait(patienceMs(this.#failures, retryAfterMs, host.random()), signal);
    if (!signal.aborted && asked === this.#asked) await this.refresh();
  }
}
