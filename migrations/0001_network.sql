-- The network: who owns what, which devices there are, what they may cite.
-- Times are milliseconds since 1970 (UTC). `version` grows by one with each change and is the ETag.

CREATE TABLE suppliers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE TABLE stores (
  id TEXT PRIMARY KEY, supplier_id TEXT NOT NULL REFERENCES suppliers(id), name TEXT NOT NULL,
  city TEXT, area TEXT, address TEXT, timezone TEXT NOT NULL, lat REAL, lng REAL, operating_hours_json TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX stores_supplier ON stores(supplier_id);

CREATE TABLE device_groups (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, policy_json TEXT NOT NULL DEFAULT '{}', default_playlist_id TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE TABLE devices (
  id TEXT PRIMARY KEY, external_name TEXT NOT NULL,
  store_id TEXT REFERENCES stores(id), group_id TEXT REFERENCES device_groups(id),
  status TEXT NOT NULL CHECK (status IN ('unpaired', 'active', 'revoked')),
  -- The token family of the player that is paired now; tokens of any other are refused.
  token_family_id TEXT,
  last_seen_at INTEGER, device_info_json TEXT, player_version TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, revoked_at INTEGER, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX devices_store ON devices(store_id);
CREATE INDEX devices_group ON devices(group_id);

-- Append-only: a key stays known for as long as its plays may be questioned. Only valid_to is ever set.
CREATE TABLE device_keys (
  kid TEXT NOT NULL, device_id TEXT NOT NULL REFERENCES devices(id), jwk_json TEXT NOT NULL,
  valid_from INTEGER NOT NULL, valid_to INTEGER,
  PRIMARY KEY (device_id, kid, valid_from)
) WITHOUT ROWID;

-- Where a device stood, and what the store was like then: a play is judged by the assignment in force when it started.
CREATE TABLE device_assignments (
  device_id TEXT NOT NULL REFERENCES devices(id), valid_from INTEGER NOT NULL,
  store_id TEXT, supplier_id TEXT, timezone TEXT, lat REAL, lng REAL,
  PRIMARY KEY (device_id, valid_from)
) WITHOUT ROWID;

-- A sequencer must hear of each of these. The number is the version of the profile that it then holds.
CREATE TABLE profile_pushes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, device_id TEXT NOT NULL, created_at INTEGER NOT NULL, acknowledged_at INTEGER
);
CREATE INDEX profile_pushes_device ON profile_pushes(device_id, id);
CREATE INDEX profile_pushes_open ON profile_pushes(id) WHERE acknowledged_at IS NULL;

CREATE TABLE campaigns (
  id TEXT PRIMARY KEY, brand_name TEXT NOT NULL, name TEXT NOT NULL, start_date TEXT, end_date TEXT, archived_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE TABLE ad_groups (
  id TEXT PRIMARY KEY, campaign_id TEXT NOT NULL REFERENCES campaigns(id), name TEXT NOT NULL, archived_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX ad_groups_campaign ON ad_groups(campaign_id);

CREATE TABLE content (
  id TEXT PRIMARY KEY, external_id TEXT UNIQUE, name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('video', 'image', 'web')), tags_json TEXT NOT NULL DEFAULT '[]', archived_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

-- Immutable: a play that cites a version must find it as it was.
CREATE TABLE content_versions (
  id TEXT PRIMARY KEY, content_id TEXT NOT NULL REFERENCES content(id), version_hash TEXT NOT NULL,
  url TEXT, sha256 TEXT NOT NULL, bytes INTEGER, duration_ms INTEGER, mime TEXT, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX content_versions_content ON content_versions(content_id, version_hash);

-- Pairing codes, stored as HMAC. `device_code` (the asking device's secret) as SHA-256.
CREATE TABLE claims (
  id TEXT PRIMARY KEY, code_hmac TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'used')),
  device_code_hash TEXT, device_info_json TEXT, public_jwk_json TEXT,
  store_id TEXT, group_id TEXT, name TEXT, device_id TEXT,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, decided_at INTEGER, decided_by TEXT, used_at INTEGER, used_kid TEXT
) WITHOUT ROWID;
CREATE INDEX claims_created ON claims(created_at);

-- Misses of the claim call, by address (keyed hash) and for everybody ('').
CREATE TABLE claim_misses (address TEXT NOT NULL, window_start INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (address, window_start)) WITHOUT ROWID;

CREATE TABLE token_families (
  id TEXT PRIMARY KEY, device_id TEXT NOT NULL REFERENCES devices(id), kid TEXT,
  created_at INTEGER NOT NULL, revoked_at INTEGER, revoked_reason TEXT
) WITHOUT ROWID;
CREATE INDEX token_families_device ON token_families(device_id);

-- Refresh tokens, stored as SHA-256. A token works until its successor is first used.
CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY, family_id TEXT NOT NULL REFERENCES token_families(id), parent_hash TEXT,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, first_used_at INTEGER, superseded_at INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_family ON refresh_tokens(family_id);

CREATE TABLE incidents (
  id TEXT PRIMARY KEY, device_id TEXT NOT NULL DEFAULT '', type TEXT NOT NULL, severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
  details_json TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL,
  acknowledged_at INTEGER, acknowledged_by TEXT, notes TEXT, resolved_at INTEGER
) WITHOUT ROWID;
-- One open incident per device (or '') and type.
CREATE UNIQUE INDEX incidents_open ON incidents(device_id, type) WHERE resolved_at IS NULL;

CREATE TABLE audit_log (
  id TEXT PRIMARY KEY, actor_user_id TEXT NOT NULL, action TEXT NOT NULL, target_type TEXT NOT NULL, target_id TEXT NOT NULL,
  created_at INTEGER NOT NULL, details_json TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE INDEX audit_log_target ON audit_log(target_type, target_id);
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;

-- The first answer to a POST that carried an Idempotency-Key, written in the transaction of its change.
CREATE TABLE idempotency_keys (
  actor TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) WITHOUT ROWID;
