import { join } from "node:path";
import { ROOT } from "../../src/cli/tools.ts";
import type { Counted } from "../counting/counted.ts";
import { buildBundle } from "../stack/stack.ts";
import type { FleetShape } from "./fleet.ts";
import { measureIntake } from "./intake.ts";
import type { BenchKey } from "./keys.ts";
import type { LogSet } from "./logset.ts";
import { costPerMillion, type UsePerLog } from "./prices.ts";
import type { Row } from "./stats.ts";
import { startWorker } from "./target.ts";

/** Logs a second while counting: below what the machine can do, so that chunks and commits are of their usual size, not of a backlog's. */
const COUNTED_LOGS_PER_SECOND = 4000;

/** `max_batch_timeout` of `wrangler.toml`. */
const CONSUMER_WAIT_S = 5;

interface Counting {
  eventRows: boolean;
  use: UsePerLog;
  counted: Counted;
  logs: number;
}

/**
 * Rows, queue operations and dollars a log, in batches of 100: counted inside the Worker by a bundle of its own, whose times mean nothing.
 * The warm-up is not in it. `cpuMsPerLog` comes from a run of the production bundle.
 */
export async function usageRows(
  shape: FleetShape,
  keys: BenchKey[],
  set: LogSet,
  seconds: number,
  cpuMsPerLog: number,
): Promise<{ rows: Row[]; faults: string[] }> {
  const bundle = await buildBundle(join(ROOT, "test/counting/index.ts"));
  const rows: Row[] = [];
  const faults: string[] = [];
  for (const eventRows of [true, false]) {
    const { counting, found } = await count(bundle, shape, keys, set, { seconds, cpuMsPerLog, eventRows });
    faults.push(...found);
    rows.push(...rowsOf(counting));
  }
  return { rows, faults };
}

async function count(
  bundle: string,
  shape: FleetShape,
  keys: BenchKey[],
  set: LogSet,
  plan: { seconds: number; cpuMsPerLog: number; eventRows: boolean },
): Promise<{ counting: Counting; found: string[] }> {
  // Commits of the size that they have in production.
  const target = await startWorker(bundle, shape, keys, { eventRows: plan.eventRows, consumerWaitS: CONSUMER_WAIT_S });
  try {
    const reset = async () => {
      await fetch(`${target.url}/counted`, { method: "POST" });
    };
    const load = { batch: 100, logsPerSecond: COUNTED_LOGS_PER_SECOND, seconds: plan.seconds, connections: 64 };
    const result = await measureIntake(target, shape, keys, set, load, reset);
    const counted = (await (await fetch(`${target.url}/counted`)).json()) as Counted;
    const logs = result.load.processed;
    return {
      counting: { eventRows: plan.eventRows, use: usePerLog(counted, logs, plan.cpuMsPerLog), counted, logs },
      found: result.faults,
    };
  } finally {
    await target.stop();
  }
}

/** What one log used, of what was counted over so many. */
export function usePerLog(counted: Counted, logs: number, cpuMs: number): UsePerLog {
  return {
    workerRequests: counted.worker_requests / logs,
    consumerRequests: counted.consumer_batches / logs,
    cpuMs,
    objectRequests: counted.object_requests / logs,
    alarmsRun: counted.alarms_run / logs,
    alarmsSet: counted.alarms_set / logs,
    objectRowsWritten: counted.object_rows_written / logs,
    objectRowsRead: counted.object_rows_read / logs,
    queueOperations: counted.queue_operations / logs,
    d1RowsWritten: counted.d1_rows_written / logs,
    d1RowsRead: counted.d1_rows_read / logs,
    bucketPuts: counted.bucket_puts / logs,
  };
}

function rowsOf({ eventRows, use, counted, logs }: Counting): Row[] {
  const suffix = eventRows ? "" : "-without-events";
  const kind = eventRows ? "with event rows" : "without event rows";
  const cost = costPerMillion(use);
  const dollars = (amount: number) => `$${amount.toFixed(3)}`;
  const rows: Row[] = [
    {
      id: `d1-rows${suffix}`,
      what: `D1 rows written per log, ${kind}`,
      value: use.d1RowsWritten,
      unit: "rows",
      target: { atMost: eventRows ? 1.4 : 0.4 },
      note: `${logs} logs in ${counted.consumer_batches} commits`,
    },
    {
      id: `cost${suffix}`,
      what: `cost of a million logs at list prices, ${kind}`,
      value: cost.total,
      unit: "$",
      target: { atMost: eventRows ? 1.5 : 0.5 },
      note: `Worker ${dollars(cost.worker)}, objects ${dollars(cost.objects)}, queue ${dollars(cost.queue)}, D1 ${dollars(cost.d1)}, R2 ${dollars(cost.bucket)}${eventRows ? "; retention deletes a row a chunk" : ""}`,
    },
  ];
  if (!eventRows) return rows;
  return [
    {
      id: "object-rows",
      what: "Durable Object rows written per log, batches of 100",
      value: use.objectRowsWritten + use.alarmsSet,
      unit: "rows",
      target: { atMost: 0.07 },
      note: `${use.objectRowsWritten.toFixed(4)} by SQL + ${use.alarmsSet.toFixed(4)} alarms set`,
    },
    {
      id: "queue-operations",
      what: "queue operations per log (64 KB units)",
      value: use.queueOperations,
      unit: "operations",
      note: `${counted.queue_messages} messages of ${Math.round(counted.queue_bytes / counted.queue_messages / 1000)} KB on average`,
    },
    ...rows,
  ];
}
