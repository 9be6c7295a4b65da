import { PlayLogClient, type Round } from "../../sdk/client.ts";
import { DeviceClock } from "../../sdk/clock.ts";
import type { NowPlaying } from "../../sdk/heartbeat.ts";
import { systemHost } from "../../sdk/host.ts";
import { createIdentity, exportIdentity, type Identity, identityFromJwk, keepIdentity, type PrivateJwk } from "../../sdk/identity.ts";
import { pairWithCode } from "../../sdk/pairing.ts";
import { type PlayItem, Recorder, type RecorderState, type RecorderStore } from "../../sdk/recorder.ts";
import { type Credentials, TokenKeeper } from "../../sdk/tokens.ts";
import type { SequencePosition } from "../../sdk/verdicts.ts";
import type { PlayingSlot, WhatPlays } from "../../sdk/what-plays.ts";
import { type AdminAccess, adminPost } from "./api.ts";
import type { BookedPlay, Books } from "./books.ts";
import { Care } from "./care.ts";
import { CHANCES, type Role, ShakyNetwork } from "./faults.ts";
import type { DemoScreen } from "./network.ts";
import { type DemoStore, StoredQueue } from "./store.ts";

export interface ScreenOptions {
  access: AdminAccess;
  store: DemoStore;
  books: Books;
  screen: DemoScreen;
  role: Role;
  onRound: (round: Round) => void;
  onSentLogs: (logs: number) => void;
}

const NO_SEQUENCE: RecorderStore = { load: async () => null, save: async () => {} };

/** How a play ends, as drawn. `share` of the item's length is shown; the status is what it must be recorded as. */
interface Ending {
  call: "finish" | "interrupt" | "skip" | "fail";
  share: number;
  status: BookedPlay["status"];
}
/** The plan cuts the slot before its item's end. */
const CUT: Ending = { call: "interrupt", share: 1, status: "INTERRUPTED" };

const ENDINGS: [chance: number, ending: Ending][] = [
  [0.03, { call: "skip", share: 0.3, status: "SKIPPED" }],
  [0.02, { call: "interrupt", share: 0.5, status: "INTERRUPTED" }],
  [0.01, { call: "fail", share: 0, status: "ERROR" }],
  // Called complete by its device, and not: under 80 % of what the version lasts.
  [0.02, { call: "finish", share: 0.7, status: "PARTIAL" }],
];
const TO_THE_END: Ending = { call: "finish", share: 1, status: "COMPLETED" };

/** How a play ends for a number drawn in [0, 1). */
export function drawEnding(random: number): Ending {
  let below = 0;
  for (const [chance, ending] of ENDINGS) {
    below += chance;
    if (random < below) return ending;
  }
  return TO_THE_END;
}

/** A player between power on and power off. */
interface Running {
  care: Care;
  recorder: Recorder;
  /** The same player, signing with a key that is not its own. */
  forger: Recorder | null;
  stop: AbortController;
  ended: Promise<unknown>;
}

/** One screen of the fleet: a real player of the SDK, in whose past the time runs faster. */
export class Screen {
  readonly queue: StoredQueue;
  readonly network: ShakyNetwork;
  readonly #options: ScreenOptions;
  #identity: Identity | null = null;
  #running: Running | null = null;
  #nowPlaying: NowPlaying | null = null;
  #rebootAsked = false;
  #repeat: { log_id: string; text: string } | null = null;
  /** Why the server lets it write no more; null while it does. */
  stopped: string | null = null;
  /** Until when the screen has played, ms since 1970. */
  position: number;

  constructor(options: ScreenOptions, beginAt: number) {
    this.#options = options;
    this.queue = new StoredQueue(options.store, this.deviceId);
    this.network = new ShakyNetwork(systemHost, options.role, (url, request) => {
      if (!url.endsWith("/playback-logs/batch")) return;
      options.onSentLogs((JSON.parse(request.body ?? "") as { logs: unknown[] }).logs.length);
    });
    this.position = Math.max(options.store.fact<number>(`position ${this.deviceId}`) ?? 0, beginAt);
  }

