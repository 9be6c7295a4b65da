import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { eventStatements } from "../webhooks/events.ts";
import type { DeviceKey } from "./pairing-proof.ts";
import { assignmentStatement, profilePushStatement, scopes } from "./profile.ts";
import { firstTokenStatement, type IssuedTokens, issueTokens, newRefreshToken } from "./refresh-tokens.ts";

/** What of a claim decides which device its winner becomes. */
export interface WonClaim {
  id: string;
  /** The device whose player is placed or replaced; null makes a new device. */
  device_id: string | null;
  store_id: string | null;
  group_id: string | null;
  name: string | null;
}

/** The player that wins a claim. */
export interface WinningPlayer {
  key: DeviceKey | null;
  /** What the player says of itself, as JSON. */
  infoJson: string | null;
  playerVersion: string | null;
}

const NAME_SUFFIX_CHARS = 6;

/**
 * Makes the player that presented a code the device's one, in one transaction: the claim is used up, the device active with a
 * new token family, its key appended; of a replaced player the keys end and the tokens are revoked.
 * @throws what D1 throws, also where the claim was no longer to be won: then nothing of this was written.
 */
export async function commitPairing(env: Env, claim: WonClaim, player: WinningPlayer, now: number): Promise<IssuedTokens> {
  const { DB: db } = env;
  const replaces = claim.device_id !== null;
  const deviceId = claim.device_id ?? uuidv7();
  const familyId = uuidv7();
  const token = await newRefreshToken();
  const scope = scopes.device(deviceId);
  await db.batch([
    useClaimStatement(db, claim.id, deviceId, player.key?.kid ?? null, now),
    ...(replaces
      ? replaceStatements(db, deviceId, familyId, player, now)
      : [insertDeviceStatement(db, deviceId, familyId, claim, player, now)]),
    db
      .prepare("INSERT INTO token_families (id, device_id, kid, created_at) VALUES (?, ?, ?, ?)")
      .bind(familyId, deviceId, player.key?.kid ?? null, now),
    ...(player.key ? [insertKeyStatement(db, deviceId, player.key, now)] : []),
    firstTokenStatement(db, familyId, token, now),
    assignmentStatement(db, scope, now),
    profilePushStatement(db, scope, now),
    auditStatement(
      db,
      {
        actor: "device",
        action: replaces ? "device.replace" : "device.pair",
        targetType: "device",
        targetId: deviceId,
        details: { claim_id: claim.id, kid: player.key?.kid ?? null, store_id: claim.store_id, group_id: claim.group_id, name: claim.name },
      },
      now,
    ),
    ...pairedStatements(db, deviceId, claim, player, now),
  ]);
  return await issueTokens(env, { deviceId, familyId, key: player.key }, token, now);
}

function pairedStatements(db: D1Database, deviceId: string, claim: WonClaim, player: WinningPlayer, now: number): D1PreparedStatement[] {
  return eventStatements(db, {
    type: "device.paired",
    data: { device_id: deviceId, replaced: claim.device_id !== null, claim_id: claim.id, kid: player.key?.kid ?? null },
    at: now,
    subject: {
      name: "device",
      query: `SELECT json_object('id', d.id, 'external_name', d.external_name, 'status', d.status, 'store_id', d.store_id,
                'supplier_id', s.supplier_id, 'group_id', d.group_id, 'player_version', d.player_version) AS value
              FROM devices d LEFT JOIN stores s ON s.id = d.store_id WHERE d.id = ?`,
      values: [deviceId],
    },
  });
}

/**
 * Uses the claim up. Where it was used, rejected or has expired since it was read, its status becomes null, which the column
 * refuses: the batch is taken back whole, so that of any number of players one wins and the others leave nothing behind.
 */
function useClaimStatement(db: D1Database, claimId: string, deviceId: string, kid: string | null, now: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE claims SET status = CASE WHEN status = 'approved' AND expires_at >= ?1 THEN 'used' END,
       used_at = ?1, used_kid = ?2, device_id = ?3 WHERE id = ?4`,
    )
    .bind(now, kid, deviceId, claimId);
}

function insertDeviceStatement(
  db: D1Database,
  deviceId: string,
  familyId: string,
  claim: WonClaim,
  player: WinningPlayer,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO devices (id, external_name, store_id, group_id, status, token_family_id, device_info_json, player_version,
                            created_at, updated_at)
       VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?7, ?8, ?8)`,
    )
    .bind(
      deviceId,
      claim.name ?? `Screen ${deviceId.slice(-NAME_SUFFIX_CHARS)}`,
      claim.store_id,
      claim.group_id,
      familyId,
      player.infoJson,
      player.playerVersion,
      now,
    );
}

function replaceStatements(db: D1Database, deviceId: string, familyId: string, player: WinningPlayer, now: number): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `UPDATE devices SET status = 'active', revoked_at = NULL, token_family_id = ?2, device_info_json = ?3, player_version = ?4,
         updated_at = ?5, version = version + 1 WHERE id = ?1`,
      )
      .bind(deviceId, familyId, player.infoJson, player.playerVersion, now),
    db.prepare("UPDATE device_keys SET valid_to = ? WHERE device_id = ? AND valid_to IS NULL").bind(now, deviceId),
    db
      .prepare("UPDATE token_families SET revoked_at = ?, revoked_reason = 'replaced' WHERE device_id = ? AND revoked_at IS NULL")
      .bind(now, deviceId),
  ];
}

function insertKeyStatement(db: D1Database, deviceId: string, key: DeviceKey, now: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO device_keys (kid, device_id, jwk_json, valid_from) VALUES (?, ?, ?, ?)")
    .bind(key.kid, deviceId, JSON.stringify(key.jwk), now);
}
