import { uuidOf } from "./dialect.ts";
import { MAX_PLAYERS_PER_TOKEN } from "./limits.ts";

/** The id of a reporter's player, by which its sequencer goes: a UUID, as devices have. `''`: all that the reporter gives no name. */
export function playerId(tokenId: string, deviceId: string): string {
  return uuidOf(JSON.stringify(["reporter", tokenId, deviceId]));
}

/** Makes a player known to D1, once; false where its token has as many as it may. At once with others it stays exact: D1 writes one after the other. */
export async function admitPlayer(db: D1Database, tokenId: string, player: string, now: number): Promise<boolean> {
  const [, known] = await db.batch<{ known: number }>([
    db
      .prepare(
        `INSERT OR IGNORE INTO telemetry_players (token_id, player_id, created_at)
         SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM telemetry_players WHERE token_id = ?1) < ?4`,
      )
      .bind(tokenId, player, now, MAX_PLAYERS_PER_TOKEN),
    db.prepare("SELECT EXISTS (SELECT 1 FROM telemetry_players WHERE token_id = ?1 AND player_id = ?2) AS known").bind(tokenId, player),
  ]);
  return known?.results[0]?.known === 1;
}
