import { expect, test } from "vitest";
import { CLAIM_CODE_ALPHABET, claimCodeHmac, newClaimCode, normalizeClaimCode } from "../../src/devices/pairing-code.ts";

test("a code has eight of twenty consonants, each about as often", () => {
  expect(new Set(CLAIM_CODE_ALPHABET).size).toBe(20);
  const counts = new Map<string, number>();
  for (let made = 0; made < 5000; made += 1) {
    const code = newClaimCode();
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
    for (const letter of code) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  // 2000 of each are expected, with a standard deviation of 44: seven of them never happen by chance, and a biased byte
  // (256 mod 20 = 16 letters of 13 in 256, 4 of 12) would be seen at 2031 and 1875.
  expect(counts.size).toBe(20);
  for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(310);
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
