import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { createDeviceClaim } from "../../src/devices/claims-create.ts";
import { claimDevice } from "../../src/devices/pairing.ts";
import { addressKey } from "../../src/devices/pairing-limits.ts";
import { addressNetwork } from "../../src/platform/address.ts";
import { Problem } from "../../src/platform/errors.ts";
import { adminCode, claim, makePlayer, newAddress, post, rows } from "./player.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 30);
const MINUTE = 60_000;

// Tests go by clocks of their own, so each begins with nothing counted.
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM claim_misses"), env.DB.prepare("DELETE FROM claims")]);
});

/** The problem's status and its Retry-After, or what the attempt gave. */
async function outcome(attempt: Promise<unknown>): Promise<unknown> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof Problem) return [error.status, error.options.headers?.["Retry-After"] ?? null];
    throw error;
  }
}

async function guess(address: string, now: number): Promise<unknown> {
  return await outcome(claimDevice(env, { claim_code: "BBBBBBBB", device_info: {} }, address, now));
}

test("the 21st miss of an address in ten minutes is refused, and says when to come back", async () => {
  for (let miss = 0; miss < 20; miss += 1) expect(await guess("one", NOW)).toEqual([404, null]);
  // The minute of 12:00 leaves the window at 12:11:00.
  expect(await guess("one", NOW)).toEqual([429, "630"]);
  expect(await guess("two", NOW)).toEqual([404, null]);
  expect(await guess("one", NOW + 10 * MINUTE)).toEqual([429, "30"]);
  expect(await guess("one", NOW + 10 * MINUTE + 30_000)).toEqual([404, null]);
});

test("an address that missed too often is refused even with a good code, and not once it may ask again", async () => {
  const address = newAddress();
  const headers = { "CF-Connecting-IP": address };
  for (let miss = 0; miss < 20; miss += 1) {
    expect((await post("/v1/device/pairing/claim", { claim_code: "BBBBBBBB", device_info: {} }, headers)).status).toBe(404);
  }
  const [player, code] = [await makePlayer(), await adminCode()];
  const refused = await claim(player, code, address);
  expect([refused.status, refused.body.type]).toEqual([429, "/docs/errors/rate-limit-exceeded"]);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
  const key = await addressKey("test-hash-secret", "claim", new Headers(headers));
  await env.DB.prepare("DELETE FROM claim_misses WHERE address = ?").bind(key).run();
  expect((await claim(player, code, address)).status).toBe(200);
});

test("what is refused for too many misses is not counted as one, so that one address cannot stop the others", async () => {
  for (let miss = 0; miss < 50; miss += 1) await guess("stubborn", NOW);
  expect(await rows("SELECT address, count FROM claim_misses ORDER BY address")).toEqual([
    { address: "", count: 20 },
    { address: "stubborn", count: 20 },
  ]);
});

test("of 60 parallel guesses of one address 20 are looked up", async () => {
  const results = await Promise.all(Array.from({ length: 60 }, () => guess("parallel", NOW)));
  expect(results.filter((result) => Array.isArray(result) && result[0] === 404)).toHaveLength(20);
  expect(results.filter((result) => Array.isArray(result) && result[0] === 429)).toHaveLength(40);
});

test("600 misses of all addresses together stop everybody", async () => {
  for (let address = 0; address < 30; address += 1) {
    await Promise.all(Array.from({ length: 20 }, () => guess(`crowd-${address}`, NOW)));
  }
  expect(await rows("SELECT sum(count) AS misses FROM claim_misses WHERE address = '' AND window_start >= ?", NOW - MINUTE)).toEqual([
    { misses: 600 },
  ]);
  expect(await guess("nobody-yet", NOW)).toEqual([429, "630"]);
});

test("a used code is no miss", async () => {
  const [player, code, address] = [await makePlayer(), await adminCode(), newAddress()];
  await claim(player, code, address);
  for (let time = 0; time < 25; time += 1) {
    const answer = await post("/v1/device/pairing/claim", { claim_code: code, device_info: {} }, { "CF-Connecting-IP": address });
    expect(answer.status).toBe(409);
  }
});

test("the 61st code that players at one address ask for in ten minutes is refused, and leaves nothing", async () => {
  const ask = (at: number) => outcome(createDeviceClaim(env, { device_info: {} }, "shop", at));
  for (let asked = 0; asked < 60; asked += 1) expect(await ask(NOW)).toMatchObject({ claimCode: expect.any(String) });
  const before = await rows("SELECT count(*) AS claims FROM claims");
  expect(await ask(NOW)).toEqual([429, "630"]);
  expect(await rows("SELECT count(*) AS claims FROM claims")).toEqual(before);
  expect(await ask(NOW + 10 * MINUTE + 30_000)).toMatchObject({ claimCode: expect.any(String) });
});

test("1000 players may wait at once; administrators' codes are not held up by them, and what expired makes room", async () => {
  const now = Date.now();
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
     INSERT INTO claims (id, code_hmac, status, created_at, expires_at) SELECT 'wait-' || i, 'wait-' || i, 'pending', ?1, ?2 FROM n`,
  )
    .bind(now, now + 10 * MINUTE)
    .run();
  const ask = (at: number) => outcome(createDeviceClaim(env, { device_info: {} }, "late", at));
  expect(await ask(now)).toMatchObject([429, expect.any(String)]);
  expect(await adminCode()).toMatch(/^[A-Z]{8}$/);
  expect(await ask(now + 10 * MINUTE + 1)).toMatchObject({ claimCode: expect.any(String) });
  // An hour after their end the undecided are forgotten by the next one who asks.
  await ask(now + 71 * MINUTE);
  expect(await rows("SELECT count(*) AS claims FROM claims WHERE id LIKE 'wait-%'")).toEqual([{ claims: 0 }]);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("the address %s counts as %s", (address, expected) => {
  expect(addressNetwork(address)).toBe(expected);
});

test("an address is stored as a keyed hash, another one for each purpose", async () => {
  const headers = new Headers({ "CF-Connecting-IP": "203.0.113.9" });
  const key = await addressKey("secret", "claim", headers);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(await addressKey("secret", "create", headers)).not.toBe(key);
  expect(await addressKey("other", "claim", headers)).not.toBe(key);
});
