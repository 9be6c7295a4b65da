import type { Host, HttpRequest } from "../../src/sdk/host.ts";

export interface SeenRequest {
  url: string;
  headers: Record<string, string>;
  text: string;
  /** Where it was no text. */
  bytes?: Uint8Array;
}

export type Reply =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  /** A body of bytes, in pieces; `cut`: the connection breaks behind them. */
  | { status: number; pieces: Uint8Array[]; cut?: boolean; headers?: Record<string, string> }
  | "lost";

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
    const { body, bytes, headers } = request;
    const seen = { url, headers, text: body ?? "", ...(bytes ? { bytes } : {}) };
    this.requests.push(seen);
    const reply = this.reply(seen);
    if (reply === "lost") throw new TypeError("connection lost");
    if (reply.status === 304) return new Response(null, { status: 304 });
    if ("pieces" in reply) return new Response(streamOf(reply.pieces, reply.cut === true), reply);
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

function streamOf(pieces: Uint8Array[], cut: boolean): ReadableStream {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[next++];
      if (piece) controller.enqueue(piece);
      else if (cut) controller.error(new TypeError("connection cut"));
      else controller.close();
    },
  });
}
