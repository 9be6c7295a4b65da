/**
 * Sends signed logs over HTTP, as a process of its own, and prints one line of JSON with what happened.
 *
 * Open loop: requests are due at times that were drawn before, and latency counts from when a request was due, so that waiting
 * behind slow ones is seen. Closed loop: so many connections, each sending its next request when the last is answered.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { LogSet } from "./logset.ts";
import { arrivals, placeOf, requestCount } from "./order.ts";

export interface LoadJob {
  url: string;
  set: LogSet;
  /** A file with each device's token, in order. */
  tokens: string;
  batch: number;
  /** Requests of the set to leave out: earlier jobs have sent them. */
  skip: number;
  /** 0: closed loop. */
  requestsPerSecond: number;
  /** At most so many at once; in the open loop only a bound. */
  connections: number;
  seconds: number;
  /** Open loop: so long before the seconds that count; latencies of requests that were due then are left out. */
  warmUpSeconds: number;
}

export interface LoadResult {
  requests: number;
  sent: number;
  processed: number;
  duplicates: number;
  refused: number;
  /** Logs of requests that were not answered 202, by status (0: no answer). */
  turnedAway: Record<string, number>;
  errors: Record<string, number>;
  /** Milliseconds, ascending. */
  latencies: number[];
  /** From the first request to the last answer, ms. */
  elapsedMs: number;
  /** How far the sender itself was ever behind its schedule, ms: over a few, the generator was the bottleneck. */
  senderLateMs: number;
  startedAt: number;
}

const HEAD = Buffer.from('{"logs":[');
const TAIL = Buffer.from("]}");
const COMMA = 0x2c;

const job = JSON.parse(process.argv[2] ?? "{}") as LoadJob;
const tokens = JSON.parse(readFileSync(job.tokens, "utf8")) as string[];
const path = job.batch === 1 ? "/api/v1/playback-logs" : "/api/v1/playback-logs/batch";
const files = job.set.files.map((file) => {
  return { descriptor: openSync(file, "r"), offsets: new Float64Array(new Uint8Array(readFileSync(`${file}.offsets`)).buffer) };
});
const result: LoadResult = {
  requests: 0,
  sent: 0,
  processed: 0,
  duplicates: 0,
  refused: 0,
  turnedAway: {},
  errors: {},
  latencies: [],
  elapsedMs: 0,
  senderLateMs: 0,
  startedAt: Date.now(),
};
const last = requestCount(job.set, job.batch);
const started = performance.now();
const countsFrom = job.requestsPerSecond > 0 ? started + job.warmUpSeconds * 1000 : started;
if (job.requestsPerSecond > 0) await openLoop();
else await closedLoop();
result.elapsedMs = performance.now() - started;
result.latencies.sort((a, b) => a - b);
for (const { descriptor } of files) closeSync(descriptor);
console.log(JSON.stringify(result));

async function openLoop(): Promise<void> {
  const seconds = job.warmUpSeconds + job.seconds;
  const count = Math.min(last - job.skip, Math.ceil(job.requestsPerSecond * seconds));
  const due = arrivals(job.requestsPerSecond, count);
  const open = new Set<Promise<void>>();
  // A system that cannot keep up is not waited for beyond twice the time: the rows say how much was really sent.
  const until = started + 2 * seconds * 1000;
  for (let n = 0; n < count && performance.now() < until; n++) {
    const at = started + (due[n] ?? 0);
    const waitMs = at - performance.now();
    if (waitMs > 0.5) await Bun.sleep(waitMs);
    result.senderLateMs = Math.max(result.senderLateMs, performance.now() - at);
    if (open.size >= job.connections) await Promise.race(open);
    const sending = send(job.skip + n, at).finally(() => open.delete(sending));
    open.add(sending);
  }
  await Promise.all(open);
}

async function closedLoop(): Promise<void> {
  let next = job.skip;
  const until = started + job.seconds * 1000;
  await Promise.all(
    Array.from({ length: job.connections }, async () => {
      while (next < last && performance.now() < until) await send(next++, performance.now());
    }),
  );
}

async function send(n: number, dueAt: number): Promise<void> {
  const place = placeOf(job.set, job.batch, n);
  const body = bodyOf(place.blockIndex, place.from);
  result.requests += 1;
  result.sent += job.batch;
  try {
    const answer = await fetch(`${job.url}${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${tokens[place.device]}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
      body,
    });
    const told = (await answer.json()) as Told;
    if (dueAt >= countsFrom) result.latencies.push(performance.now() - dueAt);
    note(answer.status, told);
  } catch {
    add(result.turnedAway, "0", job.batch);
  }
}

interface Told {
  processed?: number;
  duplicates?: number;
  failed?: number;
  status?: string | number;
  code?: string;
  errors?: { code?: string }[];
}

function note(status: number, told: Told): void {
  if (job.batch === 1 && status === 202) {
    result.processed += 1;
    if (told.status === "duplicate") result.duplicates += 1;
  } else if (job.batch === 1 && status === 422) {
    result.refused += 1;
    add(result.errors, told.code ?? "?", 1);
  } else if (status === 202) {
    result.processed += told.processed ?? 0;
    result.duplicates += told.duplicates ?? 0;
    result.refused += told.failed ?? 0;
    for (const { code } of told.errors ?? []) add(result.errors, code ?? "?", 1);
  } else {
    add(result.turnedAway, String(status), job.batch);
  }
}

function add(counts: Record<string, number>, key: string, by: number): void {
  counts[key] = (counts[key] ?? 0) + by;
}

function bodyOf(blockIndex: number, from: number): Buffer<ArrayBuffer> {
  const file = files[blockIndex % files.length];
  if (!file) throw new Error("the set has no files");
  const line = Math.floor(blockIndex / files.length) * job.set.block + from;
  const [start, end] = [file.offsets[line] ?? 0, (file.offsets[line + job.batch] ?? 0) - 1];
  if (job.batch === 1) return read(file.descriptor, Buffer.allocUnsafe(end - start), 0, start, end);
  // Lines become the elements of an array: what parts them is one byte either way.
  const body = Buffer.allocUnsafe(end - start + HEAD.length + TAIL.length);
  HEAD.copy(body, 0);
  read(file.descriptor, body, HEAD.length, start, end);
  for (let n = 1; n < job.batch; n++) body[HEAD.length + (file.offsets[line + n] ?? 0) - 1 - start] = COMMA;
  TAIL.copy(body, body.length - TAIL.length);
  return body;
}

function read(descriptor: number, into: Buffer<ArrayBuffer>, at: number, start: number, end: number): Buffer<ArrayBuffer> {
  if (readSync(descriptor, into, at, end - start, start) !== end - start) throw new Error("the set's file is shorter than its offsets say");
  return into;
}
