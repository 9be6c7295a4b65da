/** One HTTP request as the SDK makes it. */
export interface HttpRequest {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** How long all of it may take, the body too; 30 s without it. */
  timeoutMs?: number;
}

/** What the SDK needs of the machine that it runs on. All time, chance and network come through here, so that tests are exact. */
export interface Host {
  fetch(url: string, request: HttpRequest): Promise<Response>;
  /** Milliseconds since 1970 by the machine's clock, which may be wrong and may jump. */
  wallClock(): number;
  /** Milliseconds since any fixed instant; never jumps, never goes back. */
  monotonic(): number;
  /** At least 0, less than 1. */
  random(): number;
  uuid(): string;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;

/** The host that browsers, Bun and Node are. */
export const systemHost: Host = {
  fetch: (url, { timeoutMs, ...request }) => fetch(url, { ...request, signal: AbortSignal.timeout(timeoutMs ?? REQUEST_TIMEOUT_MS) }),
  wallClock: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
    }),
};
