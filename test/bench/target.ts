import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "../stack/stack.ts";
import type { FleetShape } from "./fleet.ts";
import type { BenchKey } from "./keys.ts";
import { insertStatements, networkRows } from "./seed.ts";

/** What was recorded, asked of every place that must agree. */
export interface Recorded {
  /** Plays by place: the ledger, single plays (null where they are switched off), sums by hour, the archive's segments. */
  plays: Record<string, number | null>;
  /** Refused logs that were counted. */
  refused: number;
}

/** A system that takes signed logs over HTTP, and can be asked what it holds. */
export interface Target {
  url: string;
  /** Processes whose CPU time and memory are the system's. */
  pids(): number[];
  /** Logs that are recorded for good. Cheap enough to ask often. */
  recordedCount(): Promise<number>;
  recorded(): Promise<Recorded>;
  stop(): Promise<void>;
}

export interface WorkerTarget extends Target {
  stack: Stack;
}

/** The production bundle in a workerd of its own with empty state and the network in its database. */
export async function startWorker(
  bundle: string,
  shape: FleetShape,
  keys: BenchKey[],
  options: { eventRows?: boolean; inspectorPort?: number; consumerWaitS?: number } = {},
): Promise<WorkerTarget> {
  const persistTo = mkdtempSync(join(tmpdir(), "alive-bench-"));
  const eventRows = options.eventRows ?? true;
  const stack = await startStack(bundle, {
    persistTo,
    port: 0,
    floodLimit: 1_000_000_000,
    bindings: { EVENT_ROWS: eventRows ? "on" : "off", OUTBOX_RESEND_AFTER_MS: "900000" },
    // As in production, but for the wait where speed is measured: it would only stand between the last answer and the last commit.
    consumer: { maxBatchSize: 100, maxBatchTimeout: options.consumerWaitS ?? 1 },
    ...(options.inspectorPort ? { inspectorPort: options.inspectorPort } : {}),
  });
  for (const statement of insertStatements(networkRows(shape, keys, Date.now()))) await stack.sql(statement);
  const one = async (sql: string) => (await stack.sql<{ n: number }>(sql))[0]?.n ?? 0;
  const recordedCount = () => one("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger");
  return {
    url: stack.url,
    stack,
    pids: () => [stack.pid],
    recordedCount,
    recorded: async () => ({
      plays: {
        ledger: await recordedCount(),
        "single plays": eventRows ? await one("SELECT count(*) AS n FROM proof_of_play_events") : null,
        "hourly sums": await one("SELECT coalesce(sum(plays_count), 0) AS n FROM plays_hourly"),
        "archive segments": await one("SELECT coalesce(sum(plays_count), 0) AS n FROM segments"),
      },
      refused: await one("SELECT coalesce(sum(count), 0) AS n FROM refusals_hourly"),
    }),
    stop: async () => {
      await stack.kill();
      rmSync(persistTo, { recursive: true, force: true });
    },
  };
}
