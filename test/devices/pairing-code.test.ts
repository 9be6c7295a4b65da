import { expect, test } from "vitest";
import { CLAIM_CODE_ALPHABET, claimCodeHmac, newClaimCode, normalizeClaimCode } from "../../src/devices/pairing-code.ts";

test("a code has eight of twenty consonants, each about as often", () => {
  expect(new Set(CLAIM_CODE_ALPHABET).size).toBe(20);
  const counts = new Map<string, number>([...CLAIM_CODE_ALPHABET].map((letter) => [letter, 0]));
  for (let made = 0; made < 20_000; made += 1) {
    const code = newClaimCode();
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
    for (const letter of code) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  // 8000 of each are expected, with a standard deviation of 87; seven of them do not happen by chance.
  for (const count of counts.values()) expect(Math.abs(count - 8000)).toBeLessThan(610);
  // Bytes taken modulo 20 would give the last four letters 30000 together instead of 32000, with a deviation of 160.
  const lastFour = [...CLAIM_CODE_ALPHABET.slice(-4)].reduce((sum, letter) => sum + (counts.get(letter) ?? 0), 0);
  expect(Math.abs(lastFour - 32_000)).toBeLessThan(1000);
});

test.each([
  ["BCDFGHJK", "BCDFGHJK"],
  ["bcdfghjk", "BCDFGHJK"],
  [" bcdf-GHJK ", "BCDFGHJK"],
  ["B C D F – G H J K\n", "BCDFGHJK"],
  ["BCDFGHJ", null],
  ["BCDFGHJKL", null],
  ["BCDFGHJA", null],
  ["BCDFGHJ0", null],
  ["BCDF_GHJK", null],
  ["", null],
])("the typed code %j is read as %j", (typed, expected) => {
  expect(normalizeClaimCode(typed)).toBe(expected);
});

test("a code's hash needs the secret", async () => {
  const hash = await claimCodeHmac("secret", "BCDFGHJK");
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await claimCodeHmac("secret", "BCDFGHJK")).toBe(hash);
  expect(await claimCodeHmac("other", "BCDFGHJK")).not.toBe(hash);
  expect(await claimCodeHmac("secret", "BCDFGHJL")).not.toBe(hash);
});
