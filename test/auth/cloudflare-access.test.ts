import { env } from "cloudflare:workers";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { accessIssuer, requireAccess } from "../../src/auth/cloudflare-access.ts";
import { Problem } from "../../src/platform/errors.ts";
import { app } from "../../workers/http.ts";
import { signedIn } from "../support/people.ts";
import { CONTROL_HOST } from "../support/receiver-protocol.ts";

const SETTINGS = { ACCESS_TEAM_DOMAIN: "acme.cloudflareaccess.com", ACCESS_AUD: "audience-of-the-console" };
const ISSUER = "https://acme.cloudflareaccess.com";

let keys: JWTVerifyGetKey;
let published: { keys: Record<string, unknown>[] };
let own: CryptoKey;
let foreign: CryptoKey;
beforeAll(async () => {
  const pair = await generateKeyPair("RS256", { extractable: true });
  own = pair.privateKey;
  foreign = (await generateKeyPair("RS256")).privateKey;
  published = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" }] };
  keys = createLocalJWKSet(published);
});

interface Claims {
  issuer?: string;
  audience?: string;
  expires?: number | null;
  key?: CryptoKey;
  alg?: string;
}

async function assertion({ issuer = ISSUER, audience = SETTINGS.ACCESS_AUD, expires = 300, key = own }: Claims = {}): Promise<string> {
  const token = new SignJWT({ email: "ann@example.com" })
    .setProtectedHeader({ alg: "RS256", kid: "k1" })
    .setIssuer(issuer)
    .setAudience(audience);
  return await (expires === null ? token : token.setExpirationTime(Math.floor(Date.now() / 1000) + expires)).sign(key);
}

async function outcome(token: string | null, settings: { ACCESS_TEAM_DOMAIN?: string; ACCESS_AUD?: string } = SETTINGS): Promise<string> {
  try {
    await requireAccess(new Headers(token === null ? {} : { "Cf-Access-Jwt-Assertion": token }), settings, keys);
    return "let on";
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.code}`;
    throw error;
  }
}

describe("behind Cloudflare Access", () => {
  test("only what it let through goes on", async () => {
    expect(await outcome(await assertion())).toBe("let on");
    for (const [what, token] of [
      ["nothing", null],
      ["no token", "x.y.z"],
      ["another key", await assertion({ key: foreign })],
      ["another team", await assertion({ issuer: "https://evil.cloudflareaccess.com" })],
      ["another application", await assertion({ audience: "another" })],
      ["one that has expired", await assertion({ expires: -10 })],
      ["one without end", await assertion({ expires: null })],
      ["one without signature", `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ iss: ISSUER, aud: SETTINGS.ACCESS_AUD }))}.`],
    ] as const) {
      expect(await outcome(token), what).toBe("403 ACCESS_REQUIRED");
    }
  });

  test("the cookie that it leaves in the browser is as good as its header, which only protected paths get", async () => {
    const ask = (cookie: string) => requireAccess(new Headers({ Cookie: `a=b; CF_Authorization=${cookie}` }), SETTINGS, keys);
    await ask(await assertion());
    await expect(ask(await assertion({ key: foreign }))).rejects.toMatchObject({ code: "ACCESS_REQUIRED" });
  });

  test("a team without an audience lets nobody on: half a setting is no setting", async () => {
    expect(await outcome(await assertion(), { ACCESS_TEAM_DOMAIN: SETTINGS.ACCESS_TEAM_DOMAIN })).toBe("403 ACCESS_REQUIRED");
  });

  test("is not asked for where it is not set", async () => {
    expect(await outcome(null, {})).toBe("let on");
    expect(await outcome(null, { ACCESS_TEAM_DOMAIN: " ", ACCESS_AUD: "" })).toBe("let on");
  });

  test("a team is named in any of the ways that people do", () => {
    for (const name of ["acme", "acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com/", " acme "])
      expect(accessIssuer(name)).toBe(ISSUER);
    expect(accessIssuer("access.acme.example")).toBe("https://access.acme.example");
    expect(accessIssuer(undefined)).toBeNull();
  });
});

describe("the Worker behind Access", () => {
  const bindings = { ...env, ...SETTINGS };
  const ask = async (method: string, path: string, headers: Record<string, string>) =>
    await app.request(`http://localhost${path}`, { method, headers }, bindings);
  const publish = (body: string, status = 200) =>
    fetch(`http://${CONTROL_HOST}/cdn-cgi/access/certs`, { method: "PUT", body: JSON.stringify([{ status, body }]) });

  test("asks it of the console's pages, of sign-in and of cookies", async () => {
    const browser = await signedIn("admin");
    for (const [method, path] of [
      ["GET", "/console"],
      ["GET", "/console/devices"],
      ["GET", "/v1/admin/me"],
      ["POST", "/v1/admin/stores"],
      ["POST", "/api/auth/sign-in/email"],
      ["POST", "/api/auth/sign-out"],
      ["POST", "/v1/invitations/look"],
    ] as const) {
      const answer = await ask(method, path, browser.headers);
      expect(answer.status, path).toBe(403);
      expect(await answer.json()).toMatchObject({ code: "ACCESS_REQUIRED" });
    }
  });

  test("asks it neither of tokens nor of devices", async () => {
    expect((await ask("GET", "/v1/admin/me", { Authorization: "Bearer test-admin-token" })).status).toBe(200);
    expect((await ask("POST", "/v1/device/time", { "Content-Type": "application/json" })).status).not.toBe(403);
  });

  test("fetches the team's keys, and says so where it cannot", async () => {
    const browser = await signedIn("viewer");
    const headers: Record<string, string> = { ...browser.headers, "Cf-Access-Jwt-Assertion": await assertion() };
    await publish("not now", 500);
    const failed = await ask("GET", "/v1/admin/me", headers);
    expect(failed.status).toBe(503);
    expect(failed.headers.get("Retry-After")).toBe("5");
    await publish(JSON.stringify(published));
    const answer = await ask("GET", "/v1/admin/me", headers);
    expect(await answer.json()).toMatchObject({ id: browser.person.id });
    // It comes on top: Access alone signs nobody in.
    const { Cookie: _, ...without } = headers;
    expect((await ask("GET", "/v1/admin/me", without)).status).toBe(401);
    expect((await ask("GET", "/v1/admin/me", { ...headers, "Cf-Access-Jwt-Assertion": await assertion({ key: foreign }) })).status).toBe(
      403,
    );
  });
});
