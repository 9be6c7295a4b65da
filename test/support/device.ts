import { env, exports } from "cloudflare:workers";
import canonicalize from "canonicalize";
import { calculateJwkThumbprint } from "jose";
import type { DeviceJwk } from "../../src/devices/keys.ts";
import { signDeviceToken } from "../../src/devices/token.ts";

/** A network of one store, group, campaign and content (15 s), and a paired device: as the product's own tables hold it. */
export interface TestDevice {
  id: string;
  token: string;
  familyId: string;
  campaignId: string;
  contentId: string;
  storeId: string;
  supplierId: string;
  groupId: string;
  kid: string;
  sign(record: Record<string, unknown>): Promise<Record<string, unknown>>;
  signText(text: string): Promise<string>;
}

export interface TestDeviceOptions {
  timezone?: string;
  policy?: Record<string, unknown>;
  withoutKey?: boolean;
}

const STORE = { lat: 10.7769, lng: 106.7009 };

/** Ed25519: the quickest key to make. The other algorithms are covered by the vectors. */
export async function makeDevice(options: TestDeviceOptions = {}): Promise<TestDevice> {
  const pair = (await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"])) as CryptoKeyPair;
  const exported = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as { x: string };
  const jwk: DeviceJwk = { kty: "OKP", crv: "Ed25519", x: exported.x, alg: "EdDSA" };
  const kid = await calculateJwkThumbprint(jwk, "sha256");
  const [id, familyId, supplierId, storeId, groupId, campaignId, contentId] = Array.from({ length: 7 }, () => crypto.randomUUID()) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const timezone = options.timezone ?? "Asia/Ho_Chi_Minh";
  const run = (sql: string, ...values: (string | number | null)[]) => env.DB.prepare(sql).bind(...values);
  await env.DB.batch([
    run("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, 'Retail', 0, 0)", supplierId),
    run(
      "INSERT INTO stores (id, supplier_id, name, timezone, lat, lng, created_at, updated_at) VALUES (?, ?, 'Store', ?, ?, ?, 0, 0)",
      storeId,
      supplierId,
      timezone,
      STORE.lat,
      STORE.lng,
    ),
    run(
      "INSERT INTO device_groups (id, name, policy_json, created_at, updated_at) VALUES (?, 'Group', ?, 0, 0)",
      groupId,
      JSON.stringify(options.policy ?? {}),
    ),
    run(
      "INSERT INTO devices (id, external_name, store_id, group_id, status, token_family_id, created_at, updated_at) VALUES (?, 'Screen', ?, ?, 'active', ?, 0, 0)",
      id,
      storeId,
      groupId,
      familyId,
    ),
    run("INSERT INTO device_keys (kid, device_id, jwk_json, valid_from) VALUES (?, ?, ?, 0)", kid, id, JSON.stringify(jwk)),
    run(
      "INSERT INTO device_assignments (device_id, valid_from, store_id, supplier_id, timezone, lat, lng) VALUES (?, 0, ?, ?, ?, ?, ?)",
      id,
      storeId,
      supplierId,
      timezone,
      STORE.lat,
      STORE.lng,
    ),
    run("INSERT INTO campaigns (id, brand_name, name, created_at, updated_at) VALUES (?, 'Brand', 'Campaign', 0, 0)", campaignId),
    run("INSERT INTO content (id, name, type, created_at, updated_at) VALUES (?, 'Spot', 'video', 0, 0)", contentId),
    run(
      "INSERT INTO content_versions (id, content_id, version_hash, sha256, duration_ms, created_at) VALUES (?, ?, ?, ?, 15000, 0)",
      crypto.randomUUID(),
      contentId,
      "a".repeat(64),
      "a".repeat(64),
    ),
  ]);
  const { token } = await signDeviceToken(env, { deviceId: id, familyId, key: options.withoutKey ? null : { kid, jwk } }, Date.now());
  const signText = async (text: string) =>
    new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, new TextEncoder().encode(text))).toBase64();
  return {
    id,
    token,
    familyId,
    campaignId,
    contentId,
    storeId,
    supplierId,
    groupId,
    kid,
    signText,
    sign: async (record) => ({ ...record, signature: await signText(canonicalize(record) ?? "") }),
  };
}

/** A play log that ended `agoMs` ago and lasted 15 s, unsigned. */
export function playLog(device: TestDevice, changes: Record<string, unknown> = {}, agoMs = 60_000): Record<string, unknown> {
  const endedAt = Date.now() - agoMs;
  return {
    log_id: crypto.randomUUID(),
    device_id: device.id,
    campaign_id: device.campaignId,
    content_id: device.contentId,
    started_at: new Date(endedAt - 15_000).toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    duration_actual: 15,
    duration_expected: 15,
    status: "COMPLETED",
    ...changes,
  };
}

/** Signed logs, ready to send. */
export function signedLogs(
  device: TestDevice,
  count: number,
  changes: (index: number) => Record<string, unknown> = () => ({}),
): Promise<Record<string, unknown>[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => device.sign(playLog(device, changes(index)))));
}

/** Posts JSON as the device, with the time sent. */
export async function post(
  device: Pick<TestDevice, "token">,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await exports.default.fetch(`http://localhost${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${device.token}`,
      "Content-Type": "application/json",
      "Sent-At": new Date().toISOString(),
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export const postOne = (device: TestDevice, log: unknown, headers?: Record<string, string>) =>
  post(device, "/api/v1/playback-logs", log, headers);
export const postBatch = (device: TestDevice, logs: unknown[], headers?: Record<string, string>) =>
  post(device, "/api/v1/playback-logs/batch", { logs }, headers);
