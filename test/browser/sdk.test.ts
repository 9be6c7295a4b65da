import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { FILES_CASES } from "../sdk/files-contract.ts";
import { QUEUE_CASES } from "../sdk/queue-contract.ts";
import { launchChromium } from "./chromium.ts";
import type { SdkPage } from "./sdk-page.ts";

let browser: Browser;
let context: BrowserContext;
let page: Page;
let server: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
  const built = await Bun.build({ entrypoints: [resolve(import.meta.dirname, "sdk-page.ts")], target: "browser" });
  const script = await (built.outputs[0] as Blob).text();
  server = Bun.serve({
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === "/page.js"
        ? new Response(script, { headers: { "Content-Type": "text/javascript" } })
        : new Response('<!doctype html><script type="module" src="/page.js"></script>', { headers: { "Content-Type": "text/html" } }),
  });
  browser = await launchChromium();
  context = await browser.newContext();
  page = await open();
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop(true);
});

async function open(): Promise<Page> {
  const opened = await context.newPage();
  await opened.goto(`http://localhost:${server.port}/`);
  return opened;
}

/** Calls the page's function of this name. */
async function call<N extends keyof SdkPage>(
  name: N,
  where: Page,
  ...params: Parameters<SdkPage[N]>
): Promise<Awaited<ReturnType<SdkPage[N]>>> {
  await where.waitForFunction(() => "sdk" in globalThis);
  const answer: unknown = await where.evaluate(
    async ([called, given]) => {
      const { sdk } = globalThis as unknown as { sdk: Record<string, (...params: unknown[]) => Promise<unknown>> };
      return await sdk[called]?.(...given);
    },
    [name, params] as const,
  );
  return answer as Awaited<ReturnType<SdkPage[N]>>;
}

describe("a queue in IndexedDB", () => {
  for (const { name } of QUEUE_CASES) test(name, async () => await call("queue", page, name));
});

describe("files in IndexedDB", () => {
  for (const { name } of FILES_CASES) test(name, async () => await call("files", page, name));

  test("are shown by a blob of all their pieces, once they are complete", async () => {
    expect(await call("blob", page)).toEqual([null, [1, 2, 3], "image/png"]);
  });
});

/** Of which importing a key wants the one, and verifying the other. */
const ECDSA: EcKeyImportParams & EcdsaParams = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

describe("a player's key", () => {
  for (const [algorithm, verify] of [
    ["RS256", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }],
    ["ES256", ECDSA],
    ["EdDSA", { name: "Ed25519" }],
  ] as const)
    test(`of ${algorithm} signs after the page was loaded anew, and cannot be read`, async () => {
      const { alg: _, ...jwk } = (await call("keep", page, algorithm)) as JsonWebKey & { alg: string };
      await page.reload();
      const { publicJwk, read, signature, ...kept } = await call("kept", page);
      expect({ ...publicJwk, alg: undefined }).toMatchObject({ ...jwk } as Record<string, string>);
      expect([read, kept]).toEqual(["InvalidAccessError", { answer: { n: 42 }, nothing: null, waiting: 1 }]);
      const key = await crypto.subtle.importKey("jwk", jwk, verify, false, ["verify"]);
      expect(await crypto.subtle.verify(verify, key, Uint8Array.from(signature), new Uint8Array([1, 2, 3]))).toBe(true);
    });
});

describe("the right to play", () => {
  test("is given back, and taken again", async () => {
    expect(await call("lockAgain", page)).toEqual([true, false, true]);
  });

  test("has one of two tabs, and the other one when that is closed", async () => {
    const [one, other] = [await open(), await open()];
    expect([await call("lock", one), await call("lock", other)]).toEqual([true, false]);
    await one.close();
    // Waits for whoever has it.
    await other.evaluate(async () => await navigator.locks.request("alive-signage:locked", async () => {}));
    expect(await call("lock", other)).toBe(true);
    await other.close();
  });
});
