import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";
import { launchChromium } from "./chromium.ts";

/** The production Worker with its pages, and a browser to look at them. */
export interface Site {
  stack: Stack;
  /** Where a browser finds it: `http://localhost:…`, which browsers take for a secure place. */
  url: string;
  browser: Browser;
  /** A page in a browser profile of its own. What it must never do is noted, see {@link Visit}. */
  visit(options?: BrowserContextOptions): Promise<Visit>;
  /** Calls the API as the holder of ADMIN_TOKEN. @throws Error where the answer is none of 2xx. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  close(): Promise<void>;
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What has gone wrong so far, which must be nothing: CSP violations, uncaught errors, console errors, requests to another origin. */
  faults: string[];
}

/** Starts a Worker with an empty state of its own, for a file of tests. */
export async function openSite(bindings: Record<string, string> = {}): Promise<Site> {
  const persistTo = mkdtempSync(join(tmpdir(), "alive-browser-"));
  const { bundle, browser } = await once();
  const stack = await startStack(bundle, { persistTo, port: 0, pages: true, bindings });
  const url = stack.url.replace("127.0.0.1", "localhost");
  return {
    stack,
    url,
    browser,
    visit: (options) => visit(browser, url, options),
    api: (method, path, body) => callApi(url, method, path, body),
    close: async () => {
      await stack.kill();
      rmSync(persistTo, { recursive: true, force: true });
    },
  };
}

interface Shared {
  bundle: string;
  browser: Browser;
}

const SHARED = Symbol.for("alive-browser-tests");

/** The bundle and the browser, for all files of this process: they are slow to make. The browser ends with the process. */
function once(): Promise<Shared> {
  const made = (Reflect.get(globalThis, SHARED) as Promise<Shared> | undefined) ?? makeShared();
  Reflect.set(globalThis, SHARED, made);
  return made;
}

async function makeShared(): Promise<Shared> {
  return { bundle: await buildBundle(), browser: await launchChromium() };
}

async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  // For machines that are slow or busy: nothing waits this long by design.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    // Refused requests are part of what is tested; what a page says of them is looked at there.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) faults.push(`console: ${message.text()}`);
  });
  context.on("request", (request) => {
    const target = new URL(request.url());
    if (!["data:", "blob:"].includes(target.protocol) && target.origin !== url) faults.push(`request to another origin: ${request.url()}`);
  });
  return { context, page, faults };
}

async function callApi<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? null : await answer.json()) as T;
}
