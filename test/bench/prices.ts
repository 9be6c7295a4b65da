/**
 * What a million play logs cost at Cloudflare's list prices beyond what the plan includes (Workers Paid, as of 2026-11-20), from what one
 * log was measured to use. Marginal cost: what is stored per month, logs and reports are not in it.
 */

/** Dollars. A million of something, unless the name says otherwise. */
export const LIST_PRICES = {
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  objectRequests: 0.15,
  objectGbSeconds: 12.5,
  objectRowsWritten: 1,
  objectRowsRead: 0.001,
  queueOperations: 0.4,
  d1RowsWritten: 1,
  d1RowsRead: 0.001,
  bucketPuts: 4.5,
} as const;

/** A Durable Object is billed with this much memory while it is active. */
export const OBJECT_MEMORY_GB = 0.128;
/**
 * How long an object is active, ms: assumed, since a local runtime has neither the platform's network nor its replication. A call waits
 * for its write to be durable; an alarm also for the queue, whose median send takes about 60 ms.
 */
export const OBJECT_CALL_MS = 10;
export const OBJECT_ALARM_MS = 100;

/** What one log uses, as measured: means over a run. */
export interface UsePerLog {
  workerRequests: number;
  consumerRequests: number;
  cpuMs: number;
  objectRequests: number;
  alarmsRun: number;
  alarmsSet: number;
  objectRowsWritten: number;
  objectRowsRead: number;
  queueOperations: number;
  d1RowsWritten: number;
  d1RowsRead: number;
  bucketPuts: number;
}

/** Dollars a million logs, by product. */
export interface Cost {
  worker: number;
  objects: number;
  queue: number;
  d1: number;
  bucket: number;
  total: number;
}

/** Each amount per log times its price a million is dollars a million logs. Setting an alarm is billed as a row written; running one as a request. */
export function costPerMillion(use: UsePerLog): Cost {
  const p = LIST_PRICES;
  const activeMs = use.objectRequests * OBJECT_CALL_MS + use.alarmsRun * OBJECT_ALARM_MS;
  const worker = (use.workerRequests + use.consumerRequests) * p.workerRequests + use.cpuMs * p.workerCpuMs;
  const objects =
    (use.objectRequests + use.alarmsRun) * p.objectRequests +
    (activeMs / 1000) * OBJECT_MEMORY_GB * p.objectGbSeconds +
    (use.objectRowsWritten + use.alarmsSet) * p.objectRowsWritten +
    use.objectRowsRead * p.objectRowsRead;
  const queue = use.queueOperations * p.queueOperations;
  const d1 = use.d1RowsWritten * p.d1RowsWritten + use.d1RowsRead * p.d1RowsRead;
  const bucket = use.bucketPuts * p.bucketPuts;
  return { worker, objects, queue, d1, bucket, total: worker + objects + queue + d1 + bucket };
}
