/**
 * Pages that were uploaded as content. A page from a `blob:` address would inherit the player's policy, under which no script of
 * its own runs; so the service worker answers for it (`sw.ts`), with a policy that lets it do everything by itself and nothing
 * beyond: no network, and no origin, so that it cannot reach the player's storage or its token.
 */
const CACHE = "alive-pages";
const PATH = "/player/page/";

const POLICY = [
  "sandbox allow-scripts",
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob: data:",
  "style-src 'unsafe-inline' blob: data:",
  "img-src blob: data:",
  "media-src blob: data:",
  "font-src blob: data:",
  "connect-src blob: data:",
  "worker-src blob: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * A browser asks a service worker for a frame only if its attribute leaves it this origin. The answer's own policy takes the
 * origin away again before anything of the page runs: the stricter of the two holds.
 */
export const UPLOADED_SANDBOX = "allow-scripts allow-same-origin";

/** A page on the web lives in a frame without an origin: no cookies, no storage. */
export const WEB_SANDBOX = "allow-scripts";

/** Whether such pages can be shown: not before the service worker answers for this page. */
export function canShowUploaded(): boolean {
  return navigator.serviceWorker?.controller !== null && navigator.serviceWorker !== undefined;
}

/** Makes a page ready to be framed; returns its address. */
export async function publishPage(sha256: string, page: Blob): Promise<string> {
  const cache = await caches.open(CACHE);
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY, "Cache-Control": "no-store" };
  await cache.put(`${PATH}${sha256}`, new Response(page, { headers }));
  return `${PATH}${sha256}`;
}

/** The page is not shown any more. */
export async function withdrawPage(sha256: string): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.delete(`${PATH}${sha256}`);
}

/** Removes what a player left that ended while it showed pages. */
export async function withdrawAllPages(): Promise<void> {
  await caches.delete(CACHE);
}
