-- The archive's upkeep: where a segment's plays lie after compaction, what was compared with D1, and from which day single plays are kept.

-- A segment's plays in the compacted parts: one run of rows in the part of each UTC day received. Inserted plainly: of two compactors
-- that take the same segment, the second one violates the key and publishes nothing.
CREATE TABLE segment_parts (
  segment_id TEXT NOT NULL, dt TEXT NOT NULL, part_id TEXT NOT NULL, first_row INTEGER NOT NULL, plays_count INTEGER NOT NULL,
  PRIMARY KEY (segment_id, dt)
) WITHOUT ROWID;

-- How many segments a replay had filled when it ended.
ALTER TABLE replays ADD COLUMN segments_filled INTEGER NOT NULL DEFAULT 0;

-- What comparing a day's archive with its aggregates found, and which state of the day (`touched_at`) it was.
CREATE TABLE archive_checks (
  day TEXT PRIMARY KEY, touched_at INTEGER NOT NULL, checked_at INTEGER NOT NULL, matches INTEGER NOT NULL, findings_json TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX archive_checks_different ON archive_checks(day) WHERE matches = 0;

-- The first day of which all single plays are still in D1. Moves forward only.
CREATE TABLE event_rows_window (id INTEGER PRIMARY KEY CHECK (id = 1), kept_from TEXT NOT NULL);
