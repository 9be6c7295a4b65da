import type { Host, HttpRequest } from "../../src/sdk/host.ts";

export interface SeenRequest {
  url: string;
  headers: Record<string, string>;
  text: string;
}

export type Reply = { status: number; body?: unknown; headers?: Record<string, string> } | "lost";

/** A host whose clock moves only when it is told to, and whose server answers what the test says. */
export class FakeHost implements Host {
  wall = Date.parse("2026-11-20T12:00:00.000Z");
  elapsed = 1000;
  chance = 0;
  readonly requests: SeenRequest[] = [];
  readonly slept: number[] = [];
  #ids = 0;

  constructor(public reply: (request: SeenRequest) => Reply) {}

  async fetch(url: string, request: HttpRequest): Promise<Response> {
    const seen = { url, headers: request.headers, text: request.body ?? "" };
    this.requests.push(seen);
    const reply = this.reply(seen);
    if (reply === "lost") throw new TypeError("connection lost");
    return Response.json(reply.body ?? {}, { status: reply.status, headers: reply.headers ?? {} });
  }

  wallClock(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.elapsed;
  }

  random(): number {
    return this.chance;
  }

  uuid(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, "0")}`;
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.pass(ms);
  }

  /** Time passes. */
  pass(ms: number): void {
    this.wall += ms;
    this.elapsed += ms;
  }
}
