import type { DeviceClock } from "./clock.ts";
import { utf8 } from "./encoding.ts";
import type { Host } from "./host.ts";
import { type Answer, errorText, patienceMs, postJson } from "./http.ts";
import { Pauses } from "./pauses.ts";
import type { LogQueue, QueuedLog, RefusedLog } from "./queue.ts";
import type { LogStream } from "./stream.ts";
import type { TokenKeeper } from "./tokens.ts";
import { type BatchOutcome, judgeAnswer, type SequencePosition } from "./verdicts.ts";

/** What one round of sending did. */
export type Round =
  | { kind: "idle" }
  | { kind: "sent"; logs: number; processed: number; duplicates: number; refused: RefusedLog[]; deferred: number }
  | { kind: "wait"; ms: number; reason: string }
  | { kind: "stopped"; code: string };

export interface ClientOptions {
  host: Host;
  baseUrl: string;
  clock: DeviceClock;
  queue: LogQueue;
  tokens: TokenKeeper;
  /** Taken while it is open, by logs that it takes; without it everything goes over HTTP. */
  stream?: LogStream;
  /** Hears where the server stands in the sequence, after each answer that says so. */
  onPosition?: (position: SequencePosition) => Promise<void>;
  /** Hears of each round, for books and displays. */
  onRound?: (round: Round) => void;
}

export const MAX_BATCH_LOGS = 100;
/** The server takes 1 MB. */
const MAX_BATCH_BYTES = 900_000;
/** 100 requests a minute at most: the server allows 120. */
const REQUEST_EVERY_MS = 600;
/** How long single logs are gathered into one request. */
const GATHER_MS = 5000;
/** The stream takes plays of up to 4 hours; half an hour is for those that the clocks do not agree on, or that wait once more. */
const STREAM_AGE_MS = 3.5 * 3_600_000;

/** How a batch goes: all of its logs by one way, timed by one clock. */
interface Parcel {
  batch: QueuedLog[];
  way: "stream" | "http";
}

