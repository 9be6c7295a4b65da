import { type Host, type HttpRequest, type Socket, type SocketListener, systemHost } from "../../sdk/host.ts";
import { type ForeignAnswer, type RequestFate, UNDISTURBED } from "./decisions.ts";
import { ShakySocket } from "./shaky-socket.ts";

/** How often what went wrong. */
export interface Troubles {
  offline: number;
  requestsLost: number;
  answersLost: number;
  doubled: number;
  late: number;
  slow: number;
  foreign: number;
}

export const NO_TROUBLES: Troubles = { offline: 0, requestsLost: 0, answersLost: 0, doubled: 0, late: 0, slow: 0, foreign: 0 };

export interface ShakyOptions {
  host: Host;
  /** How far the machine's clock is ahead now, ms. */
  clockErrorMs: () => number;
  /** Whether there are WebSockets. */
  streams: boolean;
  /** What becomes of the request of a kind with this number, from 0. */
  fateOf: (kind: RequestKind, number: number) => RequestFate;
  /** Hears of logs that go out. */
  onSentLogs: (logs: number) => void;
  tally: (what: keyof Troubles) => void;
}

/** What a request is for: what becomes of those of one kind does not depend on how often the others are made. */
export type RequestKind = "plays" | "frame" | "heartbeat" | "token" | "pairing" | "other";

/** The kind of a request by its URL. */
export function kindOf(url: string): RequestKind {
  if (url.includes("/playback-logs")) return "plays";
  if (url.endsWith("/heartbeat")) return "heartbeat";
  if (url.endsWith("/device/token")) return "token";
  return url.includes("/pairing/") ? "pairing" : "other";
}

/**
 * A fate that a request of this kind can have. Nothing answers in place of the server while a player is paired, since a person
 * stands before it then; and a refresh token that comes a second time, late, is what a thief's would be: the server must
 * revoke the device for it. Pure.
 */
export function fitting(kind: RequestKind, fate: RequestFate): RequestFate {
  if (kind === "token") return { ...fate, doubled: false, lateMs: 0, foreign: null };
  return kind === "pairing" ? { ...fate, foreign: null } : fate;
}

/** A screen's machine: its clock may be wrong, and its network loses, doubles, delays, or is not there at all. */
export class ShakyNetwork implements Host {
  readonly #options: ShakyOptions;
  readonly #requests = new Map<RequestKind, number>();
  readonly #sockets = new Set<ShakySocket>();
  #plug = new AbortController();
  #offline = false;
  /** No faults: for the end of a run, when the queues must drain. */
  calm = false;
  readonly openSocket?: NonNullable<Host["openSocket"]>;

  constructor(options: ShakyOptions) {
    this.#options = options;
    if (options.streams) this.openSocket = (url, protocols, listener) => this.#open(url, protocols, listener);
  }

  /** No network at all. */
  get offline(): boolean {
    return this.#offline;
  }

  set offline(offline: boolean) {
    this.#offline = offline;
    if (offline) this.#cutSockets();
  }

  /** Breaks off what is under way, as when the power goes. */
  hangUp(): void {
    this.#plug.abort();
    this.#plug = new AbortController();
    this.#cutSockets();
  }

  async fetch(url: string, request: HttpRequest): Promise<Response> {
    const { host, onSentLogs, tally } = this.#options;
    if (this.#offline) {
      tally("offline");
      throw new TypeError("the screen is offline");
    }
    const kind = kindOf(url);
    const fate = this.#nextFate(kind);
    if (fate.lost === "request") {
      tally("requestsLost");
      throw new TypeError("the request was lost");
    }
    if (fate.foreign) {
      tally("foreign");
      return foreignAnswer(fate.foreign);
    }
    if (kind === "plays") onSentLogs((JSON.parse(request.body ?? "") as { logs: unknown[] }).logs.length);
    if (fate.lateMs > 0) {
      tally("late");
      // Whatever comes of it, nobody hears.
      void host.sleep(fate.lateMs).then(() => this.#unheard(url, request));
      throw new TypeError("no answer in time");
    }
    if (fate.doubled) {
      tally("doubled");
      void this.#unheard(url, request);
    }
    return await this.#answer(url, request, fate);
  }

  wallClock(): number {
    return Math.round(this.#options.host.wallClock() + this.#options.clockErrorMs());
  }

  monotonic(): number {
    return this.#options.host.monotonic();
  }

  random(): number {
    return this.#options.host.random();
  }

  uuid(): string {
    return this.#options.host.uuid();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#options.host.sleep(ms, signal);
  }

  async #answer(url: string, request: HttpRequest, fate: RequestFate): Promise<Response> {
    const { host, tally } = this.#options;
    const plug = this.#plug.signal;
    const response = await unlessBroken(host.fetch(url, request), plug);
    if (fate.slowMs > 0) {
      tally("slow");
      await unlessBroken(host.sleep(fate.slowMs), plug);
    }
    if (fate.lost !== "answer") return response;
    tally("answersLost");
    await response.body?.cancel();
    throw new TypeError("the answer was lost");
  }

  #open(url: string, protocols: string[], listener: SocketListener): Socket {
    const { host, onSentLogs, tally } = this.#options;
    const open = host.openSocket ?? systemHost.openSocket;
    const socket = new ShakySocket(listener, {
      fate: () => this.#nextFate("frame"),
      onSentLogs,
      tally,
      onOver: () => this.#sockets.delete(socket),
    });
    this.#sockets.add(socket);
    if (this.#offline || !open) queueMicrotask(() => socket.cut());
    else socket.connect((inner) => open(url, protocols, inner));
    return socket;
  }

  #cutSockets(): void {
    for (const socket of this.#sockets) socket.cut();
  }

  #nextFate(kind: RequestKind): RequestFate {
    const number = this.#requests.get(kind) ?? 0;
    this.#requests.set(kind, number + 1);
    return this.calm ? UNDISTURBED : fitting(kind, this.#options.fateOf(kind, number));
  }

  async #unheard(url: string, request: HttpRequest): Promise<void> {
    try {
      await (await this.#options.host.fetch(url, request)).body?.cancel();
    } catch {
      // It did not arrive.
    }
  }
}

function foreignAnswer(by: ForeignAnswer): Response {
  const page = (status: number, headers: Record<string, string> = {}) =>
    new Response("<!doctype html><title>Welcome</title>", { status, headers: { "Content-Type": "text/html", ...headers } });
  switch (by) {
    case "portal":
      return page(200);
    case "bad gateway":
      return page(502);
    case "forbidden":
      return page(403);
    case "busy":
      return page(503, { "Retry-After": "2" });
  }
}

/** What comes, unless the signal does before. */
async function unlessBroken<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const broken = Promise.withResolvers<never>();
  const breakOff = () => broken.reject(new TypeError("the power is gone"));
  if (signal.aborted) breakOff();
  signal.addEventListener("abort", breakOff, { once: true });
  try {
    return await Promise.race([work, broken.promise]);
  } finally {
    signal.removeEventListener("abort", breakOff);
  }
}
