import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTVerifyGetKey, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { accessIssuer, requireAccess } from "../../src/auth/cloudflare-access.ts";
import { Problem } from "../../src/platform/errors.ts";

const SETTINGS = { ACCESS_TEAM_DOMAIN: "acme.cloudflareaccess.com", ACCESS_AUD: "audience-of-the-console" };
const ISSUER = "https://acme.cloudflareaccess.com";

let keys: JWTVerifyGetKey;
let own: CryptoKey;
let foreign: CryptoKey;
beforeAll(async () => {
  const pair = await generateKeyPair("RS256", { extractable: true });
  own = pair.privateKey;
  foreign = (await generateKeyPair("RS256")).privateKey;
  keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" }] });
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
