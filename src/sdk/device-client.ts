import type { Plan } from "../plans/plan.ts";
import { DeviceClock, type KnownClocks, type PlayClock } from "./clock.ts";
import type { CommandHandler } from "./commands.ts";
import { endingHost } from "./ending-host.ts";
import { type Host, systemHost } from "./host.ts";
import { backoffMs, errorText } from "./http.ts";
import { createIdentity, type KeyAlgorithm, keepIdentity, thumbprintOf } from "./identity.ts";
import type { PlayerStorage } from "./kept.ts";
import type { OpenPlay, PlayItem } from "./open-play.ts";
import type { DeviceInfo, RequestedCode } from "./pairing.ts";
import { PairingDesk, type PairingView } from "./pairing-desk.ts";
import type { QueueCounts } from "./queue.ts";
import { type Credentials, TokenKeeper } from "./tokens.ts";
import type { PlayingSlot, WhatPlays } from "./what-plays.ts";
import { type MachineVitals, Works, type WorksEvent } from "./works.ts";

/** What a player is doing. */
export type ClientState =
  | { kind: "off" }
  /** Another player has this storage, and plays. This one looks every few seconds whether it is gone. */
  | { kind: "elsewhere" }
  /** It waits for a code to be typed in, or for its own to be approved. */
  | ({ kind: "unpaired" } & PairingView)
  | { kind: "running"; deviceId: string }
  /** The server says that the device may write no more. {@link DeviceClient.forget} makes it ready to be paired anew. */
  | { kind: "stopped"; code: string }
  /** It could not begin, and tries again: the disk, say. */
  | { kind: "failed"; problem: string };

export type ClientEvent = { type: "state"; state: ClientState } | WorksEvent;

export interface DeviceClientOptions {
  /** Where the server is: `https://signage.example`, without a path. */
  baseUrl: string;
  storage: PlayerStorage;
  /** The machine as it is, without it. */
  host?: Host;
  /** How the device signs; what it has signed with before stays. RS256 without it. */
  algorithm?: KeyAlgorithm;
  /** What the device says of itself at pairing. */
  deviceInfo?: DeviceInfo;
  /** Whether it asks for a code of its own when it is not paired; true without it. */
  ownCode?: boolean;
  /** See {@link WorksOptions}. */
  playClock?: PlayClock;
  screenshot?: (item: PlayItem | null) => Promise<Uint8Array<ArrayBuffer> | null>;
  wantsScreenshot?: (item: PlayItem) => boolean;
  commands?: Record<string, CommandHandler>;
  machine?: () => Promise<MachineVitals>;
  metadata?: () => Record<string, unknown>;
}

/** What a display of a player's health shows. */
export interface ClientStatus {
  state: ClientState;
  /** Null where there is no plan. */
  planEtag: string | null;
  planValidTo: string | null;
  /** Whether the plan's files have been looked for since the start. */
  ready: boolean;
  clockOffsetMs: number | null;
  clockDriftPpm: number;
  queue: QueueCounts;
  /** Whether logs go over the stream. */
  streaming: boolean;
  filesBytes: number;
  lastError: string | null;
}

const LOOK_AGAIN_MS = 5000;
const SYNCHRONISE_WITHIN_MS = 5000;

/** A player's whole connection with the server, from its first pairing on: `start`, then show what {@link DeviceClient.whatPlays} says. */
export class DeviceClient {
  readonly #options: DeviceClientOptions;
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  #state: ClientState = { kind: "off" };
  #stop = new AbortController();
  #life: Promise<void> | null = null;
  #clock: DeviceClock | null = null;
  #works: Works | null = null;
  #desk: PairingDesk | null = null;
  /** What pairing gave, in case that the disk did not take it. */
  #paired: Credentials | null = null;

  constructor(options: DeviceClientOptions) {
    this.#options = { ...options, baseUrl: options.baseUrl.replace(/\/+$/, "") };
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Null until it runs, and while it has never had one. */
  get plan(): Plan | null {
    return this.#works?.plans.plan ?? null;
  }

  /** Ms since 1970 by the server, as well as is known; by the machine's clock until the player was started. */
  serverNow(): number {
    return this.#clock?.serverNow() ?? (this.#options.host ?? systemHost).wallClock();
  }

  /** Hears of everything that happens. Returns what ends that. */
  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins. Pairs first where that was never done. Comes back at once: {@link on} hears the rest. */
  start(): void {
    if (this.#life) return;
    this.#stop = new AbortController();
    this.#life = this.#live(this.#stop.signal).finally(() => {
      this.#life = null;
    });
  }

  /**
   * Ends all that runs. Plays that are on the screen are reported interrupted; `leave` leaves them for the next start, as when
   * the power goes.
   */
  async stop(plays: "interrupt" | "leave" = "interrupt"): Promise<void> {
    if (plays === "interrupt") await this.#interruptAll();
    this.#stop.abort();
    await this.#life;
    this.#become({ kind: "off" });
  }

  /** The network may be there again: what waits out a failure is tried at once, unless the server said for how long. */
  tryAgain(): void {
    this.#works?.tryAgain();
  }

