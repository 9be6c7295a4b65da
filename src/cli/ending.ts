import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/**
 * A promise of the moment when somebody wants this program to end: Ctrl-C, a polite kill, a closed terminal, or the end of
 * the script runner that started it, which does not pass its own signals on.
 */
export function askedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => resolve());
    const begun = runners();
    setInterval(() => runners() !== begun && resolve(), LOOK_EVERY_MS).unref();
  });
}

/** `npx` starts a shell that starts `bun run`; without it there is `bun run` alone, and then whoever gave the command. */
const RUNNERS_UNDER_NPX = 3;

/** The processes that stand between this one and whoever gave the command. It changes when one of them dies. */
function runners(): string {
  if (process.env.npm_lifecycle_event === undefined) return "";
  const found: (number | null)[] = [];
  let pid: number | null = process.pid;
  while (pid !== null && found.length < (process.execPath.includes("_npx") ? RUNNERS_UNDER_NPX : 1)) {
    pid = parentOf(pid);
    found.push(pid);
  }
  return found.join(" ");
}

/** The parent's id of a process; null where the system has no /proc to tell. */
function parentOf(pid: number): number | null {
  try {
    // "pid (name) state ppid …", where the name may hold anything.
    const behindName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1);
    return Number(behindName?.split(" ")[1]);
  } catch {
    return null;
  }
}
