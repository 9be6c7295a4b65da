import { createStore } from "./store.ts";

/** Whether the last call found the server. */
export const serverUp = createStore(true);

const LOOK_EVERY_MS = 4000;
let timer: ReturnType<typeof setTimeout> | null = null;

/** Notes that a call found no server, and looks for it until it is back. */
export function noteDown(): void {
  serverUp.set(false);
  timer ??= setTimeout(look, LOOK_EVERY_MS);
}

export function noteUp(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  serverUp.set(true);
}

/** Looks once whether the server is back. */
export async function look(): Promise<void> {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.status < 500) return noteUp();
  } catch {
    // Still away.
  }
  noteDown();
}
