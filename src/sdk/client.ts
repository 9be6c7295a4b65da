import type { DeviceClock } from "./clock.ts";
import { utf8 } from "./encoding.ts";
import type { Host } from "./host.ts";
import { backoffMs, errorText, postJson } from "./http.ts";
import type { LogQueue, QueuedLog, RefusedLog } from "./queue.ts";
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

/** Sends what waits in the queue, oldest first, and keeps at it through every outage. */
export class PlayLogClient {
  readonly #options: ClientOptions;
  #failures = 0;
  #batchLogs = MAX_BATCH_LOGS;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Sends until the signal ends it or the device may not write any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, onRound } = this.#options;
    while (!signal.aborted) {
      // A disk that is full, say, must not end this for good.
      const round = await this.sendOnce().catch((error: unknown) => this.#wait(null, errorText(error)));
      onRound?.(round);
      if (round.kind === "stopped") return;
      if (!signal.aborted) await host.sleep(pauseAfter(round), signal);
    }
  }

  /** Sends one batch of the oldest logs, if there are any, and settles it by the server's verdicts. */
  async sendOnce(): Promise<Round> {
    const { clock, host, queue, tokens } = this.#options;
    const batch = cutToSize(await queue.ready(clock.now(), this.#batchLogs));
    if (batch.length === 0) return { kind: "idle" };
    const token = await tokens.token();
    if (token.kind === "unpaired") return { kind: "stopped", code: token.code };
    if (token.kind === "wait") return this.#wait(token.retryAfterMs, "NO_TOKEN");
    const answer = await this.#post(batch, token.token);
    const outcome = judgeAnswer(answer, batch, clock.now(), host.random());
    if (outcome.kind === "unauthorized") tokens.reject(token.token);
    return await this.#apply(outcome, batch);
  }

  async #apply(outcome: BatchOutcome, batch: QueuedLog[]): Promise<Round> {
    switch (outcome.kind) {
      case "settled": {
        const { settlement, processed, duplicates, position } = outcome;
        await this.#options.queue.settle(settlement);
        if (position) await this.#options.onPosition?.(position);
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
    const chance = this.#options.host.random();
    const ms = retryAfterMs === null ? backoffMs(this.#failures, chance) : retryAfterMs + Math.round(chance * REQUEST_EVERY_MS);
    return { kind: "wait", ms, reason };
  }

  async #post(batch: QueuedLog[], token: string) {
    const { baseUrl, clock, host } = this.#options;
    const body = `{"logs":[${batch.map((log) => log.text).join(",")}]}`;
    return await postJson(host, `${baseUrl}/api/v1/playback-logs/batch`, body, {
      Authorization: `Bearer ${token}`,
      "Sent-At": new Date(clock.now()).toISOString(),
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