  get name(): string {
    return this.#options.screen.name;
  }

  get deviceId(): string {
    return this.#options.screen.deviceId;
  }

  /** Pairs if it never was, and starts the player. */
  async powerOn(): Promise<void> {
    const { access, role } = this.#options;
    const host = this.network;
    this.#identity ??= await keepIdentity(this.#keys(), () => createIdentity("RS256", true));
    const identity = this.#identity;
    const clock = new DeviceClock(host);
    const credentials = (await this.#credentials().load()) ?? (await this.#pair(identity));
    const tokens = new TokenKeeper({ host, baseUrl: access.baseUrl, clock, store: this.#credentials(), credentials });
    // Without it, tokens are renewed by the screen's own clock, and at the latest when they are refused.
    await clock.synchronise(access.baseUrl).catch(() => null);
    const recorder = await this.#recorder(identity, this.#sequence());
    // A forger knows nothing of the real player's numbers.
    const forger = role.forges > 0 ? await this.#recorder(await createIdentity("RS256"), NO_SEQUENCE) : null;
    const onPosition = async (position: SequencePosition) => {
      await recorder.resume(position);
    };
    const client = new PlayLogClient({
      host,
      baseUrl: access.baseUrl,
      clock,
      queue: this.queue,
      tokens,
      onPosition,
      onRound: (round) => this.#hear(round),
    });
    const care = await Care.open({
      ...{ host, baseUrl: access.baseUrl, tokens, clock, recorder, store: this.#options.store, deviceId: this.deviceId },
      nowPlaying: () => this.#nowPlaying,
      reboot: () => {
        this.#rebootAsked = true;
      },
      onStopped: (code) => {
        this.stopped = code;
      },
    });
    const stop = new AbortController();
    const ended = Promise.all([client.run(stop.signal), care.run(stop.signal)]);
    this.#running = { care, recorder, forger, stop, ended };
  }

  async powerOff(): Promise<void> {
    this.#running?.stop.abort();
    this.network.hangUp();
    await this.#running?.ended;
    this.#running = null;
    this.#nowPlaying = null;
    this.#rebootAsked = false;
  }

  get isOn(): boolean {
    return this.#running !== null;
  }

  /** Restarts the player, where a command has asked for it. */
  async rebootIfAsked(): Promise<void> {
    if (!this.#rebootAsked || !this.#running) return;
    await this.powerOff();
    await this.powerOn();
  }

  /** Shows what the plan says, slot by slot, until the screen's time has come to `until` (ms), with what may go wrong meanwhile. */
  async playUntil(until: number): Promise<void> {
    while (this.#running?.care.ready && this.stopped === null) {
      const playing = this.#running.care.whatPlays(this.position);
      const step = playing && nextStep(playing, this.position);
      if (!step || step.to > until) return;
      if (step.play) {
        await this.#play(this.#running, step.play);
        await this.#mishap();
      }
      this.#moveTo(step.to);
    }
  }

  async #play(running: Running, playing: PlayingSlot): Promise<void> {
    const { books, role } = this.#options;
    const { item, terms, slot } = playing;
    const slotMs = playing.endsAt - playing.startsAt;
    const ending = slotMs < (terms.duration_ms ?? 0) ? CUT : drawEnding(Math.random());
    const forged = running.forger !== null && Math.random() < role.forges;
    const durationMs = Math.round(slotMs * ending.share);
    const logId = crypto.randomUUID();
    books.write({
      logId,
      device: this.deviceId,
      status: ending.status,
      durationMs,
      // Nobody knows when a play of unknown length is complete.
      billable: ending.status === "COMPLETED" && terms.campaign_id !== null && terms.duration_ms !== null,
      refusal: forged ? "INVALID_SIGNATURE" : role.refusedAs,
    });
    const recorder = forged && running.forger ? running.forger : running.recorder;
    const play = recorder.start(playItem(playing), logId);
    this.#nowPlaying = {
      ...{ content_id: item.content_id, content_version: item.sha256, campaign_id: terms.campaign_id },
      ...{ playlist_id: slot.playlist_id, slot_id: slot.slot_id, duration_s: slotMs / 1000 },
      started_at: new Date(this.position + role.clockAheadMs).toISOString(),
    };
    this.position += durationMs;
    const log = await play[ending.call]();
    books.handed(logId);
    // A forged log would be refused again, and counted again.
    if (!forged && role.refusedAs === null && Math.random() < CHANCES.repeat) this.#repeat = { log_id: logId, text: JSON.stringify(log) };
  }

  #moveTo(position: number): void {
    this.position = position;
    this.#options.store.note(`position ${this.deviceId}`, position);
  }

  #hear(round: Round): void {
    if (round.kind === "sent") for (const log of round.refused) this.#options.books.refused(log.log_id, log.code);
    if (round.kind === "stopped") this.stopped = round.code;
    this.#options.onRound(round);
  }

  async #mishap(): Promise<void> {
    const { role } = this.#options;
    if (this.network.calm) return;
    if (Math.random() < role.losesNetwork) this.network.cut();
    if (this.#repeat && Math.random() < 0.1) {
      await this.queue.append(this.#repeat);
      this.#repeat = null;
    }
    if (Math.random() < CHANCES.restart) {
      await this.powerOff();
      await this.powerOn();
    }
  }

  async #pair(identity: Identity): Promise<Credentials> {
    const { access, screen } = this.#options;
    const { claim_code } = await adminPost(access, "/v1/device/pairing/create-claim", { device_id: screen.deviceId });
    const info = { model: "Demo player", player_version: "demo" };
    const credentials = await pairWithCode(this.network, access.baseUrl, identity, String(claim_code), info);
    await this.#credentials().save(credentials);
    return credentials;
  }

