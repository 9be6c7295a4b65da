import type { DeviceAccess } from "../../sdk/authorised.ts";
import type { DeviceClock } from "../../sdk/clock.ts";
import { type CommandBook, CommandDesk, type CommandHandler } from "../../sdk/commands.ts";
import { ContentKeeper } from "../../sdk/content.ts";
import { Counters, type Counts } from "../../sdk/counters.ts";
import { type Beat, HeartbeatClient, type HeartbeatNews, type NowPlaying, type Vitals } from "../../sdk/heartbeat.ts";
import { PlanKeeper } from "../../sdk/plan.ts";
import type { Recorder } from "../../sdk/recorder.ts";
import { type WhatPlays, whatPlays } from "../../sdk/what-plays.ts";
import { StoredFiles } from "./files.ts";
import type { DemoStore } from "./store.ts";

export interface CareOptions extends DeviceAccess {
  clock: DeviceClock;
  store: DemoStore;
  deviceId: string;
  recorder: Recorder;
  /** What the screen shows now. */
  nowPlaying: () => NowPlaying | null;
  /** Ends the player soon and starts it again. */
  reboot: () => void;
  /** Hears why the server lets it write no more. */
  onStopped: (code: string) => void;
}

/** What a demo screen's disk would hold. */
const DISK_BYTES = 16_000_000_000;
const FIRST_VERSION = "1.0.0";
const NEXT_VERSION = "1.1.0";

/** Facts of one device in the demo's store, by name. */
function fact<T>(store: DemoStore, name: string) {
  return {
    load: async () => store.fact<T>(name),
    save: async (value: T) => store.note(name, value),
  };
}

/** All that a screen's player does beside playing: plan, files, heartbeats and commands, as the SDK does them. */
export class Care {
  readonly #options: CareOptions;
  readonly #counters: Counters;
  readonly #plans: PlanKeeper;
  readonly #content: ContentKeeper;
  readonly #commands: CommandDesk;
  #storageCapBytes: number | null = null;
  #ended = false;
  /** Whether the player has looked for its plan and its files since it was started: what is not here then is not to be had now. */
  ready = false;

  private constructor(options: CareOptions, parts: { counters: Counters; plans: PlanKeeper; content: ContentKeeper }, desk: CommandDesk) {
    this.#options = options;
    this.#counters = parts.counters;
    this.#plans = parts.plans;
    this.#content = parts.content;
    this.#commands = desk;
  }

  static async open(options: CareOptions): Promise<Care> {
    const { store, deviceId } = options;
    const counters = await Counters.open(fact<Counts>(store, `counters ${deviceId}`));
    await counters.add("restarts");
    const plans = await PlanKeeper.open({ ...options, store: fact(store, `plan ${deviceId}`) });
    const content = await ContentKeeper.open({ ...options, store: new StoredFiles(store, deviceId), counters });
    const handlers = handlersOf(options, plans, content);
    const desk = await CommandDesk.open(fact<CommandBook>(store, `commands ${deviceId}`), handlers);
    return new Care(options, { counters, plans, content }, desk);
  }

  /** Looks after the screen until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const end = () => {
      this.#ended = true;
      void this.#content.stop();
    };
    signal.addEventListener("abort", end, { once: true });
    await this.#plans.refresh();
    await this.#tend();
    this.ready = true;
    const client = new HeartbeatClient({
      ...this.#options,
      vitals: () => this.#vitals(),
      results: () => this.#commands.results(),
      onNews: (news, told) => this.#hear(news, told),
      onBeat: (beat) => this.#onBeat(beat),
    });
    await client.run(signal);
    signal.removeEventListener("abort", end);
  }

  /** What the plan says for an instant (ms by the server), of what is here. Null: there is no plan. */
  whatPlays(at: number): WhatPlays | null {
    const { plan } = this.#plans;
    return plan && whatPlays(plan, at, ({ item }) => !this.#content.has(plan.items[item]?.sha256 ?? ""));
  }

  async #hear(news: HeartbeatNews, told: Parameters<CommandDesk["take"]>[0]): Promise<void> {
    this.#storageCapBytes = news.storageCapBytes;
    if (news.position) await this.#options.recorder.resume(news.position);
    await this.#commands.take(told, news.commands);
    if (this.#plans.isNews(news.planEtag)) await this.#plans.refresh();
    // Not waited for: a large file must not hold up the next heartbeat.
    void this.#tend();
  }

  async #tend(): Promise<void> {
    const { plan } = this.#plans;
    // The next player may be at these files already.
    if (plan && !this.#ended) await this.#content.tend(plan, this.#options.clock.serverNow(), this.#storageCapBytes);
  }

  async #vitals(): Promise<Vitals> {
    const { nowPlaying, store, deviceId } = this.#options;
    return {
      now_playing: nowPlaying(),
      disk_used_bytes: this.#content.bytes,
      disk_total_bytes: DISK_BYTES,
      plan_etag: this.#plans.plan?.etag ?? null,
      last_error: this.#plans.lastError ?? this.#content.lastError,
      counters: this.#counters.all(),
      player_version: store.fact<string>(`version ${deviceId}`) ?? FIRST_VERSION,
    };
  }

  #onBeat(beat: Beat): void {
    if (beat.kind === "stopped") this.#options.onStopped(beat.code);
  }
}

/** What a demo screen can be told. It has no picture of itself: `screenshot` fails, and says so. */
function handlersOf(options: CareOptions, plans: PlanKeeper, content: ContentKeeper): Record<string, CommandHandler> {
  const { deviceId, reboot, store } = options;
  const restart = () => {
    reboot();
    // The player ends in the middle of it. That it runs again says that it is done.
    return new Promise<null>(() => {});
  };
  return {
    reboot: restart,
    update: async ({ version }) => {
      store.note(`version ${deviceId}`, typeof version === "string" ? version : NEXT_VERSION);
      return await restart();
    },
    refresh_plan: async () => {
      const { kind } = await plans.refresh();
      if (kind !== "new" && kind !== "unchanged") throw new Error(`The plan could not be fetched: ${kind}.`);
      return { plan: kind, etag: plans.plan?.etag ?? null };
    },
    set_volume: async ({ level }) => {
      store.note(`volume ${deviceId}`, level);
      return { level };
    },
    clear_cache: async () => ({ files: await content.clear() }),
  };
}
