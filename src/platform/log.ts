const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

// Of the isolate; set once, by the Worker's entry.
let least: LogLevel = "info";

/** Sets the lowest level that is written, from `LOG_LEVEL`; what is none of them means info. */
export function setLogLevel(text: string | undefined): void {
  least = LEVELS.find((level) => level === text) ?? "info";
}

/** Whether lines of this level are written: ask before gathering what only they need. */
export function logs(level: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** Writes one structured line. Ids of devices and sessions go in only through {@link hashId}. */
export function log(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
  if (!logs(level)) return;
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