/** Sends what waits in the queue, oldest first, and keeps at it through every outage. */
export class PlayLogClient {
  readonly #options: ClientOptions;
  readonly #pauses: Pauses;
  #failures = 0;
  /** Whether the server said itself how long to wait. */
  #told = false;
  #batchLogs = MAX_BATCH_LOGS;
  /** Logs that a stream refused for their age. */
  readonly #tooOldForStream = new Set<string>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.host);
  }

  /** Sends until the signal ends it or the device may not write any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, onRound } = this.#options;
    while (!signal.aborted) {
      this.#pauses.arm();
      // A disk that is full, say, must not end this for good.
      const round = await this.sendOnce().catch((error: unknown) => this.#wait(null, errorText(error)));
      onRound?.(round);
      if (round.kind === "stopped") return;
      if (round.kind === "wait" && !this.#told) await this.#pauses.wait(round.ms, signal);
      else if (!signal.aborted) await host.sleep(pauseAfter(round), signal);
    }
  }

  /** The server is there again, or may be: what waits out a failure is tried at once, unless the server said for how long. */
  tryAgain(): void {
    this.#pauses.cut();
  }

  /** Sends one batch of the oldest logs, if there are any, and settles it by the server's verdicts. */
  async sendOnce(): Promise<Round> {
    const { baseUrl, clock, host, queue, stream, tokens } = this.#options;
    const logs = cutToSize(await queue.ready(clock.now(), this.#batchLogs));
    if (logs.length === 0) return { kind: "idle" };
    // A wrong Sent-At would set the plays to a wrong time, or have them refused as plays of the future.
    if (!clock.canTell(logs[0]?.clock) && (await clock.synchronise(baseUrl)) === null) return this.#wait(null, "CLOCK_IN_DOUBT");
    const { batch, way } = this.#parcelOf(logs);
    const sentAt = clock.sentAt(batch[0]?.clock);
    if (way === "stream" && stream) {
      const texts = batch.map(({ text }) => text);
      return await this.#applyStreams(judgeAnswer(await stream.post(texts, sentAt), batch, clock.now(), host.random()), batch);
    }
    const token = await tokens.token();
    if (token.kind === "unpaired") return { kind: "stopped", code: token.code };
    if (token.kind === "wait") return this.#wait(token.retryAfterMs, "NO_TOKEN");
    const answer = await this.#post(batch, token.token, sentAt);
    const outcome = judgeAnswer(answer, batch, clock.now(), host.random());
    if (outcome.kind === "unauthorized") tokens.reject(token.token);
    return await this.#apply(outcome, batch);
  }

  /** The first logs that go together. Those whose age is not known, or over what a stream takes, go over HTTP. */
  #parcelOf(logs: QueuedLog[]): Parcel {
    const { clock, stream } = this.#options;
    const wayOf = ({ log_id, madeAt }: QueuedLog): Parcel["way"] => {
      const young = madeAt !== undefined && clock.serverNow() - madeAt <= STREAM_AGE_MS;
      return stream?.open && young && !this.#tooOldForStream.has(log_id) ? "stream" : "http";
    };
    const [first] = logs;
    if (!first) return { batch: [], way: "http" };
    const way = wayOf(first);
    const end = logs.findIndex((log) => log.clock !== first.clock || wayOf(log) !== way);
    return { batch: end < 0 ? logs : logs.slice(0, end), way };
  }

  /** A group may take younger plays only by stream than by batch: a log that is too old for the one goes by the other. */
  async #applyStreams(outcome: BatchOutcome, batch: QueuedLog[]): Promise<Round> {
    if (outcome.kind !== "settled") return await this.#apply(outcome, batch);
    const { refused } = outcome.settlement;
    for (const { code, log_id } of refused) if (code === "TOO_OLD") this.#tooOldForStream.add(log_id);
    const settlement = { ...outcome.settlement, refused: refused.filter(({ code }) => code !== "TOO_OLD") };
    return await this.#apply({ ...outcome, settlement }, batch);
  }

  async #apply(outcome: BatchOutcome, batch: QueuedLog[]): Promise<Round> {
    switch (outcome.kind) {
      case "settled": {
        const { settlement, processed, duplicates, position } = outcome;
        await this.#options.queue.settle(settlement);
        for (const id of settlement.acknowledged) this.#tooOldForStream.delete(id);
        for (const { log_id } of settlement.refused) this.#tooOldForStream.delete(log_id);
        // Where the disk does not take it, it is in memory: no reason to hold up what else waits.
        if (position) await this.#options.onPosition?.(position).catch(() => undefined);
        this.#failures = 0;
        this.#batchLogs = Math.min(MAX_BATCH_LOGS, this.#batchLogs * 2);
        return {
          kind: "sent",
          logs: batch.length,
          processed,
          duplicates,
          refused: settlement.refused,
          deferred: settlement.deferred.length,
        };
      }
      case "too-much":
        this.#batchLogs = Math.ceil(batch.length / 2);
        this.#told = false;
        return { kind: "wait", ms: REQUEST_EVERY_MS, reason: "TOO_MUCH" };
      case "unauthorized":
        return this.#wait(null, "UNAUTHORIZED");
      case "wait":
        return this.#wait(outcome.retryAfterMs, outcome.reason);
      case "stopped":
        return outcome;
    }
  }

  /** The server's own wait if it named one, else a growing one; chance on top of either. */
  #wait(retryAfterMs: number | null, reason: string): Round {
    this.#failures += 1;
    this.#told = retryAfterMs !== null;
    return { kind: "wait", ms: patienceMs(this.#failures, retryAfterMs, this.#options.host.random()), reason };
  }

  async #post(batch: QueuedLog[], token: string, sentAt: number): Promise<Answer> {
    const { baseUrl, host } = this.#options;
    const body = `{"logs":[${batch.map((log) => log.text).join(",")}]}`;
    return await postJson(host, `${baseUrl}/api/v1/playback-logs/batch`, body, {
      Authorization: `Bearer ${token}`,
      "Sent-At": new Date(sentAt).toISOString(),
    });
  }
}

/** How long to wait before the next round, in ms. A backlog goes out batch on batch, else logs are gathered. */
function pauseAfter(round: Exclude<Round, { kind: "stopped" }>): number {
  if (round.kind === "wait") return round.ms;
  return round.kind === "sent" && round.logs >= MAX_BATCH_LOGS / 2 ? REQUEST_EVERY_MS : GATHER_MS;
}

/** The first logs that fit into one request, and one in any case: if that is too large the server says so. */
function cutToSize(logs: QueuedLog[]): QueuedLog[] {
  let bytes = 0;
  const end = logs.findIndex((log, index) => {
    bytes += utf8(log.text).length + 1;
    return index > 0 && bytes > MAX_BATCH_BYTES;
  });
  return end < 0 ? logs : logs.slice(0, end);
}
