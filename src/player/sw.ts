export {};

declare const self: ServiceWorkerGlobalScope;

/** The page with all that it is made of, as it was last complete: `alive-player-<hash of the list>`. */
const SHELL_PREFIX = "alive-player-";
/** Pages that were uploaded as content, while they are shown; the player puts them there. */
const PAGES = "alive-pages";
const PAGE = "/player";
const FILES = "/player/files.json";
const PAGES_PATH = "/player/page/";
/** A network that hangs must not keep a screen black. */
const PAGE_TIMEOUT_MS = 5000;

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("message", (event) => {
  // The page found that there is a newer one: kept whole before anybody reloads.
  if (event.data === "keep") event.waitUntil(keepShell().then((kept) => event.ports[0]?.postMessage(kept)));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin || request.method !== "GET") return;
  if (pathname.startsWith(PAGES_PATH)) event.respondWith(answerPage(request));
  else if (request.mode === "navigate" && (pathname === PAGE || pathname === `${PAGE}/`)) event.respondWith(answerShell());
  else if (pathname.startsWith(`${PAGE}/assets/`)) event.respondWith(answerAsset(request));
});

/**
 * Keeps the page and its files for the time without a network, all or nothing: a page of today with scripts of yesterday would
 * not start. Returns whether that is done; what was kept before stays if not.
 */
async function keepShell(): Promise<boolean> {
  try {
    const list = await fetch(FILES, { cache: "no-store" });
    const page = await fetch(PAGE, { cache: "no-store" });
    if (!list.ok || !page.ok) return false;
    const text = await list.text();
    const name = SHELL_PREFIX + (await hashOf(text + (await page.clone().text())));
    if (await caches.match(PAGE, { cacheName: name })) return true;
    const cache = await caches.open(name);
    await cache.addAll((JSON.parse(text) as string[]).map((file) => `${PAGE}/${file}`));
    // Last: a cache that has the page has all of it.
    await cache.put(PAGE, page);
    for (const other of await caches.keys()) if (other.startsWith(SHELL_PREFIX) && other !== name) await caches.delete(other);
    return true;
  } catch {
    return false;
  }
}

/** The server's page where it answers soon, else the one that is kept. */
async function answerShell(): Promise<Response> {
  const kept = await fromShell(PAGE);
  try {
    const fresh = await fetch(PAGE, { cache: "no-store", ...(kept ? { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) } : {}) });
    // A server in trouble answers no page; the kept one plays on.
    return fresh.ok || !kept ? fresh : kept;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function answerAsset(request: Request): Promise<Response> {
  return (await fromShell(request.url)) ?? (await fetch(request));
}

async function answerPage(request: Request): Promise<Response> {
  const cache = await caches.open(PAGES);
  return (await cache.match(request, { ignoreSearch: true })) ?? new Response(null, { status: 404 });
}

async function fromShell(url: string): Promise<Response | undefined> {
  for (const name of await caches.keys()) {
    if (!name.startsWith(SHELL_PREFIX)) continue;
    const cache = await caches.open(name);
    // One that has no page was never completed.
    const found = (await cache.match(PAGE)) && (await cache.match(url));
    if (found) return found;
  }
  return undefined;
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest).slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
