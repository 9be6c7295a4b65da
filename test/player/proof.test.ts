import { expect, test } from "vitest";
import { ProofRota, proofEveryMs } from "../../src/player/proof.ts";

const HOUR_MS = 3_600_000;
const spot = { content_id: "content", campaign_id: "campaign", content_version: "a" };

test.each([
  ["", HOUR_MS],
  ["?evidence=5", 300_000],
  ["?evidence=0", 0],
  ["?evidence=-1", HOUR_MS],
  ["?evidence=often", HOUR_MS],
])("an address with %s proves a file every %i ms", (search, everyMs) => {
  expect(proofEveryMs(search)).toBe(everyMs);
});

test("of each file that somebody pays for the first play is proved, and then one an hour", () => {
  const rota = new ProofRota(HOUR_MS);
  const at = [0, 15_000, HOUR_MS - 1, HOUR_MS, HOUR_MS + 15_000];
  expect(at.map((mono) => rota.take(spot, mono))).toEqual([true, false, false, true, false]);
  expect(rota.take({ ...spot, content_version: "b" }, HOUR_MS)).toBe(true);
  expect(rota.take({ ...spot, campaign_id: "other" }, HOUR_MS)).toBe(true);
});

test("filler is not proved, and nothing is where that is asked for", () => {
  const { campaign_id: _, ...filler } = spot;
  expect(new ProofRota(HOUR_MS).take(filler, 0)).toBe(false);
  expect(new ProofRota(0).take(spot, 0)).toBe(false);
});
