import { generateKeyPair } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { calculateJwkThumbprint } from "jose";
import { ALIVE_DIR } from "../../src/cli/tools.ts";

/** Where the bench keeps what is costly to make: keys and signed logs. Git-ignored. */
export const BENCH_DIR = join(ALIVE_DIR, "bench");
export const KEYS_FILE = join(BENCH_DIR, "keys.json");

/** So many key pairs there are; in a larger fleet, devices share them: a signature costs the same whoever else has the key. */
export const KEYS = 500;

export interface BenchKey {
  kid: string;
  /** The public key as the registry holds it. */
  jwk: { kty: "RSA"; n: string; e: string; alg: "RS256" };
  /** PKCS #8, PEM. Signs nothing but the bench's logs. */
  privateKey: string;
}

/** The bench's RSA-2048 keys, made at the first need. */
export async function benchKeys(say: (text: string) => void): Promise<BenchKey[]> {
  if (existsSync(KEYS_FILE)) return JSON.parse(readFileSync(KEYS_FILE, "utf8")) as BenchKey[];
  say(`making ${KEYS} RSA-2048 keys (once)`);
  const keys: BenchKey[] = [];
  const several = 4;
  for (let made = 0; made < KEYS; made += several) keys.push(...(await Promise.all(Array.from({ length: several }, makeBenchKey))));
  mkdirSync(BENCH_DIR, { recursive: true });
  writeFileSync(KEYS_FILE, JSON.stringify(keys), { mode: 0o600 });
  return keys;
}

/** A new key pair. */
export async function makeBenchKey(): Promise<BenchKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: "jwk" });
  if (typeof n !== "string" || typeof e !== "string") throw new Error("an RSA key has a modulus and an exponent");
  const jwk = { kty: "RSA", n, e, alg: "RS256" } as const;
  return {
    kid: await calculateJwkThumbprint({ kty: "RSA", n, e }),
    jwk,
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}