  async #recorder(identity: Identity, store: RecorderStore): Promise<Recorder> {
    const { role, screen } = this.#options;
    const clock = { now: () => this.position + role.clockAheadMs };
    return await Recorder.open({
      host: systemHost,
      deviceId: screen.deviceId,
      identity,
      clock,
      queue: this.queue,
      store,
    });
  }

  #keys() {
    const { store } = this.#options;
    return {
      load: async () => {
        const jwk = store.fact<PrivateJwk>(`key ${this.deviceId}`);
        return jwk && (await identityFromJwk(jwk));
      },
      save: async (identity: Identity) => store.note(`key ${this.deviceId}`, await exportIdentity(identity)),
    };
  }

  #credentials() {
    const { store } = this.#options;
    return {
      load: async () => store.fact<Credentials>(`credentials ${this.deviceId}`),
      save: async (credentials: Credentials) => store.note(`credentials ${this.deviceId}`, credentials),
    };
  }

  #sequence() {
    const { store } = this.#options;
    return {
      load: async () => store.fact<RecorderState>(`sequence ${this.deviceId}`),
      save: async (state: RecorderState) => store.note(`sequence ${this.deviceId}`, state),
    };
  }
}

/** Where a screen whose time is `at` goes next, and what it shows on the way there. Null: the plan does not say. Pure. */
export function nextStep(playing: WhatPlays, at: number): { to: number; play: PlayingSlot | null } | null {
  switch (playing.kind) {
    case "slot":
      // Whoever comes in the middle of a slot waits for the next one.
      return { to: playing.endsAt, play: playing.startsAt === at ? playing : null };
    case "nothing":
      return { to: playing.until, play: null };
    case "before":
      return { to: playing.from, play: null };
    case "over":
      return null;
  }
}

function playItem({ item, slot, terms }: PlayingSlot): PlayItem {
  return {
    content_id: item.content_id,
    content_version: item.sha256,
    slot_id: slot.slot_id,
    ...(slot.playlist_id ? { playlist_id: slot.playlist_id } : {}),
    ...(terms.duration_ms === null ? {} : { duration_expected: terms.duration_ms / 1000 }),
    ...(terms.campaign_id ? { campaign_id: terms.campaign_id } : {}),
    ...(terms.ad_group_id ? { ad_group_id: terms.ad_group_id } : {}),
    metadata: { screen_resolution: "1920x1080" },
  };
}
