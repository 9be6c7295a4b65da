-- What screens play: playlists, when they play, and the plans that come of it.

-- A play may cite a playlist for ever, so it is archived, never deleted.
CREATE TABLE playlists (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, campaign_id TEXT REFERENCES campaigns(id), ad_group_id TEXT REFERENCES ad_groups(id),
  tags_json TEXT NOT NULL DEFAULT '[]', archived_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX playlists_campaign ON playlists(campaign_id);
CREATE INDEX playlists_ad_group ON playlists(ad_group_id);

-- In the order of order_index, from 0, without gaps. A change of items changes the playlist's version.
CREATE TABLE playlist_items (
  id TEXT PRIMARY KEY, playlist_id TEXT NOT NULL REFERENCES playlists(id),
  content_version_id TEXT NOT NULL REFERENCES content_versions(id),
  order_index INTEGER NOT NULL, weight INTEGER NOT NULL DEFAULT 1, duration_ms INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX playlist_items_order ON playlist_items(playlist_id, order_index);
CREATE INDEX playlist_items_version ON playlist_items(content_version_id);

-- timezone: an IANA zone, or 'store' for the store's own.
CREATE TABLE schedules (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, target_type TEXT NOT NULL CHECK (target_type IN ('DEVICE', 'GROUP')), target_id TEXT NOT NULL,
  playlist_id TEXT NOT NULL REFERENCES playlists(id), timezone TEXT NOT NULL DEFAULT 'store',
  rules_json TEXT NOT NULL DEFAULT '{}', tags_json TEXT NOT NULL DEFAULT '[]', archived_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX schedules_target ON schedules(target_id);
CREATE INDEX schedules_playlist ON schedules(playlist_id);
CREATE INDEX device_groups_default_playlist ON device_groups(default_playlist_id) WHERE default_playlist_id IS NOT NULL;

-- The plan that a device was last given. A change of what it was made of sets stale, in its own transaction.
-- With rowids: a key is found without stepping over the plans of others, which are large.
CREATE TABLE playout_plans (
  device_id TEXT PRIMARY KEY REFERENCES devices(id), id TEXT NOT NULL, etag TEXT NOT NULL, plan_json TEXT NOT NULL,
  valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, generated_at INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0
);
-- Grows with each such change: whoever made a plan of inputs read at a lower revision must not keep it as fresh.
CREATE TABLE plan_inputs (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
INSERT INTO plan_inputs (one, revision) VALUES (1, 0);

ALTER TABLE campaigns ADD COLUMN tags_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE ad_groups ADD COLUMN tags_json TEXT NOT NULL DEFAULT '[]';
-- What recorded plays name is archived where it cannot be deleted any more.
ALTER TABLE suppliers ADD COLUMN archived_at INTEGER;
ALTER TABLE stores ADD COLUMN archived_at INTEGER;
-- From where an administrator's change came: network, country, keyed hash of the address, correlation id. NULL: not by a person.
ALTER TABLE audit_log ADD COLUMN origin_json TEXT;
CREATE INDEX audit_log_actor ON audit_log(actor_user_id, id);
