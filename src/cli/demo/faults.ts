import type { Host, HttpRequest } from "../../sdk/host.ts";

/** What is wrong with a screen for as long as the demo lasts. */
export interface Role {
  name: string;
  /** How far its clock is ahead, ms. */
  clockAheadMs: number;
  /** The code with which all of its plays must be refused. */
  refusedAs: string | null;
  /** How often a play of its is signed with a key that is not its own. */
  forges: number;
  /** How often it loses its network, per play. */
  losesNetwork: number;
}

const MINUTE_MS = 60_000;
const SOUND: Role = { name: "sound", clockAheadMs: 0, refusedAs: null, forges: 0, losesNetwork: 0.002 };
const ROLES: Role[] = [
  { ...SOUND, name: "clock 8 min fast", clockAheadMs: 8 * MINUTE_MS },
  { ...SOUND, name: "clock 40 min fast", clockAheadMs: 40 * MINUTE_MS, refusedAs: "CLOCK_SKEW" },
  { ...SOUND, name: "forger", forges: 0.1 },
  { ...SOUND, name: "bad network", losesNetwork: 0.03 },
];

/** The first screens have one fault each, the others none but what happens to everybody. */
export function roleOf(index: number): Role {
  return ROLES[index] ?? SOUND;
}

/** How often things go wrong for every screen. */
export const CHANCES = {
  /** A request never reaches the server. */
  requestLost: 0.02,
  /** The server answers, and the answer is lost: the screen must send again. */
  answerLost: 0.03,
  /** A log that was sent is sent once more, per play. */
  repeat: 0.02,
  /** The player restarts, per play; rare enough, at thirty times the speed of life, to be no crash loop. */
  restart: 0.0003,
};

const OFFLINE_SHORTEST_MS = 3000;
const OFFLINE_LONGEST_MS = 12_000;

/** A screen's network: a host whose requests may be lost, and which may be cut off for a while. */
export class ShakyNetwork implements Host {
  readonly #host: Host;
  readonly #role: Role;
  readonly #onSent: (url: string, request: HttpRequest) => void;
  #offlineUntil = 0;
  #plug = new AbortController();
  /** No faults: for the end of a shift, when the queues must drain. */
  calm = false;

  constructor(host: Host, role: Role, onSent: (url: string, request: HttpRequest) => void) {
    this.#host = host;
    this.#role = role;
    this.#onSent = onSent;
  }

  /** Cuts the screen off for some seconds. */
  cut(): void {
    const spell = OFFLINE_SHORTEST_MS + this.#host.random() * (OFFLINE_LONGEST_MS - OFFLINE_SHORTEST_MS);
    this.#offlineUntil = this.#host.monotonic() + spell;
  }

  /** Breaks off what is under way, as when the power goes. */
  hangUp(): void {
    this.#plug.abort();
    this.#plug = new AbortController();
  }

  get offline(): boolean {
    return this.#host.monotonic() < this.#offlineUntil;
  }

  async fetch(url: string, request: HttpRequest): Promise<Response> {
    if (this.offline) throw new TypeError("the screen is offline");
    if (!this.calm && this.#host.random() < CHANCES.requestLost) throw new TypeError("the request was lost");
    this.#onSent(url, request);
    const response = await unlessBroken(this.#host.fetch(url, request), this.#plug.signal);
    if (!this.calm && this.#host.random() < CHANCES.answerLost) throw new TypeError("the answer was lost");
    return response;
  }

  wallClock(): number {
    return this.#host.wallClock() + this.#role.clockAheadMs;
  }

  monotonic(): number {
    return this.#host.monotonic();
  }

  random(): number {
    return this.#host.random();
  }

  uuid(): string {
    return this.#host.uuid();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#host.sleep(ms, signal);
  }
}

/** What comes, unless the signal does before. */
async function unlessBroken<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const broken = Promise.withResolvers<never>();
  const breakOff = () => broken.reject(new TypeError("the power is gone"));
  signal.addEventListener("abort", breakOff, { once: true });
  try {
    return await Promise.race([work, broken.promise]);
  } finally {
    signal.removeEventListener("abort", breakOff);
  }
}
