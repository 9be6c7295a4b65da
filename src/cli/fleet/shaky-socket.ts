import type { Socket, SocketListener } from "../../sdk/host.ts";
import type { RequestFate } from "./decisions.ts";
import type { Troubles } from "./shaky-network.ts";

export interface ShakySocketOptions {
  /** What becomes of the next frame of plays. */
  fate: () => RequestFate;
  onSentLogs: (logs: number) => void;
  tally: (what: keyof Troubles) => void;
  onOver: () => void;
}

const ABNORMAL_CLOSURE = 1006;

/**
 * A WebSocket over a network that breaks: before a frame of plays was sent, or before its answer came. Frames are neither doubled
 * nor overtaken, since TCP would not have it.
 */
export class ShakySocket implements Socket {
  readonly #listener: SocketListener;
  readonly #options: ShakySocketOptions;
  #inner: Socket | null = null;
  #over = false;
  #losesAnswer = false;
  #slowUntil = 0;

  constructor(listener: SocketListener, options: ShakySocketOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  connect(open: (listener: SocketListener) => Socket): void {
    this.#inner = open({
      opened: () => {
        if (!this.#over) this.#listener.opened();
      },
      text: (text) => this.#hear(text),
      closed: (code, reason) => this.#close(code, reason),
    });
  }

  send(text: string): void {
    if (this.#over) return;
    const { fate, onSentLogs, tally } = this.#options;
    if (!text.startsWith('{"type":"plays"')) {
      this.#inner?.send(text);
      return;
    }
    const { foreign, lateMs, lost, slowMs } = fate();
    if (lost === "request" || foreign !== null || lateMs > 0) {
      tally("requestsLost");
      this.cut();
      return;
    }
    onSentLogs((JSON.parse(text) as { logs: unknown[] }).logs.length);
    this.#losesAnswer = lost === "answer";
    if (slowMs > 0) {
      tally("slow");
      this.#slowUntil = performance.now() + slowMs;
    }
    this.#inner?.send(text);
  }

  close(): void {
    this.#inner?.close();
    this.#close(ABNORMAL_CLOSURE, "closed here");
  }

  /** The network is gone: nobody says goodbye. */
  cut(): void {
    this.#inner?.close();
    this.#close(ABNORMAL_CLOSURE, "the network is gone");
  }

  #hear(text: string): void {
    if (this.#over) return;
    if (this.#losesAnswer) {
      this.#options.tally("answersLost");
      this.cut();
      return;
    }
    const deliver = () => {
      if (!this.#over) this.#listener.text(text);
    };
    const waitMs = this.#slowUntil - performance.now();
    if (waitMs <= 0) deliver();
    else setTimeout(deliver, waitMs);
  }

  #close(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onOver();
    this.#listener.closed(code, reason);
  }
}
