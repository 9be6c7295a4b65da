import { expect, test } from "vitest";
import { decideRefresh, type RefreshState } from "../../src/devices/refresh-decide.ts";

const NOW = 1_800_000_000_000;

const living: RefreshState = {
  familyId: "family-1",
  deviceId: "device-1",
  expiresAt: NOW + 1,
  supersededAt: null,
  familyRevokedAt: null,
  deviceStatus: "active",
  currentFamilyId: "family-1",
  recentTokens: 1,
  key: null,
};

test.each<[string, Partial<RefreshState>, string]>([
  ["living", {}, "rotate"],
  ["on its last millisecond", { expiresAt: NOW }, "rotate"],
  ["one millisecond over", { expiresAt: NOW - 1 }, "expired"],
  ["superseded", { supersededAt: NOW - 1 }, "reuse"],
  ["superseded and expired", { supersededAt: NOW - 1, expiresAt: NOW - 1 }, "expired"],
  ["of a revoked family", { familyRevokedAt: NOW - 1 }, "revoked"],
  ["superseded, of a revoked family", { familyRevokedAt: NOW - 1, supersededAt: NOW - 2 }, "revoked"],
  ["of a player that was replaced", { currentFamilyId: "family-2" }, "revoked"],
  ["of a device whose tokens were taken", { currentFamilyId: null }, "revoked"],
  ["of a revoked device", { deviceStatus: "revoked" }, "revoked"],
  ["the 120th of the hour", { recentTokens: 119 }, "rotate"],
  ["the 121st of the hour", { recentTokens: 120 }, "too-often"],
  ["superseded, and the 121st of the hour", { recentTokens: 120, supersededAt: NOW - 1 }, "reuse"],
])("a refresh token: %s", (_, change, expected) => {
  const decision = decideRefresh({ ...living, ...change }, NOW);
  expect(decision.kind === "refused" ? decision.reason : decision.kind).toBe(expected);
});

test("a refresh token that does not exist is unknown", () => {
  expect(decideRefresh(null, NOW)).toEqual({ kind: "refused", reason: "unknown" });
});
