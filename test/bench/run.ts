/**
 * `bun run bench`: how many signed play logs a second the production bundle takes on this machine, from request to committed.
 *
 *     bun run bench -- --devices 20 --logs 60000 --batch 100 --rate 0
 *
 * The Worker runs in one local workerd (which simulates Queues, D1 and R2 in the same thread); the load comes from this process. All
 * checks are on; the group's policy lifts the rate. Nothing here asserts a time: it prints a table and counts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeNetwork, type PairedDevice, signedLog } from "../stack/network.ts";
import { buildBundle, type Stack, startStack } from "../stack/stack.ts";
import { startProfile } from "./profile.ts";

const { values } = parseArgs({
  options: {
    devices: { type: "string", default: "20" },
    stores: { type: "string", default: "10" },
    contents: { type: "string", default: "40" },
    logs: { type: "string", default: "60000" },
    batch: { type: "string", default: "100" },
    connections: { type: "string", default: "16" },
    "event-rows": { type: "string", default: "on" },
    /** Prints where the runtime's time went, by function. */
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [devices, stores, contents, logs, batchSize, connections] = [
  values.devices,
  values.stores,
  values.contents,
  values.logs,
  values.batch,
  values.connections,
].map(Number) as [number, number, number, number, number, number];

interface Request {
  device: PairedDevice;
  body: string;
  logs: number;
}

const dir = mkdtempSync(join(tmpdir(), "alive-bench-"));
const bundle = await buildBundle();
const stack = await startStack(bundle, {
  persistTo: dir,
  port: 8793,
  floodLimit: 1_000_000_000,
  ...(values.profile ? { inspectorPort: 8794 } : {}),
  bindings: { EVENT_ROWS: values["event-rows"] },
  consumer: { maxBatchSize: 100, maxBatchTimeout: 1 },
});
try {
  say(`making ${devices} devices with RSA-2048 keys in ${stores} stores`);
  const network = await makeNetwork(stack.url, {
    devices,
    stores,
    contents,
    campaigns: 5,
    policy: { requests_per_minute: 1_000_000 },
    algorithm: "RS256",
  });
  say(`signing ${logs} logs`);
  const requests = await presign(network);
  say(`sending ${requests.length} requests over ${connections} connections`);
  const profiler = values.profile ? await startProfile(8794) : null;
  const result = await measure(stack, requests);
  if (profiler) console.table((await profiler.stop()).slice(0, 45));
  if (values.json) console.log(JSON.stringify(result));
  else console.table(result);
} finally {
  await stack.kill();
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);

function say(text: string): void {
  if (!values.json) console.log(text);
}

async function presign(network: PairedDevice[]): Promise<Request[]> {
  const requests: Request[] = [];
  const counts = new Map<string, number>();
  for (let made = 0; made < logs; ) {
    const device = network[requests.length % network.length];
    if (!device) throw new Error("no devices");
    const from = counts.get(device.id) ?? 0;
    const size = Math.min(batchSize, logs - made);
    const signed = await Promise.all(Array.from({ length: size }, (_, index) => signedLog(device, from + index, 60_000)));
    requests.push({ device, body: JSON.stringify(size === 1 && batchSize === 1 ? signed[0] : { logs: signed }), logs: size });
    counts.set(device.id, from + size);
    made += size;
  }
  return requests;
}

async function measure(stack: Stack, requests: Request[]) {
  const path = batchSize === 1 ? "/api/v1/playback-logs" : "/api/v1/playback-logs/batch";
  const latencies: number[] = [];
  const answers = { held: 0, refused: 0, other: 0 };
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let request = requests[next++]; request; request = requests[next++]) {
        const sentAt = performance.now();
        const answer = await fetch(`${stack.url}${path}`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${request.device.token}`,
            "Content-Type": "application/json",
            "Sent-At": new Date().toISOString(),
          },
          body: request.body,
        });
        const body = (await answer.json()) as { processed?: number; failed?: number; status?: string };
        latencies.push(performance.now() - sentAt);
        if (answer.status !== 202) answers.other += request.logs;
        else {
          answers.held += body.processed ?? 1;
          answers.refused += body.failed ?? 0;
        }
      }
    }),
  );
  const answered = performance.now();
  const recorded = async () => (await stack.sql<{ n: number }>("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger"))[0]?.n ?? 0;
  let committed = await recorded();
  for (let look = 0; committed < answers.held && look < 3000; look++) {
    await Bun.sleep(100);
    committed = await recorded();
  }
  const ended = performance.now();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 10) / 10;
  const perSecond = (count: number, ms: number) => Math.round((count / ms) * 1000);
  return {
    logs,
    "answered logs/s": perSecond(answers.held, answered - started),
    "committed logs/s": perSecond(committed, ended - started),
    "drain s": Math.round((ended - answered) / 100) / 10,
    "p50 ms": at(0.5),
    "p95 ms": at(0.95),
    "p99 ms": at(0.99),
    "sent = recorded + refused": logs === committed + answers.refused + answers.other,
    refused: answers.refused,
    "not answered 202": answers.other,
  };
}
