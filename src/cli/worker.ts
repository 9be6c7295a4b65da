import { openSync, readFileSync } from "node:fs";
import { buildAssets } from "./assets.ts";
import { mustRun, QUIET, ROOT, Stop, wrangler } from "./tools.ts";

export interface WorkerOptions {
  port: number;
  /** Where D1, R2 and the Durable Objects keep their state; wrangler's own place by default. */
  persistTo?: string;
  /** Bindings that differ from `wrangler.toml`. */
  vars?: Record<string, string>;
  /** A file for the Worker's output; the terminal by default. */
  logFile?: string;
}

export interface RunningWorker {
  url: string;
  /** Resolves with the exit code when it ends, by itself or not. */
  ended: Promise<number>;
  /** Ends the Worker and everything that it started. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 200;
const END_WITHIN_MS = 8000;

/** Applies what is missing of `migrations/` to the local database. */
export async function migrateLocally(persistTo?: string): Promise<void> {
  const place = persistTo ? ["--persist-to", persistTo] : [];
  await mustRun(wrangler("d1", "migrations", "apply", "DB", "--local", ...place), "Migrating the local database");
}

/** @throws Stop where something answers on the port already. */
export async function requireFree(port: number): Promise<void> {
  const url = `http://localhost:${port}`;
  if (await answers(url)) throw new Stop(`Something answers on ${url} already. Stop it, or choose another port with --port.`);
}

/**
 * Starts the Worker in the local runtime and returns when it answers.
 * @throws Stop where the port is taken or the Worker does not come up.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const url = `http://localhost:${options.port}`;
  await requireFree(options.port);
  await buildAssets();
  const out = options.logFile ? openSync(options.logFile, "w") : "inherit";
  const child = Bun.spawn(wrangler("dev", ...devArguments(options)), {
    cwd: ROOT,
    env: { ...process.env, ...QUIET },
    stdin: "ignore",
    stdout: out,
    stderr: out,
    // A process group of its own: Ctrl-C reaches this program alone, which then ends the whole group.
    detached: true,
  });
  const worker = { url, ended: child.exited, stop: () => endGroup(child) };
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await worker.stop();
      throw new Stop(`The Worker did not start.${options.logFile ? `\n${readFileSync(options.logFile, "utf8").slice(-4000)}` : ""}`);
    }
    await Bun.sleep(LOOK_EVERY_MS);
  }
  return worker;
}

function devArguments(options: WorkerOptions): string[] {
  const vars = Object.entries({ ENVIRONMENT: "development", ...options.vars }).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  return [
    ...["--local", "--ip", "127.0.0.1", "--port", String(options.port), "--inspector-port", "0"],
    "--show-interactive-dev-session=false",
    ...(options.persistTo ? ["--persist-to", options.persistTo] : []),
    ...vars,
  ];
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

async function endGroup(child: Bun.Subprocess): Promise<void> {
  const signal = (name: "SIGTERM" | "SIGKILL") => {
    try {
      if (process.platform === "win32") child.kill(name);
      else process.kill(-child.pid, name);
    } catch {
      // It has ended by itself.
    }
  };
  // Not SIGINT: a shell that starts this in the background makes its children ignore that.
  signal("SIGTERM");
  const impatience = setTimeout(() => signal("SIGKILL"), END_WITHIN_MS);
  await child.exited;
  clearTimeout(impatience);
  // What is left of the group, should the runtime have outlived its parent.
  signal("SIGKILL");
}
