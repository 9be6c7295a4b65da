export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes one structured line. Ids of devices and sessions go in only through {@link hashId}. */
export function log(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
  console[level](JSON.stringify({ level, message, ...fields }));
}

const encoder = new TextEncoder();
// Keys, never promises of them: a promise belongs to the request that made it.
const keys = new Map<string, CryptoKey>();

/** HMAC-SHA-256 of a text under a secret, hex. Equal texts stay equal, and nobody without the secret can tell which. */
export async function keyedHash(secret: string, text: string): Promise<string> {
  let key = keys.get(secret);
  if (!key) {
    key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    // Bounded by the number of secrets, two while one is rotated.
    keys.set(secret, key);
  }
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))).toHex();
}

/** The form in which a device's or session's id may stand in a log line: 16 hex digits. */
export async function hashId(secret: string, id: string): Promise<string> {
  return (await keyedHash(secret, `log:${id}`)).slice(0, 16);
}
