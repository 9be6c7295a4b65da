import { exports } from "cloudflare:workers";
import type { TestDevice } from "./device.ts";

export type StreamFrame = { type: string; id?: string | number | null } & Record<string, unknown>;

const URL = "http://localhost/v1/device/stream";

/** Asks for a stream as a browser does, unless other headers are given. */
export async function handshake(headers: Record<string, string>): Promise<Response> {
  return await exports.default.fetch(URL, { headers });
}

export function protocolsOf(device: Pick<TestDevice, "token">): Record<string, string> {
  return { Upgrade: "websocket", "Sec-WebSocket-Protocol": `alive.v1, bearer.${device.token}` };
}

/** A player's end of its live stream. */
export class TestStream {
  readonly #socket: WebSocket;
  readonly #arrived: string[] = [];
  #wanted: ((text: string) => void) | null = null;
  /** Settles when the server has closed it. */
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
    socket.addEventListener("message", ({ data }) => {
      const wanted = this.#wanted;
      this.#wanted = null;
      if (wanted) wanted(String(data));
      else this.#arrived.push(String(data));
    });
    socket.accept();
  }

  /** Opens a stream, and takes its welcome. */
  static async open(device: Pick<TestDevice, "token">): Promise<TestStream> {
    const response = await handshake(protocolsOf(device));
    if (!response.webSocket) throw new Error(`no stream: ${response.status} ${await response.text()}`);
    const stream = new TestStream(response.webSocket);
    const { type } = await stream.next();
    if (type !== "welcome") throw new Error(`no welcome, but ${type}`);
    return stream;
  }

  /** The next text that came, or comes. */
  async text(): Promise<string> {
    return this.#arrived.shift() ?? (await new Promise((resolve) => (this.#wanted = resolve)));
  }

  /** The next frame that came, or comes. */
  async next(): Promise<StreamFrame> {
    return JSON.parse(await this.text()) as StreamFrame;
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
  }

  /** Sends a frame and waits for what comes next. */
  async ask(frame: unknown): Promise<StreamFrame> {
    this.send(frame);
    return await this.next();
  }

  /** Sends logs as they leave now. */
  async plays(id: string | number, logs: unknown[], fields: Record<string, unknown> = {}): Promise<StreamFrame> {
    return await this.ask({ type: "plays", id, sent_at: new Date().toISOString(), logs, ...fields });
  }

  /** What came and was not asked for, once everything that was sent before has been taken. */
  async rest(): Promise<StreamFrame[]> {
    this.send({ type: "nothing", id: "rest" });
    const frames: StreamFrame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.id === "rest") return frames;
      frames.push(frame);
    }
  }

  close(code = 1000): void {
    this.#socket.close(code, "done");
  }
}
