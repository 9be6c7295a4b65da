/** The page itself, as the service worker keeps it: so that it starts without a network, and is renewed where there is one. */
const WORKER = "/player/sw.js";
const SCOPE = "/player";
const FILES = "/player/files.json";
const KEEP_TIMEOUT_MS = 60_000;

/** The build that runs, by the hash in its script's name. */
export const PLAYER_VERSION = `web ${/-([a-z0-9]+)\.js/.exec(import.meta.url)?.[1] ?? "unknown"}`;

/** Has the page kept for the time without a network. Returns why that is not so; null where it is. */
export async function keepShell(): Promise<string | null> {
  if (!("serviceWorker" in navigator)) return "This browser has no service workers.";
  try {
    await navigator.serviceWorker.register(WORKER, { scope: SCOPE, updateViaCache: "none" });
    await navigator.serviceWorker.ready;
    return (await askToKeep()) ? null : "The page could not be kept.";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether the server has another build of the page than the one that runs. False where that cannot be told. */
export async function hasUpdate(): Promise<boolean> {
  try {
    const answer = await fetch(FILES, { cache: "no-store" });
    if (!answer.ok) return false;
    const files: unknown = await answer.json();
    return Array.isArray(files) && !files.some((file) => typeof file === "string" && import.meta.url.endsWith(`/${file}`));
  } catch {
    return false;
  }
}

/** Fetches the server's build of the page, so that a reload begins with it. @throws Error where it cannot be had. */
export async function fetchUpdate(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  if (!registration) return;
  await registration.update();
  if (!(await askToKeep())) throw new Error("The new version of the player could not be fetched.");
}

async function askToKeep(): Promise<boolean> {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(() => resolve(false), KEEP_TIMEOUT_MS);
  });
  active?.postMessage("keep", [port2]);
  return await answer.finally(() => port1.close());
}
