import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { ROOT } from "./tools.ts";

/** The secrets that the Worker requires, as in `wrangler.toml`. */
export const SECRET_NAMES = ["ADMIN_TOKEN", "AUTH_SECRET", "DEVICE_TOKEN_SECRET", "HASH_SECRET"] as const;
export type SecretName = (typeof SECRET_NAMES)[number];
export type Secrets = Record<SecretName, string>;

/** 256 random bits. */
export function makeSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** What a file of secrets lacks, added to its text with random values; the text unchanged where it lacks nothing. */
export function completeSecrets(text: string, make = makeSecret): { text: string; secrets: Secrets; made: SecretName[] } {
  const known = parseEnv(text);
  const made = SECRET_NAMES.filter((name) => !known[name]);
  const fresh = Object.fromEntries(made.map((name) => [name, make()]));
  const lines = made.map((name) => `${name}=${fresh[name]}\n`).join("");
  const secrets = Object.fromEntries(SECRET_NAMES.map((name) => [name, fresh[name] ?? known[name] ?? ""])) as Secrets;
  return { text: (text === "" || text.endsWith("\n") || made.length === 0 ? text : `${text}\n`) + lines, secrets, made };
}

/** The local secrets of `.dev.vars`, made where they are missing. Only its owner may read the file. */
export function localSecrets(): Secrets {
  const path = resolve(ROOT, ".dev.vars");
  const { text, secrets, made } = completeSecrets(existsSync(path) ? readFileSync(path, "utf8") : "");
  if (made.length > 0) {
    writeFileSync(path, text, { mode: 0o600 });
    console.log(`Made ${made.join(", ")} in .dev.vars (random, for this machine alone).`);
  }
  return secrets;
}
