/**
 * Leaves something alone that keeps failing: after so many failures in a row it is open for a while; then one try decides.
 * State lives in memory, per isolate or object: it spares time, nothing depends on it.
 */
export class Breaker {
  #failures = 0;
  #openUntil = 0;

  constructor(
    private readonly maxFailures: number,
    private readonly openMs: number,
  ) {}

  /** When the next try is allowed; not after `now` where it is allowed at once. */
  get openUntil(): number {
    return this.#openUntil;
  }

  get failures(): number {
    return this.#failures;
  }

  allows(now: number): boolean {
    return now >= this.#openUntil;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }

  failed(now: number): void {
    this.#failures += 1;
    if (this.#failures >= this.maxFailures) this.#openUntil = now + this.openMs;
  }
}
