import type { DeviceAccess } from "./authorised.ts";
import { type Command, readCommand } from "./commands.ts";
import type { Answer } from "./http.ts";
import { backoffMs, errorText } from "./http.ts";
import { Pauses } from "./pauses.ts";
import { StreamConnection, type StreamEnd } from "./stream-connection.ts";
import type { SequencePosition } from "./verdicts.ts";

/** What goes over the stream instead of over HTTP. */
export interface LogStream {
  /** Whether logs can be sent over it now. */
  readonly open: boolean;
  /** Sends logs; `sentAt` in ms by the clock that timed them. An answer that does not come is `unreachable`. Never throws. */
  post(texts: readonly string[], sentAt: number): Promise<Answer>;
}

/** What the server says by itself. */
export interface StreamNews {
  /** The plan has changed. */
  onPlan: () => void;
  onCommand: (command: Command) => void;
  /** Where the server stands in the device's sequence. */
  onPosition: (position: SequencePosition) => void;
  /** The stream opened or ended. */
  onOpen?: (open: boolean) => void;
}

export interface StreamOptions extends DeviceAccess {
  news: StreamNews;
}

const PATH = "/v1/device/stream";
const SUBPROTOCOL = "alive.v1";
const LONGEST_WAIT_MS = 60_000;
/** Another player is this device, and the two must not take the stream from each other without end. */
const REPLACED_WAIT_MS = 5 * 60_000;
/** A stream that held for so long was a success. */
const HELD_MS = 30_000;
/** Behind the moment from which on there is a younger token. */
const RENEW_AFTER_MS = 1000;

/** Keeps a stream open, as well as that can be done. What it cannot do goes over HTTP: nothing hangs on it. */
export class StreamKeeper implements LogStream {
  readonly #options: StreamOptions;
  readonly #pauses: Pauses;
  #connection: StreamConnection | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.host);
  }

  get open(): boolean {
    return this.#connection?.welcome === true;
  }

  async post(texts: readonly string[], sentAt: number): Promise<Answer> {
    const connection = this.#connection;
    return connection ? await connection.post(texts, sentAt) : { kind: "unreachable", error: "The stream is not open." };
  }

  /** Opens streams, one after the other, until the signal ends it or the device may write no more. */
  async run(signal: AbortSignal): Promise<void> {
    const { host } = this.#options;
    let failures = 0;
    while (!signal.aborted && host.openSocket) {
      const begun = host.monotonic();
      this.#pauses.arm();
      const end = await this.#hold(signal).catch((error: unknown): StreamEnd => ({ kind: "lost", reason: errorText(error) }));
      if (end.kind === "stopped" || signal.aborted) break;
      if (end.kind === "renew") continue;
      failures = host.monotonic() - begun > HELD_MS ? 1 : failures + 1;
      if (end.kind === "replaced") await host.sleep(REPLACED_WAIT_MS, signal);
      else await this.#pauses.wait(Math.min(LONGEST_WAIT_MS, backoffMs(failures, host.random())), signal);
    }
  }

  /** The network may be there again: the next stream is opened at once, unless another player has it. */
  tryAgain(): void {
    this.#pauses.cut();
  }

  /** Opens one stream and stays until it ends, or is to be replaced by one with a younger token. */
  async #hold(signal: AbortSignal): Promise<StreamEnd> {
    const { baseUrl, host, news, tokens } = this.#options;
    const token = await tokens.token();
    if (token.kind === "unpaired") return { kind: "stopped", code: token.code };
    if (token.kind === "wait") return { kind: "lost", reason: "NO_TOKEN" };
    const over = new AbortController();
    const url = `${baseUrl.replace(/^http/, "ws")}${PATH}`;
    const connection = new StreamConnection(host, url, [SUBPROTOCOL, `bearer.${token.token}`], {
      onPlan: news.onPlan,
      onCommand: (value) => {
        for (const command of readCommand(value)) news.onCommand(command);
      },
      onWelcome: (position) => {
        news.onOpen?.(true);
        if (position) news.onPosition(position);
      },
    });
    this.#connection = connection;
    const ended = connection.ended.finally(() => over.abort());
    const stop = AbortSignal.any([signal, over.signal]);
    void connection.keepAlive(stop);
    // The server ends it at the first frame behind its token's end.
    await host.sleep(tokens.freshForMs + RENEW_AFTER_MS, stop);
    const renew = !over.signal.aborted && !signal.aborted;
    connection.close();
    const end = await ended;
    this.#connection = null;
    if (connection.welcome) news.onOpen?.(false);
    if (end.kind === "token") tokens.reject(token.token);
    return renew ? { kind: "renew" } : end;
  }
}
