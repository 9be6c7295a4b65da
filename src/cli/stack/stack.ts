import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAssets } from "../assets.ts";
import { findNode, mustRun, ROOT, wrangler } from "../tools.ts";

export const ADMIN_TOKEN = "stack-admin-token";

export interface StackOptions {
  persistTo: string;
  /** Of the proxy that wrangler puts in front; whoever asks the Worker goes by {@link Stack.url}. */
  port: number;
  /** Of the Worker itself, for those who must find it again after a restart; any free one by default. */
  directPort?: number;
  bindings?: Record<string, string>;
  floodLimit?: number;
  inspectorPort?: number;
  consumer?: { maxBatchSize?: number; maxBatchTimeout?: number };
  /** The heap that an isolate may have, as the platform limits it. Default: what the machine gives. */
  isolateMb?: number;
  /** Serves the console and the player too. Not by default: the platform's router in front of them costs a good deal of every request. */
  pages?: boolean;
}

/** A running stack: the Worker's address, and a way to its state behind its back. */
export interface Stack {
  url: string;
  pid: number;
  sql<T>(text: string): Promise<T[]>;
  object(key: string): Promise<Uint8Array>;
  keys(prefix: string): Promise<string[]>;
  cron(expression: string): Promise<void>;
  /** `kill -9` of the runtime and all that belongs to it: nothing is flushed, the queue's memory is gone. */
  kill(): Promise<void>;
}

/**
 * Builds the production bundle, as `wrangler deploy` would upload it, or that of another entry (`…/index.ts`). Returns its entry's path.
 * It goes with the process that built it, or at the next build where that was killed.
 */
export async function buildBundle(main?: string): Promise<string> {
  removeBundles((pid) => !isRunning(pid));
  // wrangler wants the pages' folder, whoever asks.
  await buildAssets();
  const dir = mkdtempSync(join(tmpdir(), `alive-bundle-${process.pid}-`));
  process.once("exit", () => removeBundles((pid) => pid === process.pid));
  await mustRun(wrangler("deploy", ...(main ? [main] : []), "--dry-run", "--outdir", dir), "Building the Worker");
  return join(dir, "index.js");
}

/** Removes the bundles that processes left, those that are meant by their id. */
function removeBundles(of: (pid: number) => boolean): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^alive-bundle-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && of(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signalled, but runs.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Starts the bundle in a process group of its own. State lies in `persistTo` and outlives the process. */
export async function startStack(bundle: string, options: StackOptions): Promise<Stack> {
  if (!existsSync(bundle)) throw new Error(`there is no bundle at ${bundle}`);
  const bindings = {
    ENVIRONMENT: "test",
    ADMIN_TOKEN,
    AUTH_SECRET: "stack-auth-secret-of-more-than-32-characters",
    DEVICE_TOKEN_SECRET: "stack-device-token-secret",
    HASH_SECRET: "stack-hash-secret",
    OUTBOX_RESEND_AFTER_MS: "3000",
    ...options.bindings,
  };
  const argument = JSON.stringify({ ...options, bundle, bindings });
  const child = Bun.spawn([findNode(), join(import.meta.dirname, "serve.ts"), argument], {
    cwd: ROOT,
    env: { ...process.env, ...(options.isolateMb ? { MINIFLARE_WORKERD_V8_FLAGS: `--max-heap-size=${options.isolateMb}` } : {}) },
    stdout: "pipe",
    stderr: process.env.STACK_LOG ? Bun.file(process.env.STACK_LOG) : "pipe",
    stdin: "ignore",
    detached: true,
  });
  const complaints = child.stderr instanceof ReadableStream ? lastWords(child.stderr) : () => "";
  const ready = await readyLine(child.stdout, complaints);
  const ask = async (path: string, body?: string) => {
    const answer = await fetch(`${ready.control}${path}`, body === undefined ? {} : { method: "POST", body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    url: ready.url,
    pid: child.pid,
    sql: async <T>(text: string) => (await (await ask("/sql", text)).json()) as T[],
    object: async (key) => new Uint8Array(await (await ask(`/r2/${encodeURIComponent(key)}`)).arrayBuffer()),
    keys: async (prefix) => (await (await ask(`/r2?prefix=${encodeURIComponent(prefix)}`)).json()) as string[],
    cron: async (expression) => {
      await ask("/cron", expression);
    },
    kill: async () => {
      process.kill(-child.pid, "SIGKILL");
      await child.exited;
    },
  };
}

const MAX_COMPLAINT_CHARS = 4000;

/** Reads a stream to its end, or its pipe would fill, and gives the end of what has come so far. */
function lastWords(stream: ReadableStream<Uint8Array>): () => string {
  let text = "";
  const decoder = new TextDecoder();
  void (async () => {
    for await (const piece of stream) text = (text + decoder.decode(piece, { stream: true })).slice(-MAX_COMPLAINT_CHARS);
  })();
  return () => text;
}

async function readyLine(stream: ReadableStream<Uint8Array>, complaints: () => string): Promise<{ url: string; control: string }> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stack ended before it was ready: ${text}${complaints()}`);
    text += decoder.decode(value, { stream: true });
    // A Worker that was killed under load logs before it is ready, in JSON too.
    const line = text.split("\n").find((one) => one.startsWith('{"url":') && one.endsWith("}"));
    if (line) {
      // Whatever it prints from here on is read and dropped, or the pipe would fill.
      void (async () => {
        while (!(await reader.read()).done);
      })();
      return JSON.parse(line) as { url: string; control: string };
    }
  }
}
