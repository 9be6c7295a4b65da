-- The players for which a reporter's token sends telemetry: no paired devices, each known by a hash of the name that the reporter gives.
CREATE TABLE telemetry_players (
  token_id TEXT NOT NULL, player_id TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (token_id, player_id)
) WITHOUT ROWID;
CREATE INDEX telemetry_players_player ON telemetry_players(player_id);
