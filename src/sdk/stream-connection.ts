import type { Host, Socket } from "./host.ts";
import type { Answer } from "./http.ts";
import type { SequencePosition } from "./verdicts.ts";

/** How a stream ended. */
export type StreamEnd =
  | { kind: "lost"; reason: string }
  /** Its token is not taken any more. */
  | { kind: "token" }
  /** A newer stream of this device took its place. */
  | { kind: "replaced" }
  /** To be opened anew at once. */
  | { kind: "renew" }
  /** The device may write no more. */
  | { kind: "stopped"; code: string };

/** What a stream says by itself. */
export interface ConnectionNews {
  onWelcome: (position: SequencePosition | null) => void;
  onPlan: () => void;
  /** What stands in the frame, unread. */
  onCommand: (value: unknown) => void;
}

const ANSWER_TIMEOUT_MS = 30_000;
const OPEN_TIMEOUT_MS = 15_000;
const PING_EVERY_MS = 30_000;
/** Silent for so long, in spite of a ping: the other end is gone, and nobody has said so. */
const SILENT_MS = 45_000;
const CLOSED_UNAUTHORIZED = 4401;
const CLOSED_REVOKED = 4403;
const CLOSED_REPLACED = 4409;

type Fields = Record<string, unknown>;

/** One WebSocket to the device's stream, from its opening to its end. */
export class StreamConnection {
  readonly #host: Host;
  readonly #news: ConnectionNews;
  readonly #socket: Socket;
  readonly #end = Promise.withResolvers<StreamEnd>();
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  readonly #welcomed = new AbortController();
  #over = false;
  #frames = 0;
  #heardAt: number;
  #ended: StreamEnd = { kind: "lost", reason: "closed" };
  /** Whether the server has said where the device stands: from then on logs can be sent. */
  welcome = false;

  constructor(host: Host, url: string, protocols: string[], news: ConnectionNews) {
    if (!host.openSocket) throw new Error("There are no WebSockets here.");
    this.#host = host;
    this.#news = news;
    this.#heardAt = host.monotonic();
    this.#socket = host.openSocket(url, protocols, {
      opened: () => this.#hear(),
      text: (text) => this.#read(text),
      closed: (code, reason) => this.#close(endOf(code, reason)),
    });
  }

  /** Resolves when it has ended. Never rejects. */
  get ended(): Promise<StreamEnd> {
    return this.#end.promise;
  }

  close(): void {
    this.#socket.close();
    this.#close(this.#ended);
  }

  /** Sends logs, and waits for their verdicts. Never throws. */
  async post(texts: readonly string[], sentAt: number): Promise<Answer> {
    if (this.#over) return { kind: "unreachable", error: "The stream has ended." };
    this.#frames += 1;
    const id = String(this.#frames);
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer.resolve);
    const done = new AbortController();
    this.#socket.send(`{"type":"plays","id":"${id}","sent_at":"${new Date(sentAt).toISOString()}","logs":[${texts.join(",")}]}`);
    void this.#host.sleep(ANSWER_TIMEOUT_MS, done.signal).then(() => {
      if (this.#waiting.has(id)) this.close();
    });
    const told = await answer.promise;
    done.abort();
    return told;
  }

  /** Pings the other end, and ends the stream where nothing is heard of it. Never throws. */
  async keepAlive(signal: AbortSignal): Promise<void> {
    await this.#host.sleep(OPEN_TIMEOUT_MS, AbortSignal.any([signal, this.#welcomed.signal]));
    if (!this.welcome && !signal.aborted) return this.close();
    while (!signal.aborted) {
      await this.#host.sleep(PING_EVERY_MS, signal);
      if (signal.aborted) return;
      if (this.#host.monotonic() - this.#heardAt > SILENT_MS) return this.close();
      this.#socket.send("ping");
    }
  }

  #hear(): void {
    this.#heardAt = this.#host.monotonic();
  }

  #read(text: string): void {
    this.#hear();
    const frame = parseFrame(text);
    switch (frame?.type) {
      case "welcome": {
        this.welcome = true;
        this.#welcomed.abort();
        const { epoch, expected_sequence: expectedSequence } = frame;
        this.#news.onWelcome(typeof epoch === "string" && typeof expectedSequence === "number" ? { epoch, expectedSequence } : null);
        return;
      }
      case "plan":
        this.#news.onPlan();
        return;
      case "command":
        this.#news.onCommand(frame.command);
        return;
      case "verdicts":
        this.#answer(frame.id, { kind: "answer", status: 202, body: frame, retryAfterMs: null });
        return;
      case "error":
        this.#answer(frame.id, refusalIn(frame));
    }
  }

  #answer(id: unknown, answer: Answer): void {
    const told = this.#waiting.get(String(id));
    this.#waiting.delete(String(id));
    told?.(answer);
  }

  #close(end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended = end;
    for (const told of this.#waiting.values()) told({ kind: "unreachable", error: "The stream ended." });
    this.#waiting.clear();
    this.#end.resolve(end);
  }
}

/** What a close code says. Pure. */
export function endOf(code: number, reason: string): StreamEnd {
  switch (code) {
    case CLOSED_UNAUTHORIZED:
      return { kind: "token" };
    case CLOSED_REVOKED:
      return { kind: "stopped", code: reason || "DEVICE_REVOKED" };
    case CLOSED_REPLACED:
      return { kind: "replaced" };
    default:
      return { kind: "lost", reason: reason || `CLOSED_${code}` };
  }
}

/** The problem in an `error` frame, as the same request over HTTP is answered. */
function refusalIn(frame: Fields): Answer {
  const problem = typeof frame.problem === "object" && frame.problem !== null ? (frame.problem as Fields) : {};
  return {
    kind: "answer",
    status: typeof problem.status === "number" ? problem.status : 500,
    body: problem,
    retryAfterMs: typeof frame.retry_after_s === "number" ? frame.retry_after_s * 1000 : null,
  };
}

function parseFrame(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : null;
  } catch {
    // `pong`, or what this player does not understand.
    return null;
  }
}
