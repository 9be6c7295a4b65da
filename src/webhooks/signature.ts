import { keyedHash } from "../platform/log.ts";

/** What of a webhook says which secrets sign its messages. */
export interface SecretState {
  id: string;
  secret_version: number;
  /** Until when the version before signs too, ms; null: no more. */
  previous_secret_expires_at: number | null;
}

const encoder = new TextEncoder();

/**
 * A webhook's signing secret (Standard Webhooks: `whsec_` and base64), 256 bits derived from the secret `HASH_SECRET`. So it is kept nowhere:
 * whoever reads the database alone can sign nothing.
 */
export async function signingSecret(hashSecret: string, webhookId: string, version: number): Promise<string> {
  const bytes = Uint8Array.fromHex(await keyedHash(hashSecret, `webhook-secret:${webhookId}:${version}`));
  return `whsec_${bytes.toBase64()}`;
}

/** The secrets that sign a webhook's messages now, the newest first. */
export async function liveSecrets(hashSecret: string, webhook: SecretState, now: number): Promise<string[]> {
  const { id, secret_version, previous_secret_expires_at } = webhook;
  const previous = previous_secret_expires_at !== null && previous_secret_expires_at > now && secret_version > 1;
  const versions = previous ? [secret_version, secret_version - 1] : [secret_version];
  return await Promise.all(versions.map((version) => signingSecret(hashSecret, id, version)));
}

/**
 * The headers that prove a message (Standard Webhooks 1.0): `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once for
 * each secret.
 * @param now ms; the time of the attempt, which receivers hold against their own clock
 */
export async function signatureHeaders(secrets: readonly string[], id: string, now: number, body: string): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signed = encoder.encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => sign(secret, signed)));
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

async function sign(secret: string, signed: Uint8Array): Promise<string> {
  const bytes = Uint8Array.fromBase64(secret.replace(/^whsec_/, ""));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `v1,${new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)).toBase64()}`;
}
