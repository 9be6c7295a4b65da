/**
 * The Worker as it is deployed, with what the platform would bill counted while it runs: rows written and read, queue operations,
 * objects put, requests of Durable Objects. For the benchmark's counts only, never for its times, and never deployed.
 *
 * It counts where the bill is written: on the prototypes of the platform's own bindings. `GET /counted` answers the sums,
 * `POST /counted` sets them to zero.
 */
import { DeviceSequencer as Product } from "../../src/plays/sequencer/sequencer.ts";
import worker from "../../workers/index.ts";
import { NOTHING_COUNTED } from "./counted.ts";

export { WebhookDispatcher } from "../../src/webhooks/dispatcher.ts";

const QUEUE_OPERATION_BYTES = 64_000;
/** A message is written, read and deleted. */
const OPERATIONS_A_MESSAGE = 3;

const counted = { ...NOTHING_COUNTED };

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Prototypes that are counted already: every object of the isolate shares them. */
const patched = new WeakSet<object>();

/** Puts `around` in place of the methods of the object's class, once. */
function patch(target: object, around: Record<string, (original: Method) => Method>): void {
  const prototype = Object.getPrototypeOf(target) as Record<string, Method>;
  if (patched.has(prototype)) return;
  patched.add(prototype);
  for (const [name, wrap] of Object.entries(around)) {
    const original = prototype[name];
    if (!original) throw new Error(`the binding has no method ${name} to count`);
    Object.defineProperty(prototype, name, { value: wrap(original), configurable: true, writable: true });
  }
}

/** A cursor knows its rows when it has been read: the last one of each storage is counted when the next is opened, or somebody asks. */
const openCursors = new Map<SqlStorage, SqlStorageCursor<Record<string, SqlStorageValue>>>();

function settle(sql: SqlStorage): void {
  const cursor = openCursors.get(sql);
  if (!cursor) return;
  counted.object_rows_written += cursor.rowsWritten;
  counted.object_rows_read += cursor.rowsRead;
  openCursors.delete(sql);
}

function countObject(ctx: DurableObjectState): void {
  patch(ctx.storage.sql, {
    exec: (original) =>
      function (this: unknown, ...args: unknown[]) {
        const sql = this as SqlStorage;
        settle(sql);
        const cursor = original.apply(sql, args) as SqlStorageCursor<Record<string, SqlStorageValue>>;
        openCursors.set(sql, cursor);
        return cursor;
      },
  });
  patch(ctx.storage, {
    setAlarm: (original) =>
      function (this: unknown, ...args: unknown[]) {
        counted.alarms_set += 1;
        return original.apply(this, args);
      },
  });
}

function addMeta({ meta }: D1Result): void {
  counted.d1_rows_written += meta.rows_written;
  counted.d1_rows_read += meta.rows_read;
  counted.d1_queries += 1;
}

function countD1(db: D1Database): void {
  patch(db, {
    batch: (original) =>
      async function (this: unknown, ...args: unknown[]) {
        const results = (await original.apply(this, args)) as D1Result[];
        results.forEach(addMeta);
        return results;
      },
  });
  const one = (original: Method): Method =>
    async function (this: unknown, ...args: unknown[]) {
      const result = (await original.apply(this, args)) as D1Result;
      addMeta(result);
      return result;
    };
  patch(db.prepare("SELECT 1"), { run: one, all: one });
}

function countQueue(queue: Queue): void {
  const count = ({ byteLength }: Uint8Array) => {
    counted.queue_messages += 1;
    counted.queue_bytes += byteLength;
    counted.queue_operations += Math.ceil(byteLength / QUEUE_OPERATION_BYTES) * OPERATIONS_A_MESSAGE;
  };
  patch(queue, {
    send: (original) =>
      async function (this: unknown, ...args: unknown[]) {
        count(args[0] as Uint8Array);
        return await original.apply(this, args);
      },
    sendBatch: (original) =>
      async function (this: unknown, ...args: unknown[]) {
        for (const { body } of args[0] as Iterable<MessageSendRequest<Uint8Array>>) count(body);
        return await original.apply(this, args);
      },
  });
}

function countBucket(bucket: R2Bucket): void {
  patch(bucket, {
    put: (original) =>
      function (this: unknown, ...args: unknown[]) {
        counted.bucket_puts += 1;
        counted.bucket_bytes += (args[1] as { byteLength?: number } | undefined)?.byteLength ?? 0;
        return original.apply(this, args);
      },
  });
}

function countBindings(env: Env): void {
  countD1(env.DB);
  countQueue(env.PLAY_EVENTS_0);
  countBucket(env.BUCKET);
}

export class DeviceSequencer extends Product {
  constructor(ctx: DurableObjectState, env: Env) {
    countObject(ctx);
    countBindings(env);
    super(ctx, env);
  }
  override async admit(...args: Parameters<Product["admit"]>): ReturnType<Product["admit"]> {
    counted.object_requests += 1;
    return await super.admit(...args);
  }
  override async confirm(...args: Parameters<Product["confirm"]>): Promise<void> {
    counted.object_requests += 1;
    await super.confirm(...args);
  }
  override async alarm(): Promise<void> {
    counted.alarms_run += 1;
    await super.alarm();
  }
}

export default {
  async fetch(request, env, ctx) {
    countBindings(env);
    if (new URL(request.url).pathname === "/counted") {
      for (const sql of [...openCursors.keys()]) settle(sql);
      if (request.method === "POST") Object.assign(counted, NOTHING_COUNTED);
      return Response.json(counted);
    }
    counted.worker_requests += 1;
    return await worker.fetch(request, env, ctx);
  },
  async queue(batch, env, ctx) {
    countBindings(env);
    counted.consumer_batches += 1;
    await worker.queue(batch, env, ctx);
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env, unknown>;