  /**
   * Pairs by a code that an administrator made and somebody typed in.
   * @throws ServerRefusal where the code is unknown, used or expired, or the server stays out of reach; Error where it is paired.
   */
  async pair(code: string): Promise<void> {
    if (!this.#desk) throw new Error("The player does not wait to be paired.");
    await this.#desk.enter(code);
  }

  /** Forgets which device this is: it pairs anew when it is started. Its key and the logs in its queue stay. It must not run. */
  async forget(): Promise<void> {
    if (this.#life && this.#state.kind !== "stopped") throw new Error("Stop the player first.");
    await this.#life;
    this.#paired = null;
    await this.#options.storage.value<Credentials | null>("credentials").save(null);
  }

  /** What is to be on the screen now, or at another instant (ms by the server). Null: it does not run, or has no plan. */
  whatPlays(at: number = this.serverNow(), pass: (playing: Pick<PlayingSlot, "slot" | "item">) => boolean = () => false): WhatPlays | null {
    const works = this.#works;
    return works?.whatPlays(at, (playing) => !this.#isHere(playing) || pass(playing)) ?? null;
  }

  /** The slot is on the screen from now on. `logId` names the play where the caller keeps books of its own. @throws Error where it does not run. */
  play(playing: PlayingSlot, logId?: string): OpenPlay {
    if (!this.#works) throw new Error("The player does not run.");
    return this.#works.play(playing, logId);
  }

  /** Whether the file of this hash is here, whole and right. */
  has(sha256: string): boolean {
    return this.#works?.content.has(sha256) === true;
  }

  async status(): Promise<ClientStatus> {
    const works = this.#works;
    return {
      state: this.#state,
      planEtag: this.plan?.etag ?? null,
      planValidTo: this.plan?.valid_to ?? null,
      ready: works?.ready ?? false,
      clockOffsetMs: this.#clock?.offsetMs ?? null,
      clockDriftPpm: this.#clock?.driftPpm ?? 0,
      queue: await this.#options.storage.queue.counts(),
      streaming: works?.streaming ?? false,
      filesBytes: works?.content.bytes ?? 0,
      lastError: works?.plans.lastError ?? works?.content.lastError ?? null,
    };
  }

  /** An item whose address is elsewhere is a page on the web: there is nothing of it to keep. */
  #isHere({ item }: Pick<PlayingSlot, "item">): boolean {
    return item.url !== `/v1/device/content/${item.sha256}` || this.has(item.sha256);
  }

  async #live(signal: AbortSignal): Promise<void> {
    const host = endingHost(this.#options.host ?? systemHost, signal);
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (await this.#turn(host, signal)) return;
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#become({ kind: "failed", problem: errorText(error) });
        await host.sleep(backoffMs(failures, host.random()), signal);
      }
    }
  }

  /** One try to play. Returns whether it was the last one. */
  async #turn(host: Host, signal: AbortSignal): Promise<boolean> {
    const lock = await this.#options.storage.lock();
    if (!lock) {
      this.#become({ kind: "elsewhere" });
      await host.sleep(LOOK_AGAIN_MS, signal);
      return false;
    }
    // What is still under way when this turn ends must not write to the storage of the next one.
    const over = new AbortController();
    try {
      const code = await this.#run(endingHost(host, over.signal), signal);
      if (code !== null) this.#become({ kind: "stopped", code });
      return true;
    } finally {
      over.abort();
      this.#works = null;
      await lock.release();
    }
  }

  async #run(host: Host, signal: AbortSignal): Promise<string | null> {
    const { algorithm, baseUrl, storage, ...options } = this.#options;
    const clock = await DeviceClock.open(host, storage.value<KnownClocks>("clocks"));
    this.#clock = clock;
    const identity = await keepIdentity(storage.identity, () => createIdentity(algorithm, storage.readableKeys));
    const store = storage.value<Credentials>("credentials");
    const key = await thumbprintOf(identity.publicJwk);
    const loaded = await store.load();
    // A key that was lost while the rest was not: all that is signed by the new one would be refused, and nobody would know.
    const kept = loaded?.key === undefined || loaded.key === key ? loaded : null;
    const credentials = kept ?? this.#paired ?? (await this.#pairUp(host, signal, identity));
    if (!credentials) return null;
    this.#paired = credentials;
    if (!kept) await store.save(credentials);
    // Without it the device's own clock says what plays and when tokens end, until a heartbeat tells. It must not hold up the screen.
    await Promise.race([clock.synchronise(baseUrl).catch(() => null), host.sleep(SYNCHRONISE_WITHIN_MS)]);
    const tokens = new TokenKeeper({ host, baseUrl, clock, store, credentials });
    const onEvent = (event: WorksEvent) => this.#tell(event);
    const works = await Works.open({ ...options, host, baseUrl, tokens, clock, identity, storage, onEvent });
    this.#works = works;
    this.#become({ kind: "running", deviceId: credentials.deviceId });
    try {
      const code = await works.run(signal);
      if (!signal.aborted) await this.#interruptAll();
      return code;
    } finally {
      works.end();
      await works.recorder.settled().catch(() => undefined);
    }
  }

  async #pairUp(host: Host, signal: AbortSignal, identity: Awaited<ReturnType<typeof createIdentity>>): Promise<Credentials | null> {
    const { baseUrl, deviceInfo, ownCode, storage } = this.#options;
    const desk = new PairingDesk({
      ...{ host, baseUrl, identity, info: deviceInfo ?? {}, ownCode: ownCode ?? true },
      store: storage.value<RequestedCode | null>("claim"),
      onView: (view) => this.#become({ kind: "unpaired", ...view }),
    });
    this.#desk = desk;
    try {
      const credentials = await desk.run(signal);
      return credentials && { ...credentials, key: await thumbprintOf(identity.publicJwk) };
    } finally {
      this.#desk = null;
    }
  }

  async #interruptAll(): Promise<void> {
    const open = this.#works?.recorder.open ?? [];
    await Promise.all(open.map((play) => play.interrupt().catch(() => undefined)));
  }

  #become(state: ClientState): void {
    // A device that waits for its approval asks again and again, and nothing is new.
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#tell({ type: "state", state });
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A display that fails is no reason to send no plays.
        console.error(`A listener of the player failed: ${errorText(error)}`);
      }
    }
  }
}
