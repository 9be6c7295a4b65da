import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { crossSiteFault } from "../../src/auth/cross-site.ts";
import { Browser, makePerson, PASSWORD, signedIn } from "../support/people.ts";

const own = { Origin: "https://console.example", "X-Requested-With": "alive-console" };
const fault = (method: string, headers: Record<string, string>) =>
  crossSiteFault({ method, url: "https://console.example/v1/admin/stores", headers: new Headers(headers) });

describe("a request that a cookie speaks for", () => {
  test.each([
    ["a page of the same origin", "POST", own, true],
    ["reading, from wherever", "GET", {}, true],
    ["a form of another site", "POST", { Origin: "https://evil.example" }, false],
    ["a script of another site", "POST", { ...own, Origin: "https://evil.example" }, false],
    ["the same name without TLS", "POST", { ...own, Origin: "http://console.example" }, false],
    ["the same name at another port", "POST", { ...own, Origin: "https://console.example:8443" }, false],
    ["a longer name", "DELETE", { ...own, Origin: "https://console.example.evil.example" }, false],
    ["a page without an origin", "PATCH", { ...own, Origin: "null" }, false],
    ["a program that says nothing of where it is", "PUT", { "X-Requested-With": "alive-console" }, false],
    ["a form of the same origin", "POST", { Origin: "https://console.example" }, false],
    ["a socket of the same origin", "GET", { Origin: "https://console.example", Upgrade: "websocket" }, true],
    ["a socket of another site", "GET", { ...own, Origin: "https://evil.example", Upgrade: "WebSocket" }, false],
  ] as const)("%s", (_, method, headers, allowed) => {
    expect(fault(method, headers) === null).toBe(allowed);
  });

  test("changes nothing for another site, by form or by script", async () => {
    const browser = await signedIn("admin");
    const { Cookie = "" } = browser.headers;
    const before = await env.DB.prepare("SELECT count(*) AS n FROM suppliers").first();
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
      const headers = { Cookie, Origin: "https://evil.example", "X-Requested-With": "", "Content-Type": type };
      const answer = await browser.call("POST", "/v1/admin/suppliers", { name: "Planted" }, headers);
      expect(answer.body).toMatchObject({ status: 403, code: "CROSS_SITE" });
    }
    expect(await env.DB.prepare("SELECT count(*) AS n FROM suppliers").first()).toEqual(before);
    // A token is sent by nobody's browser by itself.
    const token = { Authorization: "Bearer test-admin-token", Origin: "https://evil.example", "X-Requested-With": "" };
    expect((await browser.call("POST", "/v1/admin/suppliers", { name: "By token" }, token)).status).toBe(201);
  });

  test("signs nobody in from another site: whoever would, would watch them work in an account of theirs", async () => {
    const person = await makePerson("viewer");
    const answer = await new Browser().call(
      "POST",
      "/api/auth/sign-in/email",
      { email: person.email, password: PASSWORD },
      { Origin: "https://evil.example" },
    );
    expect(answer.body).toMatchObject({ status: 403, code: "CROSS_SITE" });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe("a player in the browser of somebody who is signed in", () => {
  const CREATE = "/v1/device/pairing/create-claim";

  test("asks for a code of its own, and is no administrator", async () => {
    const browser = await signedIn("admin");
    const answer = await browser.call("POST", CREATE, { device_info: { model: "Tab" } }, { "X-Requested-With": "" });
    expect(answer.status).toBe(201);
    expect(answer.body).toHaveProperty("device_code");
  });

  test("while the console beside it makes codes as who is signed in", async () => {
    const browser = await signedIn("operator");
    const answer = await browser.call("POST", CREATE, { name: "Window" });
    expect(answer.body).not.toHaveProperty("device_code");
    const row = await env.DB.prepare("SELECT decided_by FROM claims WHERE id = ?").bind(answer.body.claim_id).first();
    expect(row).toEqual({ decided_by: `user:${browser.person.id}` });
    const viewer = await signedIn("viewer");
    expect((await viewer.call("POST", CREATE, { name: "Window" })).status).toBe(403);
  });
});

test("neither passwords nor tokens nor addresses get into the log", async () => {
  const lines: string[] = [];
  const spies = (["debug", "info", "log", "warn", "error"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...said: unknown[]) => {
      lines.push(said.map(String).join(" "));
    }),
  );
  const person = await makePerson("viewer");
  const browser = new Browser();
  await browser.signIn(person.email, "a wrong pass phrase");
  await browser.signIn(person.email);
  await browser.call("POST", "/api/auth/change-password", {
    current_password: "another wrong one",
    new_password: "yet another pass phrase",
  });
  await browser.call("POST", "/api/auth/sign-in/email", { email: person.email, password: ["not a text"] });
  for (const spy of spies) spy.mockRestore();
  const said = lines.join("\n");
  expect(said).toContain("sign-in refused");
  const secrets = [PASSWORD, "wrong", "yet another", person.email, "203.0.113", ...browser.cookies.values()];
  for (const secret of secrets) expect(said).not.toContain(secret);
});
