-- Proof of play. Rows written are what costs money, so: WITHOUT ROWID (one row, not two), no index that a report does not need.

-- Every incarnation of a device's sequencer that was ever born. A second one means that the first one's storage is gone.
CREATE TABLE sequencer_incarnations (
  device_id TEXT NOT NULL, incarnation TEXT NOT NULL, born_at INTEGER NOT NULL, trusted_at INTEGER,
  PRIMARY KEY (device_id, incarnation)
) WITHOUT ROWID;

-- The heart of exactly-once: a chunk is recorded if, and only if, it stands here.
CREATE TABLE chunk_ledger (
  device_id TEXT NOT NULL, incarnation TEXT NOT NULL, number INTEGER NOT NULL,
  hash TEXT NOT NULL, plays_count INTEGER NOT NULL, segment_id TEXT NOT NULL, recorded_at INTEGER NOT NULL,
  PRIMARY KEY (device_id, incarnation, number)
) WITHOUT ROWID;

-- The Parquet files that count. A file in R2 that no row names is a redelivery's left-over.
CREATE TABLE segments (
  id TEXT PRIMARY KEY, r2_key TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  plays_count INTEGER NOT NULL, chunks_count INTEGER NOT NULL, dt TEXT NOT NULL, recorded_at INTEGER NOT NULL, compacted_at INTEGER
) WITHOUT ROWID;

-- One row a play. The day is in the key so that a device's days are read and retired without a second index.
CREATE TABLE proof_of_play_events (
  device_id TEXT NOT NULL, day TEXT NOT NULL, event_id TEXT NOT NULL,
  store_id TEXT NOT NULL, supplier_id TEXT NOT NULL, campaign_id TEXT NOT NULL, ad_group_id TEXT NOT NULL,
  playlist_id TEXT NOT NULL, content_id TEXT NOT NULL, content_version TEXT NOT NULL, slot_id TEXT NOT NULL,
  type TEXT NOT NULL, started_at_raw INTEGER NOT NULL, ended_at_raw INTEGER NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, received_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL, expected_ms INTEGER, result TEXT NOT NULL, billable INTEGER NOT NULL,
  quality INTEGER NOT NULL, flags TEXT NOT NULL, door TEXT NOT NULL, epoch TEXT NOT NULL, sequence INTEGER,
  record_hash TEXT NOT NULL, key_id TEXT NOT NULL, policy_version TEXT NOT NULL, correlation_id TEXT NOT NULL,
  chunk TEXT NOT NULL,
  PRIMARY KEY (device_id, day, event_id)
) WITHOUT ROWID;

-- Which generations of the aggregates there are. Commits write every one that is `writing`; reports read the one that is `live`.
CREATE TABLE aggregate_generations (id INTEGER PRIMARY KEY, live INTEGER NOT NULL, writing INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE UNIQUE INDEX aggregate_generations_live ON aggregate_generations(live) WHERE live = 1;
INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (1, 1, 1, 0);

-- Marked (dirty) days are those whose hourly rows are ahead of their daily rows.
CREATE TABLE aggregate_days (
  generation INTEGER NOT NULL, day TEXT NOT NULL, dirty INTEGER NOT NULL, touched_at INTEGER NOT NULL, hourly_retired_at INTEGER,
  PRIMARY KEY (generation, day)
) WITHOUT ROWID;

CREATE TABLE plays_hourly (
  generation INTEGER NOT NULL, day TEXT NOT NULL, hour INTEGER NOT NULL,
  campaign_id TEXT NOT NULL, ad_group_id TEXT NOT NULL, supplier_id TEXT NOT NULL, store_id TEXT NOT NULL, content_id TEXT NOT NULL,
  plays_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, partial_count INTEGER NOT NULL, skipped_count INTEGER NOT NULL,
  interrupted_count INTEGER NOT NULL, error_count INTEGER NOT NULL, billable_count INTEGER NOT NULL, starts_count INTEGER NOT NULL,
  total_duration_ms INTEGER NOT NULL,
  PRIMARY KEY (generation, day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id)
) WITHOUT ROWID;

CREATE TABLE proof_of_play_aggregate_daily (
  generation INTEGER NOT NULL, day TEXT NOT NULL,
  campaign_id TEXT NOT NULL, ad_group_id TEXT NOT NULL, supplier_id TEXT NOT NULL, store_id TEXT NOT NULL, content_id TEXT NOT NULL,
  plays_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, partial_count INTEGER NOT NULL, skipped_count INTEGER NOT NULL,
  interrupted_count INTEGER NOT NULL, error_count INTEGER NOT NULL, billable_count INTEGER NOT NULL, starts_count INTEGER NOT NULL,
  total_duration_ms INTEGER NOT NULL,
  PRIMARY KEY (generation, day, campaign_id, ad_group_id, supplier_id, store_id, content_id)
) WITHOUT ROWID;

CREATE TABLE device_activity_daily (
  generation INTEGER NOT NULL, day TEXT NOT NULL, device_id TEXT NOT NULL,
  plays_count INTEGER NOT NULL, billable_count INTEGER NOT NULL, total_duration_ms INTEGER NOT NULL, last_activity_at INTEGER NOT NULL,
  PRIMARY KEY (generation, day, device_id)
) WITHOUT ROWID;

CREATE TABLE refusals_hourly (
  hour INTEGER NOT NULL, device_id TEXT NOT NULL, door TEXT NOT NULL, code TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (hour, device_id, door, code)
) WITHOUT ROWID;

-- What could not be recorded, and lies in R2 to be looked at.
CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY, r2_key TEXT NOT NULL, device_id TEXT NOT NULL, chunk_id TEXT NOT NULL, reason TEXT NOT NULL,
  plays_count INTEGER NOT NULL, created_at INTEGER NOT NULL, redriven_at INTEGER
) WITHOUT ROWID;
