import { expect, test } from "vitest";
import { type Claimant, type ClaimState, decideClaim } from "../../src/devices/pairing-decide.ts";

const NOW = 1_800_000_000_000;
const MINUTES = 60_000;

const approved: ClaimState = { status: "approved", expiresAt: NOW + MINUTES, usedAt: null, usedKid: null, tokensUntouched: false };
const used: ClaimState = { status: "used", expiresAt: NOW - MINUTES, usedAt: NOW - MINUTES, usedKid: "key-1", tokensUntouched: true };
const keyed: Claimant = { kid: "key-1", showedDeviceCode: false };
const keyless: Claimant = { kid: null, showedDeviceCode: false };
const withDeviceCode: Claimant = { kid: null, showedDeviceCode: true };

test.each<[string, ClaimState | null, Claimant, ReturnType<typeof decideClaim>]>([
  ["no claim has the code", null, keyed, "not-found"],
  ["approved", approved, keyed, "win"],
  ["approved, and the player has no key", approved, keyless, "win"],
  ["on its last millisecond", { ...approved, expiresAt: NOW }, keyed, "win"],
  ["one millisecond over", { ...approved, expiresAt: NOW - 1 }, keyed, "expired"],
  ["not decided yet", { ...approved, status: "pending" }, keyed, "pending"],
  ["not decided in time", { ...approved, status: "pending", expiresAt: NOW - 1 }, keyed, "expired"],
  ["rejected", { ...approved, status: "rejected" }, keyed, "rejected"],
  ["rejected and expired", { ...approved, status: "rejected", expiresAt: NOW - 1 }, keyed, "rejected"],
  ["won by this key", used, keyed, "repeat"],
  ["won by this key ten minutes ago", { ...used, usedAt: NOW - 10 * MINUTES }, keyed, "repeat"],
  ["won by this key over ten minutes ago", { ...used, usedAt: NOW - 10 * MINUTES - 1 }, keyed, "used"],
  ["won by this key, and its tokens were used", { ...used, tokensUntouched: false }, keyed, "used"],
  ["won by another key", used, { ...keyed, kid: "key-2" }, "used"],
  ["won by a key, and asked by a player without one", used, keyless, "used"],
  ["won by a key, and asked with the device code but no key", used, withDeviceCode, "used"],
  ["won without a key, and asked with one", { ...used, usedKid: null }, keyed, "used"],
  ["won without a key or a device code", { ...used, usedKid: null }, keyless, "used"],
  ["won without a key, by the device code", { ...used, usedKid: null }, withDeviceCode, "repeat"],
])("a claim: %s", (_, claim, claimant, expected) => {
  expect(decideClaim(claim, claimant, NOW)).toBe(expected);
});
