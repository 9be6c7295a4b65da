/**
 * The production bundle in one local workerd, with real state on disk, as a process of its own that a test or a benchmark may kill.
 * Runs under the pinned Node (types are stripped, so nothing here may need compiling):
 *
 *     node src/cli/stack/serve.ts '{"bundle":"…/index.js","persistTo":"…","port":8799,"bindings":{…}}'
 *
 * Prints one line of JSON when it is ready. Its control port answers what a test asks of the state behind the Worker's back:
 * `POST /sql` (text → rows), `GET /r2/<key>` (bytes), `GET /r2?prefix=` (keys), `POST /cron` (text: the expression).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

interface StackOptions {
  bundle: string;
  persistTo: string;
  port: number;
  directPort?: number;
  bindings: Record<string, string>;
  /** Lifts the platform's flood limit, which is meant for single devices. */
  floodLimit?: number;
  /** Opens the runtime's inspector, for a CPU profile. */
  inspectorPort?: number;
  consumer?: { maxBatchSize?: number; maxBatchTimeout?: number };
  /** Serves the built pages; without it there is no `ASSETS`, and no router in front of the Worker. */
  pages?: boolean;
}

const options = JSON.parse(process.argv[2] ?? "{}") as StackOptions;
const root = resolve(import.meta.dirname, "../../..");
const { assets, ...workerOptions } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml")).workerOptions as Record<
  string,
  unknown
>;

const modules = readdirSync(dirname(options.bundle))
  .filter((name) => /\.(js|md|svg|sh|txt)$/.test(name) && name !== "README.md")
  .map((name) => ({
    type: /\.(md|svg|sh|txt)$/.test(name) ? ("Text" as const) : ("ESModule" as const),
    path: join(dirname(options.bundle), name),
    contents: readFileSync(join(dirname(options.bundle), name), "utf8"),
  }))
  // The first module is the Worker's entry.
  .sort((a) => (a.path.endsWith("index.js") ? -1 : 1));

const { ratelimits: limits = {}, queueConsumers: consumers = {} } = workerOptions as {
  ratelimits?: Record<string, { simple: { limit: number; period: number } }>;
  queueConsumers?: Record<string, object>;
};
const ratelimits = Object.fromEntries(
  Object.entries(limits).map(([name, limit]) => [
    name,
    { ...limit, simple: { ...limit.simple, limit: options.floodLimit ?? limit.simple.limit } },
  ]),
);
const queueConsumers = Object.fromEntries(
  Object.entries(consumers).map(([name, consumer]) => [name, { ...consumer, ...options.consumer }]),
);

const described = {
  port: options.port,
  host: "127.0.0.1",
  ...(options.inspectorPort ? { inspectorPort: options.inspectorPort } : {}),
  resourcePersistencePath: options.persistTo,
  // Lets `/cron` run what no clock runs here.
  unsafeTriggerHandlers: true,
  workers: [
    {
      ...workerOptions,
      ...(options.pages ? { assets } : {}),
      name: "alive-signage",
      unsafeDirectSockets: [{ host: "127.0.0.1", port: options.directPort ?? 0 }],
      modules,
      modulesRoot: dirname(options.bundle),
      bindings: { ...(workerOptions.bindings as Record<string, string>), ...options.bindings },
      ratelimits,
      queueConsumers,
    },
  ],
} as unknown as V4MiniflareOptions;
const miniflare = new Miniflare(convertV4MiniflareOptions(described));

await miniflare.ready;
// Straight to the Worker: the proxy in front of it, which a developer's pages need, costs a good deal of every request.
const url = await miniflare.unsafeGetDirectURL("alive-signage");

interface D1Like {
  prepare(sql: string): { all(): Promise<{ results: unknown[] }>; run(): Promise<unknown> };
}
interface R2Like {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  list(options: { prefix?: string; cursor?: string }): Promise<{ objects: { key: string }[]; truncated: boolean; cursor?: string }>;
}

const migrations = join(root, "migrations");
// Not asked of the database: calls of it block this thread, which must read what the runtime logs, and a Worker that was killed
// under load logs more at its start than a pipe holds. Each would wait for the other.
const marker = join(options.persistTo, "migrated");
if (!existsSync(marker)) {
  const { DB } = await bindings();
  for (const file of readdirSync(migrations).sort()) {
    for (const statement of statements(readFileSync(join(migrations, file), "utf8"))) await DB.prepare(statement).run();
  }
  writeFileSync(marker, "");
}

function bindings() {
  return miniflare.getBindings<{ DB: D1Like; BUCKET: R2Like }>();
}

/** The statements of a migration: split at a semicolon that ends a line, but for a trigger's body. */
function statements(sql: string): string[] {
  const bare = sql.replace(/^\s*--.*$/gm, "");
  return bare
    .split(/;\s*$/m)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

const control = createServer(async (request, response) => {
  try {
    const target = new URL(request.url ?? "/", "http://control");
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    if (target.pathname === "/sql") response.end(JSON.stringify((await (await bindings()).DB.prepare(body).all()).results));
    else if (target.pathname === "/cron") {
      const ran = await miniflare.dispatchFetch(`http://localhost/cdn-cgi/local/scheduled?cron=${encodeURIComponent(body)}`);
      response.statusCode = ran.ok ? 200 : 500;
      response.end(await ran.text());
    } else if (target.pathname === "/r2") response.end(JSON.stringify(await listKeys(target.searchParams.get("prefix") ?? "")));
    else if (target.pathname.startsWith("/r2/")) {
      const object = await (await bindings()).BUCKET.get(decodeURIComponent(target.pathname.slice(4)));
      response.statusCode = object ? 200 : 404;
      response.end(object ? Buffer.from(await object.arrayBuffer()) : "");
    } else {
      response.statusCode = 404;
      response.end();
    }
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});

async function listKeys(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  const { BUCKET } = await bindings();
  let cursor: string | undefined;
  do {
    const page = await BUCKET.list({ prefix, ...(cursor ? { cursor } : {}) });
    keys.push(...page.objects.map((object) => object.key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return keys;
}

// A harness that was interrupted leaves nothing behind: the runtime belongs to this process's group.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(-process.pid, "SIGKILL");
}, 1000).unref();

control.listen(0, "127.0.0.1", () => {
  const address = control.address();
  console.log(
    JSON.stringify({ url: url.href.replace(/\/$/, ""), control: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` }),
  );
});
