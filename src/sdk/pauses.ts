import type { Host } from "./host.ts";

/** The pauses of a loop, which somebody else may cut short. */
export class Pauses {
  readonly #host: Pick<Host, "sleep">;
  #cut = new AbortController();

  constructor(host: Pick<Host, "sleep">) {
    this.#host = host;
  }

  /** To be called before the work that a pause follows: who cuts from now on cuts that one, even if it has not begun yet. */
  arm(): void {
    this.#cut = new AbortController();
  }

  /** Waits `ms`, or until somebody cuts it short, or the signal ends it. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#host.sleep(ms, AbortSignal.any([signal, this.#cut.signal]));
  }

  cut(): void {
    this.#cut.abort();
  }
}
