import { createHash } from "node:crypto";
import { SignJWT } from "jose";
import { DAY_MS } from "../../src/platform/time.ts";
import { DEVICE_TOKEN_SECRET, type FleetShape, fleetId, SPOT_MS } from "./fleet.ts";
import type { BenchKey } from "./keys.ts";

/** Rows of tables that a network is made of, by table. The column names are those of the product's migrations. */
export type NetworkRows = Record<string, Record<string, string | number | null>[]>;

/**
 * A network of the given shape as rows. The group's policy lifts the rate, since few devices send here what many would; nothing else
 * differs from what pairing and the admin API would write.
 */
export function networkRows(shape: FleetShape, keys: BenchKey[], now: number): NetworkRows {
  const stamps = { created_at: now, updated_at: now };
  const valid_from = now - 30 * DAY_MS;
  const supplier_id = fleetId("supplier", 0);
  const group_id = fleetId("group", 0);
  const place = { timezone: "Asia/Ho_Chi_Minh", lat: 10.7769, lng: 106.7009 };
  const times = (count: number) => Array.from({ length: count }, (_, index) => index);
  const storeOf = (device: number) => fleetId("store", device % shape.stores);
  return {
    suppliers: [{ id: supplier_id, name: "Retail", ...stamps }],
    stores: times(shape.stores).map((n) => ({ id: fleetId("store", n), supplier_id, name: `Store ${n}`, ...place, ...stamps })),
    device_groups: [{ id: group_id, name: "All", policy_json: JSON.stringify({ requests_per_minute: 1_000_000 }), ...stamps }],
    campaigns: times(shape.campaigns).map((n) => ({ id: fleetId("campaign", n), brand_name: "Brand", name: `Campaign ${n}`, ...stamps })),
    content: times(shape.contents).map((n) => ({ id: fleetId("content", n), name: `Spot ${n}`, type: "video", ...stamps })),
    content_versions: times(shape.contents).map((n) => {
      const sha256 = n.toString(16).padStart(64, "0");
      return {
        id: fleetId("version", n),
        content_id: fleetId("content", n),
        version_hash: sha256,
        sha256,
        duration_ms: SPOT_MS,
        created_at: now,
      };
    }),
    devices: times(shape.devices).map((n) => ({
      id: fleetId("device", n),
      external_name: `Screen ${n}`,
      store_id: storeOf(n),
      group_id,
      status: "active",
      token_family_id: fleetId("family", n),
      ...stamps,
    })),
    device_keys: times(shape.devices).map((n) => {
      const { kid, jwk } = keyOf(keys, n);
      return { kid, device_id: fleetId("device", n), jwk_json: JSON.stringify(jwk), valid_from };
    }),
    device_assignments: times(shape.devices).map((n) => ({
      device_id: fleetId("device", n),
      valid_from,
      store_id: storeOf(n),
      supplier_id,
      ...place,
    })),
  };
}

/** A token for each device, in order, in force for an hour: what pairing would have answered. */
export async function deviceTokens(shape: FleetShape, keys: BenchKey[], now: number): Promise<string[]> {
  const secret = new TextEncoder().encode(DEVICE_TOKEN_SECRET);
  const kid = createHash("sha256").update(`token-kid:${DEVICE_TOKEN_SECRET}`).digest("hex").slice(0, 12);
  const issuedAt = Math.floor(now / 1000);
  return await Promise.all(
    Array.from({ length: shape.devices }, async (_, n) => {
      const key = keyOf(keys, n);
      return await new SignJWT({ fam: fleetId("family", n), cnf: { kid: key.kid, jwk: key.jwk } })
        .setProtectedHeader({ alg: "HS256", typ: "device+jwt", kid })
        .setIssuer("alive-signage")
        .setAudience("alive-signage/device")
        .setSubject(fleetId("device", n))
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + 3600)
        .sign(secret);
    }),
  );
}

const MAX_STATEMENT_BYTES = 90_000;

/** The rows as INSERT statements, each short enough for D1. */
export function insertStatements(rows: NetworkRows): string[] {
  return Object.entries(rows).flatMap(([table, list]) => {
    const columns = Object.keys(list[0] ?? {});
    const head = `INSERT INTO ${table} (${columns.join(", ")}) VALUES `;
    const statements: string[] = [];
    let values: string[] = [];
    let bytes = head.length;
    for (const row of list) {
      const text = `(${columns.map((column) => literal(row[column] ?? null)).join(", ")})`;
      if (values.length > 0 && bytes + text.length > MAX_STATEMENT_BYTES) {
        statements.push(head + values.join(","));
        values = [];
        bytes = head.length;
      }
      values.push(text);
      bytes += text.length + 1;
    }
    if (values.length > 0) statements.push(head + values.join(","));
    return statements;
  });
}

function literal(value: string | number | null): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

function keyOf(keys: BenchKey[], device: number): BenchKey {
  const key = keys[device % keys.length];
  if (!key) throw new Error("there are no keys");
  return key;
}
