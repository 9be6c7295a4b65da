import type { Socket, SocketListener } from "../../src/sdk/host.ts";
import { FakeHost } from "./fake-host.ts";

interface Sleeper {
  at: number;
  wake: () => void;
}

/** One end of a WebSocket, of which the test is the other. */
export class FakeSocket implements Socket {
  readonly sent: string[] = [];
  closedHere = false;

  constructor(
    readonly url: string,
    readonly protocols: string[],
    readonly listener: SocketListener,
  ) {}

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closedHere = true;
  }

  /** What was sent, but for pings. */
  frames(): Record<string, unknown>[] {
    return this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  say(frame: Record<string, unknown>): void {
    this.listener.text(JSON.stringify(frame));
  }
}

const TURNS = 8;
const STEPS_MOST = 3000;

/** A host on which nobody waits: whoever sleeps is woken, in turn, for as long as the test waits for something. */
export class TimedHost extends FakeHost {
  readonly sockets: FakeSocket[] = [];
  openSocket?: (url: string, protocols: string[], listener: SocketListener) => Socket;
  #sleepers: Sleeper[] = [];

  /** Gives the host WebSockets, which the test answers. */
  withSockets(onOpen: (socket: FakeSocket) => void = () => {}): this {
    this.openSocket = (url, protocols, listener) => {
      const socket = new FakeSocket(url, protocols, listener);
      this.sockets.push(socket);
      onOpen(socket);
      return socket;
    };
    return this;
  }

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const sleeper = { at: this.elapsed + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      const leave = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Lets all work go on that waits for no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Lets time pass, from one sleeper's waking to the next, until the condition holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let step = 0; step < STEPS_MOST; step++) {
      await this.settle();
      if (await holds()) return;
      this.#wakeNext();
    }
    throw new Error(`It never came to this: ${what}`);
  }

  #wakeNext(): void {
    const next = this.#sleepers.reduce<Sleeper | null>((first, one) => (first && first.at <= one.at ? first : one), null);
    if (!next) return;
    this.#sleepers = this.#sleepers.filter((other) => other !== next);
    this.pass(Math.max(0, next.at - this.elapsed));
    next.wake();
  }
}
