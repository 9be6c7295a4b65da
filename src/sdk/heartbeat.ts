import { askAsDevice, type DeviceAccess, type Withheld } from "./authorised.ts";
import type { DeviceClock } from "./clock.ts";
import { type Command, type CommandResult, readCommand } from "./commands.ts";
import { errorText, patienceMs, readAnswer, refusalOf } from "./http.ts";
import { Pauses } from "./pauses.ts";
import type { SequencePosition } from "./verdicts.ts";

/** What is on the screen. With `started_at` it differs at each showing, so that a loop of one item is not taken for a still picture. */
export interface NowPlaying {
  content_id: string;
  content_version?: string | null;
  campaign_id?: string | null;
  playlist_id?: string | null;
  slot_id?: string | null;
  /** RFC 3339 by the device's clock. */
  started_at?: string;
  /** How long it lasts, seconds. */
  duration_s?: number;
}

/** What a player says of itself. */
export interface Vitals {
  /** Null while nothing is shown. */
  now_playing: NowPlaying | null;
  disk_used_bytes: number;
  disk_total_bytes?: number | null;
  /** Of the plan that is played, without quotes; null without one. */
  plan_etag: string | null;
  last_error?: string | null;
  counters: Record<string, number>;
  player_version?: string | null;
}

/** What a heartbeat's answer says. Times in ms. */
export interface HeartbeatNews {
  /** Ms since 1970 by the server, when it heard. */
  serverTime: number;
  /** Of the plan as it is now; null: the plan must be asked for to find out. */
  planEtag: string | null;
  /** Where the server stands in the device's sequence: go on at the larger of its number and your own. */
  position: SequencePosition | null;
  commands: Command[];
  /** The group's limit for kept files; null without one. */
  storageCapBytes: number | null;
  nextHeartbeatMs: number;
}

/** What one heartbeat came to. */
export type Beat =
  /** `failure`: what the player could not do with the news, in words. */
  | { kind: "taken"; news: HeartbeatNews; failure: string | null }
  /** The server does not take this heartbeat as it is. */
  | { kind: "refused"; code: string; error: string }
  | Withheld;

export interface HeartbeatOptions extends DeviceAccess {
  clock: DeviceClock;
  /** What to say now. */
  vitals: () => Promise<Vitals>;
  /** Results of commands that wait to be told. */
  results: () => CommandResult[];
  /** Acts on the answer to a heartbeat that told of `told`. What it throws is reported as the player's last error. */
  onNews: (news: HeartbeatNews, told: CommandResult[]) => Promise<void>;
  onBeat?: (beat: Beat) => void;
}

const DEFAULT_INTERVAL_MS = 60_000;
const SHORTEST_INTERVAL_MS = 1000;
const LONGEST_INTERVAL_MS = 3_600_000;
/** What the server takes. */
const TEXT_MAX_CHARS = 500;
const VERSION_MAX_CHARS = 64;

/** The body of a heartbeat. `deviceTime` in ms by the device's clock. Pure. */
export function heartbeatBody(vitals: Vitals, deviceTime: number, results: readonly CommandResult[]): Record<string, unknown> {
  return {
    ...vitals,
    // A text too long would cost the whole heartbeat.
    last_error: vitals.last_error?.slice(0, TEXT_MAX_CHARS) ?? null,
    player_version: vitals.player_version?.slice(0, VERSION_MAX_CHARS) ?? null,
    device_time: new Date(deviceTime).toISOString(),
    command_results: results,
  };
}

