import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import canonicalize from "canonicalize";

export function privateKeys(keys: { privateKey: string }[]): KeyObject[] {
  return keys.map(({ privateKey }) => createPrivateKey(privateKey));
}

/** A record with its checksum, where asked for, and its signature, as JSON. */
export function signRecord(record: Record<string, unknown>, device: number, keys: KeyObject[], checksum: boolean): string {
  const key = keys[device % keys.length];
  if (!key) throw new Error("there are no keys");
  const summed = checksum ? { ...record, checksum: createHash("sha256").update(canonical(record)).digest("hex") } : record;
  return JSON.stringify({ ...summed, signature: sign("RSA-SHA256", Buffer.from(canonical(summed)), key).toString("base64") });
}

function canonical(record: object): string {
  return canonicalize(record) ?? "";
}
