-- What keeps the way of a play exact over years: folding, dead letters, compaction, replay.

-- Old ledger rows of an incarnation, folded into one: all its chunks up to this number are recorded. Kept for ever.
CREATE TABLE chunk_ledger_folds (
  device_id TEXT NOT NULL, incarnation TEXT NOT NULL, recorded_through INTEGER NOT NULL, plays_count INTEGER NOT NULL,
  PRIMARY KEY (device_id, incarnation)
) WITHOUT ROWID;

-- How often a message has failed by itself, with no neighbour to blame: an outage is not counted.
CREATE TABLE lone_failures (
  message_id TEXT PRIMARY KEY, failures INTEGER NOT NULL, error TEXT NOT NULL, failed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The newest generation that was being written when the segment was recorded: whoever fills a newer one from the archive takes the older segments.
ALTER TABLE segments ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
-- The stores' days that its plays fall on.
ALTER TABLE segments ADD COLUMN first_day TEXT NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN last_day TEXT NOT NULL DEFAULT '';
CREATE INDEX segments_open ON segments(id) WHERE compacted_at IS NULL;

-- A generation that is being built covers these days only; NULL: all.
ALTER TABLE aggregate_generations ADD COLUMN from_day TEXT;
ALTER TABLE aggregate_generations ADD COLUMN to_day TEXT;

-- Compacted Parquet files, by UTC day received. Immutable; a day's manifest in R2 lists them.
CREATE TABLE archive_parts (
  id TEXT PRIMARY KEY, dt TEXT NOT NULL, r2_key TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  plays_count INTEGER NOT NULL, segments_json TEXT NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX archive_parts_dt ON archive_parts(dt);
-- Days whose manifest in R2 is older than their parts.
CREATE TABLE archive_manifests (dt TEXT PRIMARY KEY, stale INTEGER NOT NULL, written_at INTEGER) WITHOUT ROWID;

-- Rebuilding the aggregates of a range of days from the archive, and how far it is.
CREATE TABLE replays (
  id TEXT PRIMARY KEY, generation INTEGER NOT NULL, from_day TEXT NOT NULL, to_day TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('filling', 'done', 'incomplete', 'abandoned')),
  segments_total INTEGER NOT NULL, damaged_json TEXT NOT NULL DEFAULT '[]',
  requested_by TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX replays_running ON replays(status) WHERE status = 'filling';
CREATE TABLE replay_segments (
  generation INTEGER NOT NULL, segment_id TEXT NOT NULL, plays_count INTEGER NOT NULL, PRIMARY KEY (generation, segment_id)
) WITHOUT ROWID;

-- When each job last ran, and with what result: one row a job.
CREATE TABLE job_runs (
  job TEXT PRIMARY KEY, ran_at INTEGER NOT NULL, ok INTEGER NOT NULL, result_json TEXT NOT NULL
) WITHOUT ROWID;