/** Reads a heartbeat's answer; null where it is none. A command that cannot be read is passed over. Pure. */
export function readNews(body: Record<string, unknown>): HeartbeatNews | null {
  const { server_time, plan_etag, epoch, expected_sequence, commands, policy, next_heartbeat_s } = body;
  const serverTime = typeof server_time === "string" ? Date.parse(server_time) : Number.NaN;
  if (Number.isNaN(serverTime) || typeof next_heartbeat_s !== "number") return null;
  const cap = isObject(policy) ? policy.storage_cap_bytes : null;
  return {
    serverTime,
    planEtag: typeof plan_etag === "string" ? plan_etag : null,
    position: typeof epoch === "string" && typeof expected_sequence === "number" ? { epoch, expectedSequence: expected_sequence } : null,
    commands: Array.isArray(commands) ? commands.flatMap(readCommand) : [],
    storageCapBytes: typeof cap === "number" ? cap : null,
    nextHeartbeatMs: Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, next_heartbeat_s * 1000)),
  };
}

/** Tells the server that the player is alive, and hears what is new. */
export class HeartbeatClient {
  readonly #options: HeartbeatOptions;
  #intervalMs = DEFAULT_INTERVAL_MS;
  #failures = 0;
  #lastFailure: string | null = null;
  /** Between heartbeats that were heard. */
  readonly #calm: Pauses;
  /** Between those that were not. */
  readonly #outage: Pauses;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#calm = new Pauses(options.host);
    this.#outage = new Pauses(options.host);
  }

  /** Sends heartbeats at the interval that the server asks for, until the signal ends it or the device may write no more. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, onBeat } = this.#options;
    while (!signal.aborted) {
      this.#calm.arm();
      this.#outage.arm();
      const beat = await this.beatOnce();
      onBeat?.(beat);
      if (beat.kind === "stopped") return;
      const ms = this.#pauseAfter(beat);
      if (beat.kind !== "wait") await this.#calm.wait(ms, signal);
      else if (beat.retryAfterMs === null) await this.#outage.wait(ms, signal);
      else await host.sleep(ms, signal);
    }
  }

  /** Has the next heartbeat sent at once, where the loop runs and does not wait out a failure. */
  hurry(): void {
    this.#calm.cut();
  }

  /** The network may be there again: a failure is waited out no longer, unless the server said for how long. */
  tryAgain(): void {
    this.#outage.cut();
  }

  /** Sends one heartbeat and acts on its answer. Never throws. */
  async beatOnce(): Promise<Beat> {
    const { clock, host, onNews, results, vitals } = this.#options;
    try {
      const told = results();
      const said = await vitals();
      const t0 = clock.now();
      const body = JSON.stringify(heartbeatBody({ ...said, last_error: said.last_error ?? this.#lastFailure }, t0, told));
      const headers = { "Content-Type": "application/json" };
      const asked = await askAsDevice(this.#options, "/v1/device/heartbeat", { method: "POST", headers, body });
      const t3 = clock.now();
      if (asked.kind !== "answered") return asked;
      const answer = await readAnswer(host, asked.response);
      if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null, reason: answer.error };
      const news = answer.status === 200 ? readNews(answer.body) : null;
      if (!news) return refused(refusalOf(answer));
      this.#intervalMs = news.nextHeartbeatMs;
      clock.hear({ t0, t1: news.serverTime, t2: news.serverTime, t3 });
      this.#lastFailure = await failureOf(onNews(news, told));
      return { kind: "taken", news, failure: this.#lastFailure };
    } catch (error) {
      return { kind: "wait", retryAfterMs: null, reason: errorText(error) };
    }
  }

  /** Ms until the next one. An outage is no reason to come more seldom than the server asks for, nor to come all at once. */
  #pauseAfter(beat: Exclude<Beat, { kind: "stopped" }>): number {
    if (beat.kind !== "wait") {
      this.#failures = 0;
      return this.#intervalMs;
    }
    this.#failures += 1;
    const ms = patienceMs(this.#failures, beat.retryAfterMs, this.#options.host.random());
    return beat.retryAfterMs === null ? Math.min(this.#intervalMs, ms) : ms;
  }
}

function refused({ code, message }: { code: string; message: string }): Beat {
  return { kind: "refused", code, error: message };
}

async function failureOf(work: Promise<void>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return errorText(error);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
