import { afterAll, beforeAll, expect, test } from "bun:test";
import { openSite, type Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 300_000);
afterAll(() => site.close());

test("the console's page comes with a strict policy, at every path of its own", async () => {
  for (const path of ["/console", "/console/devices/x"]) {
    const answer = await fetch(`${site.url}${path}`);
    expect(answer.status).toBe(200);
    const policy = answer.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-([A-Za-z0-9+/=]{24})'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    );
    expect(await answer.text()).toContain(/'nonce-([^']+)'/.exec(policy)?.[1] ?? "none");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
  }
});

test("hashed files are cached for good, and what is not there is no page", async () => {
  const html = await (await fetch(`${site.url}/console`)).text();
  const script = /src="([^"]+\.js)"/.exec(html)?.[1] ?? "";
  const answer = await fetch(`${site.url}${script}`);
  expect(answer.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  expect(answer.headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect((await fetch(`${site.url}/console/assets/gone-12345678.js`)).status).toBe(404);
  expect((await fetch(`${site.url}/console/index.html`)).headers.get("Content-Security-Policy")).not.toBeNull();
});
