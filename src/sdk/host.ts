/** One HTTP request as the SDK makes it. */
export interface HttpRequest {
  method: "GET" | "POST" | "PUT";
  headers: Record<string, string>;
  /** Text. */
  body?: string;
  /** In place of `body`, where it is no text. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** How long all of it may take, the body too; 30 s without it. */
  timeoutMs?: number;
}

/** Hears what a WebSocket brings. `closed` is called once, also where it never opened. */
export interface SocketListener {
  opened(): void;
  text(text: string): void;
  /** By the other end's close code (RFC 6455, 7.4), or 1006 where there is none. */
  closed(code: number, reason: string): void;
}

/** One end of a WebSocket. Neither call throws. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

/** What the SDK needs of the machine that it runs on. All time, chance and network come through here, so that tests are exact. */
export interface Host {
  fetch(url: string, request: HttpRequest): Promise<Response>;
  /** Opens a WebSocket. Absent where there are none: everything then goes over HTTP. */
  openSocket?(url: string, protocols: string[], listener: SocketListener): Socket;
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
/** What a timer can hold; a longer one would go off at once. Who sleeps looks at the time again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The host that browsers, Bun and Node are. */
export const systemHost: Host = {
  fetch: (url, { timeoutMs, body, bytes, ...request }) => {
    const sent = bytes ?? body;
    const signal = AbortSignal.timeout(timeoutMs ?? REQUEST_TIMEOUT_MS);
    return fetch(url, { ...request, ...(sent === undefined ? {} : { body: sent }), signal });
  },
  openSocket: openSystemSocket,
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
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener("abort", done);
    }),
};

const ABNORMAL_CLOSURE = 1006;

function openSystemSocket(url: string, protocols: string[], listener: SocketListener): Socket {
  const socket = new WebSocket(url, protocols);
  let over = false;
  const end = (code: number, reason: string) => {
    if (over) return;
    over = true;
    listener.closed(code, reason);
  };
  socket.addEventListener("open", () => listener.opened());
  socket.addEventListener("message", ({ data }) => {
    if (!over && typeof data === "string") listener.text(data);
  });
  socket.addEventListener("close", ({ code, reason }) => end(code, reason));
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      socket.close(1000);
      // Where the network is gone, the close frame is never answered.
      end(ABNORMAL_CLOSURE, "closed here");
    },
  };
}
