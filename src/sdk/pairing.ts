import type { Host } from "./host.ts";
import { backoffMs, postJson, refusalOf } from "./http.ts";
import { compactJws, type Identity } from "./identity.ts";
import { type Credentials, readCredentials } from "./tokens.ts";

/** What a device says of itself at pairing: model, player version, screen and the like. */
export type DeviceInfo = Record<string, unknown>;

/** A code that the device asked for: the person in front of it reads `claimCode` to an administrator. */
export interface RequestedCode {
  claimCode: string;
  /** The device's secret half; only who has it can collect. */
  deviceCode: string;
  /** Ms since 1970 by the server. */
  expiresAt: number;
}

export type Collected = { kind: "paired"; credentials: Credentials } | { kind: "pending"; retryAfterMs: number };

const TRIES = 6;
const PENDING_RETRY_MS = 5000;

/** A claim code as it is signed and sent: upper-case, without the spaces and dashes that people put in. */
export function normaliseCode(code: string): string {
  return code.toUpperCase().replaceAll(/[\s-]/g, "");
}

/**
 * Pairs by a code that an administrator made. Where the answer is lost it asks again, and gets the same device.
 * @throws ServerRefusal where the code is unknown, used or expired, or the server stays out of reach (status 0).
 */
export async function pairWithCode(host: Host, baseUrl: string, identity: Identity, code: string, info: DeviceInfo): Promise<Credentials> {
  const claimCode = normaliseCode(code);
  const answer = await claim(host, baseUrl, {
    claim_code: claimCode,
    device_info: info,
    public_key: identity.publicJwk,
    proof: await compactJws(identity, claimCode),
  });
  const credentials = answer.status === 200 ? readCredentials(answer.body) : null;
  if (!credentials) throw refusalOf(answer);
  return credentials;
}

/** Asks for a code that an administrator then approves; {@link collectPairing} fetches the outcome. */
export async function requestCode(host: Host, baseUrl: string, identity: Identity, info: DeviceInfo): Promise<RequestedCode> {
  const answer = await persist(host, `${baseUrl}/v1/device/pairing/create-claim`, { device_info: info, public_key: identity.publicJwk });
  const { claim_code: claimCode, device_code: deviceCode, expires_at: expiresAt } = answer.body;
  if (answer.status !== 201 || typeof claimCode !== "string" || typeof deviceCode !== "string" || typeof expiresAt !== "string")
    throw refusalOf(answer);
  return { claimCode, deviceCode, expiresAt: Date.parse(expiresAt) };
}

/**
 * Asks what became of a code that this device requested.
 * @throws ServerRefusal where it was rejected, used or has expired.
 */
export async function collectPairing(host: Host, baseUrl: string, identity: Identity, requested: RequestedCode): Promise<Collected> {
  const answer = await claim(host, baseUrl, {
    claim_code: requested.claimCode,
    device_code: requested.deviceCode,
    proof: await compactJws(identity, normaliseCode(requested.claimCode)),
  });
  if (answer.status === 202) return { kind: "pending", retryAfterMs: answer.retryAfterMs ?? PENDING_RETRY_MS };
  const credentials = answer.status === 200 ? readCredentials(answer.body) : null;
  if (!credentials) throw refusalOf(answer);
  return { kind: "paired", credentials };
}

async function claim(host: Host, baseUrl: string, body: Record<string, unknown>) {
  return await persist(host, `${baseUrl}/v1/device/pairing/claim`, body);
}

/** Posts until the server answers something that waiting does not change. */
async function persist(host: Host, url: string, body: Record<string, unknown>) {
  const text = JSON.stringify(body);
  for (let tries = 1; ; tries++) {
    const answer = await postJson(host, url, text);
    const answered = answer.kind === "answer";
    if (answered && answer.status !== 429 && answer.status < 500) return answer;
    if (tries === TRIES)
      return answered ? answer : { kind: "answer" as const, status: 0, body: { detail: answer.error }, retryAfterMs: null };
    await host.sleep((answered ? answer.retryAfterMs : null) ?? backoffMs(tries, host.random()));
  }
}
