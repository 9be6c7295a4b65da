import { type ClientEvent, DeviceClient } from "../../sdk/device-client.ts";
import { type Host, systemHost } from "../../sdk/host.ts";
import type { PlayQueue } from "../../sdk/queue.ts";
import { filesOf } from "../../sdk/storage.ts";
import type { AdminAccess } from "./api.ts";
import { type Chance, type Character, fateOfRequest } from "./decisions.ts";
import { DeviceStorage } from "./device-storage.ts";
import { commandsOf } from "./machine.ts";
import { type Place, pairUp } from "./pairing.ts";
import { ShakyNetwork, type Troubles } from "./shaky-network.ts";
import type { FleetStore } from "./store.ts";

export interface PlayerOptions {
  access: AdminAccess;
  store: FleetStore;
  /** Of the screen, from 0. */
  number: number;
  name: string;
  place: Place;
  character: Character;
  chance: Chance;
  /** Whether it plays nothing before it has all files of its plan. */
  waitsForFiles: boolean;
}

export interface PlayerHooks {
  /** Times the plays, ms since 1970 by the device. */
  playClock: () => number;
  /** From when on the plan's files are needed, ms since 1970. */
  position: () => number;
  /** Stands between the player and its queue. */
  overlook: (queue: PlayQueue) => PlayQueue;
  event: (event: ClientEvent) => void;
  sent: (logs: number) => void;
  trouble: (what: keyof Troubles) => void;
}

/** The machine of one screen: storage, network and clock, on which the SDK's client is started, ended, and started again. */
export class Player {
  readonly network: ShakyNetwork;
  readonly storage: DeviceStorage;
  readonly #options: PlayerOptions;
  readonly #hooks: PlayerHooks;
  readonly #startedAt = systemHost.monotonic();
  #client: DeviceClient | null = null;
  #deviceId: string | null;
  #complete = false;
  /** How far the machine's clock was set wrong, ms: what runs already does not notice. */
  clockJumpMs = 0;
  /** A command has asked for it. */
  rebootAsked = false;
  /** Why the server lets it write no more; null while it does. */
  stopped: string | null = null;

  constructor(options: PlayerOptions, hooks: PlayerHooks) {
    const { chance, character, number, place, store } = options;
    this.#options = options;
    this.#hooks = hooks;
    this.storage = new DeviceStorage(store, String(number), hooks.overlook);
    this.network = new ShakyNetwork({
      host: driftingHost(character.driftPpm),
      clockErrorMs: () => this.clockErrorMs + this.clockJumpMs,
      streams: character.streams,
      fateOf: (kind, request) => fateOfRequest(chance, number, kind, request),
      onSentLogs: hooks.sent,
      tally: hooks.trouble,
    });
    this.#deviceId = store.fact<string>(`device ${number}`) ?? ("device_id" in place ? place.device_id : null);
  }

  /** Empty as long as nobody knows it: before the first pairing. */
  get deviceId(): string {
    return this.#deviceId ?? "";
  }

  get isOn(): boolean {
    return this.#client !== null;
  }

  /** The client, where it runs and has what it needs to play; else null. */
  get client(): DeviceClient | null {
    return this.#complete ? this.#client : null;
  }

  /** How far its clock is ahead now, ms: jumps apart. */
  get clockErrorMs(): number {
    const { clockAheadMs, driftPpm } = this.#options.character;
    return clockAheadMs + ((systemHost.monotonic() - this.#startedAt) * driftPpm) / 1_000_000;
  }

  /** Starts it, and pairs it where it is not paired. Returns when it runs, or may not any more. */
  async powerOn(signal: AbortSignal): Promise<void> {
    const { access, character, name, number, place, store } = this.#options;
    // Whoever was a device before is paired in its place.
    const paired = this.#deviceId;
    const by = paired === null ? character.pairsBy : "code";
    this.#complete = false;
    const client = new DeviceClient({
      baseUrl: access.baseUrl,
      storage: this.storage,
      host: this.network,
      algorithm: character.algorithm,
      deviceInfo: { model: "Simulated player", name, player_version: "1.0.0" },
      ownCode: by === "approval",
      playClock: { now: this.#hooks.playClock },
      ...commandsOf(store, number, () => {
        this.rebootAsked = true;
      }),
    });
    this.#client = client;
    client.on((event) => {
      this.#hear(event, client);
      this.#hooks.event(event);
    });
    client.start();
    const deviceId = await pairUp(client, access, paired === null ? place : { device_id: paired }, by, signal);
    if (deviceId === null) return;
    this.#deviceId = deviceId;
    store.note(`device ${number}`, deviceId);
  }

  /** Ends it. What it shows is interrupted, or, where the power goes, left as it is. */
  async powerOff(power: "switched off" | "gone"): Promise<void> {
    this.network.hangUp();
    await this.#client?.stop(power === "gone" ? "leave" : "interrupt");
    this.#client = null;
    this.rebootAsked = false;
  }

  #hear(event: ClientEvent, client: DeviceClient): void {
    const { waitsForFiles } = this.#options;
    if (event.type === "state" && event.state.kind === "stopped") this.stopped = event.state.code;
    if (event.type !== "content" && event.type !== "plan") return;
    const { plan } = client;
    const needed = plan ? filesOf(plan, this.#hooks.position()) : null;
    const all = needed?.every(({ sha256 }) => client.has(sha256)) === true;
    this.#complete = all || (!waitsForFiles && (this.#complete || event.type === "content"));
  }
}

/** The machine with a clock that runs too fast by so much: all of its clocks, as it has one crystal. */
function driftingHost(driftPpm: number): Host {
  return { ...systemHost, monotonic: () => systemHost.monotonic() * (1 + driftPpm / 1_000_000) };
}
