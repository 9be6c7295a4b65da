import type { Context } from "hono";
import { trimTrailingSlash } from "hono/trailing-slash";
import { Problem } from "./errors.ts";
import { type AppEnv, createRouter } from "./http.ts";

/** A page application that the build (`src/cli/assets.ts`) put into `dist/assets/<name>`. */
export interface PageApp {
  /** The path under which it is served, without slashes. */
  name: string;
  /** Its Content-Security-Policy for one answer. `nonce` allows the `<style>` elements that libraries add; no script needs it. */
  policy: (nonce: string) => Record<string, string>;
  /** Files beside the page that have names without a hash (a service worker), and so must be asked for again each time. */
  files?: string[];
}

/** Where the build left room for the nonce. */
const NONCE_PLACE = "%NONCE%";

/** Serves the page application's HTML at its path and at every path below, which the page's own router tells apart. */
export function pageRoutes(app: PageApp) {
  const router = createRouter();
  const { name, files = [] } = app;
  router.use(`/${name}`, trimTrailingSlash());
  for (const file of files) router.get(`/${name}/${file}`, (c) => answerFile(c, app, file));
  // What the platform has not found among the hashed files is not there: it must not be answered with a page.
  router.get(`/${name}/assets/*`, (c) => {
    throw new Problem("not-found", `There is no file at ${c.req.path}; reload the page to get its present ones.`);
  });
  router.get(`/${name}`, (c) => answerHtml(c, app));
  router.get(`/${name}/*`, (c) => answerHtml(c, app));
  return router;
}

async function answerHtml(c: Context<AppEnv>, { name, policy }: PageApp): Promise<Response> {
  const html = await (await readAsset(c, `/${name}/index.html`)).text();
  const nonce = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  return c.body(html.replaceAll(NONCE_PLACE, nonce), 200, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    ...securityHeaders(policy(nonce)),
  });
}

async function answerFile(c: Context<AppEnv>, { name, policy }: PageApp, file: string): Promise<Response> {
  const found = await readAsset(c, `/${name}/${file}`);
  return new Response(found.body, {
    headers: {
      "Content-Type": found.headers.get("Content-Type") ?? "application/octet-stream",
      "Cache-Control": "no-cache",
      // A service worker that answers for the page too, not only for what lies below it.
      "Service-Worker-Allowed": `/${name}`,
      ...securityHeaders(policy("")),
    },
  });
}

async function readAsset(c: Context<AppEnv>, path: string): Promise<Response> {
  const found = await c.env.ASSETS.fetch(new URL(path, c.req.url));
  if (!found.ok) throw new Problem("not-found", "This page was not built: see `bun run start` or `bun run dev`.");
  return found;
}

function securityHeaders(policy: Record<string, string>): Record<string, string> {
  const directives = Object.entries(policy).map(([directive, sources]) => `${directive} ${sources}`);
  return {
    "Content-Security-Policy": directives.join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
  };
}

/** The console: nothing from another origin, no inline script, and only those styles that carry the answer's nonce. */
export const CONSOLE: PageApp = {
  name: "console",
  policy: (nonce) => ({
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": `'self' 'nonce-${nonce}'`,
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  }),
};

/**
 * The web player: as strict as can be. Content comes as `blob:`, from what the player has fetched and checked. Pages on the web that
 * a plan names may be framed, over https alone and in a sandbox without an origin; which ones, only the plan says, so no list can stand here.
 */
export const PLAYER: PageApp = {
  name: "player",
  policy: () => ({
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "blob: data:",
    "media-src": "blob:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "frame-src": "'self' https:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  }),
  files: ["sw.js", "files.json"],
};
