import { expect, test } from "vitest";
import { declaredHash } from "../../src/content/digest.ts";

/** SHA-256 of nothing. */
const HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const BASE64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

test.each([
  ["nothing said", undefined, undefined, null],
  ["in the header", `sha-256=:${BASE64}:`, undefined, HEX],
  ["in the query", undefined, HEX, HEX],
  ["in both, the same", `sha-256=:${BASE64}:`, HEX, HEX],
  ["beside another algorithm", `sha-512=:AAAA:, sha-256=:${BASE64}:`, undefined, HEX],
  ["by another algorithm only", "sha-512=:AAAA:", undefined, null],
])("a hash is declared %s", (_, header, query, sha256) => {
  expect(declaredHash(header, query)).toEqual({ sha256 });
});

test.each([
  ["hex in place of base64", `sha-256=:${HEX}:`, undefined, /must have the form/],
  ["no colons", `sha-256=${BASE64}`, undefined, /must have the form/],
  ["too short a hash", "sha-256=:AAAA:", undefined, /must have the form/],
  ["no digest at all", "whatever", undefined, /must have the form/],
  ["empty", "", undefined, /must have the form/],
  ["two hashes that differ", `sha-256=:${BASE64}:`, "0".repeat(64), /different hashes/],
])("a digest is refused: %s", (_, header, query, error) => {
  expect(declaredHash(header, query)).toEqual({ error: expect.stringMatching(error) });
});
