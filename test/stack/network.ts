import canonicalize from "canonicalize";
import { ADMIN_TOKEN } from "./stack.ts";

/** A device that was paired over HTTP, with what it may cite. */
export interface PairedDevice {
  id: string;
  token: string;
  campaignIds: string[];
  contentIds: string[];
  sign(record: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export interface NetworkOptions {
  devices: number;
  stores?: number;
  contents?: number;
  campaigns?: number;
  policy?: Record<string, unknown>;
  /** RSA-2048 is what devices have; Ed25519 is quicker to make where the algorithm does not matter. */
  algorithm?: "RS256" | "EdDSA";
}

async function call<T>(base: string, path: string, body: unknown, token?: string): Promise<T> {
  const answer = await fetch(`${base}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Makes a network through the public API and pairs its devices, as a customer would. */
export async function makeNetwork(base: string, options: NetworkOptions): Promise<PairedDevice[]> {
  const admin = async (path: string, body: unknown) => (await call<{ id: string }>(base, `/v1/admin/${path}`, body, ADMIN_TOKEN)).id;
  const several = (count: number, make: (index: number) => Promise<string>) =>
    Promise.all(Array.from({ length: count }, (_, index) => make(index)));
  const supplier_id = await admin("suppliers", { name: "Retail" });
  const storeIds = await several(options.stores ?? 1, (index) =>
    admin("stores", { supplier_id, name: `Store ${index}`, timezone: "Asia/Ho_Chi_Minh", lat: 10.7769, lng: 106.7009 }),
  );
  const group_id = await admin("device-groups", { name: "All", policy: options.policy ?? {} });
  const campaignIds = await several(options.campaigns ?? 1, (index) =>
    admin("campaigns", { brand_name: "Brand", name: `Campaign ${index}` }),
  );
  const contentIds = await several(options.contents ?? 1, async (index) => {
    const id = await admin("content", { name: `Spot ${index}`, type: "video" });
    await admin(`content/${id}/versions`, { sha256: index.toString(16).padStart(64, "0"), duration_ms: 15_000 });
    return id;
  });
  const devices: PairedDevice[] = [];
  for (let index = 0; index < options.devices; index++) {
    const store_id = storeIds[index % storeIds.length];
    devices.push(await pair(base, { store_id, group_id, name: `Screen ${index}` }, options.algorithm ?? "EdDSA", campaignIds, contentIds));
  }
  return devices;
}

const KEY_PARAMS = {
  RS256: {
    generate: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    sign: "RSASSA-PKCS1-v1_5",
  },
  EdDSA: { generate: { name: "Ed25519" }, sign: "Ed25519" },
} as const;

async function pair(
  base: string,
  preset: Record<string, unknown>,
  alg: "RS256" | "EdDSA",
  campaignIds: string[],
  contentIds: string[],
): Promise<PairedDevice> {
  const { claim_code } = await call<{ claim_code: string }>(base, "/v1/device/pairing/create-claim", preset, ADMIN_TOKEN);
  const params = KEY_PARAMS[alg];
  const keys = (await crypto.subtle.generateKey(params.generate, true, ["sign", "verify"])) as CryptoKeyPair;
  const { kty, n, e, crv, x } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const sign = async (text: string) => Buffer.from(await crypto.subtle.sign(params.sign, keys.privateKey, new TextEncoder().encode(text)));
  const part = (value: string) => Buffer.from(value).toString("base64url");
  const head = `${part(JSON.stringify({ alg }))}.${part(claim_code)}`;
  const claimed = await call<{ device_id: string; device_token: string }>(base, "/v1/device/pairing/claim", {
    claim_code,
    device_info: { model: "test" },
    public_key: JSON.parse(JSON.stringify({ kty, n, e, crv, x, alg })),
    proof: `${head}.${(await sign(head)).toString("base64url")}`,
  });
  return {
    id: claimed.device_id,
    token: claimed.device_token,
    campaignIds,
    contentIds,
    sign: async (record) => ({ ...record, signature: (await sign(canonicalize(record) ?? "")).toString("base64") }),
  };
}

/** A signed log of a full play of 15 s that ended `agoMs` before now. */
export async function signedLog(device: PairedDevice, index: number, agoMs: number): Promise<Record<string, unknown>> {
  const endedAt = Date.now() - agoMs;
  return await device.sign({
    log_id: crypto.randomUUID(),
    device_id: device.id,
    campaign_id: device.campaignIds[index % device.campaignIds.length],
    content_id: device.contentIds[index % device.contentIds.length],
    started_at: new Date(endedAt - 15_000).toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    duration_actual: 15,
    duration_expected: 15,
    status: "COMPLETED",
    sequence: index + 1,
  });
}

/** Days around now in every zone, as parameters of a report: a store's day begins and ends at another time than UTC's. */
export function daysAround(now: number): string {
  const day = (offset: number) => new Date(now + offset * 86_400_000).toISOString().slice(0, 10);
  return `from=${day(-1)}&to=${day(1)}`;
}
