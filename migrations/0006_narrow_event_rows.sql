-- Single plays, narrower. What reports and keys ask for has a column of its own; the rest is one JSON array, read through generated columns,
-- which cost nothing to write. The key ends in the time at which the play started, by the device's clock: so a device's plays are appended
-- where its last ones lie, whatever its ids look like, and the same record can still stand there once only.
CREATE TABLE plays_kept (
  device_id TEXT NOT NULL, day TEXT NOT NULL, started_at_raw INTEGER NOT NULL, event_id TEXT NOT NULL,
  store_id TEXT NOT NULL, supplier_id TEXT NOT NULL, campaign_id TEXT NOT NULL, ad_group_id TEXT NOT NULL, content_id TEXT NOT NULL,
  type TEXT NOT NULL, started_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL, result TEXT NOT NULL, billable INTEGER NOT NULL,
  details_json TEXT NOT NULL,
  ended_at INTEGER AS (details_json ->> 0), ended_at_raw INTEGER AS (details_json ->> 1), received_at INTEGER AS (details_json ->> 2),
  expected_ms INTEGER AS (details_json ->> 3), quality INTEGER AS (details_json ->> 4), flags TEXT AS (details_json ->> 5),
  door TEXT AS (details_json ->> 6), epoch TEXT AS (details_json ->> 7), sequence INTEGER AS (details_json ->> 8),
  playlist_id TEXT AS (details_json ->> 9), content_version TEXT AS (details_json ->> 10), slot_id TEXT AS (details_json ->> 11),
  record_hash TEXT AS (details_json ->> 12), key_id TEXT AS (details_json ->> 13), policy_version TEXT AS (details_json ->> 14),
  correlation_id TEXT AS (details_json ->> 15), chunk TEXT AS (details_json ->> 16),
  PRIMARY KEY (device_id, day, started_at_raw, event_id)
) WITHOUT ROWID;
INSERT INTO plays_kept (device_id, day, started_at_raw, event_id, store_id, supplier_id, campaign_id, ad_group_id, content_id,
  type, started_at, duration_ms, result, billable, details_json)
  SELECT device_id, day, started_at_raw, event_id, store_id, supplier_id, campaign_id, ad_group_id, content_id,
    type, started_at, duration_ms, result, billable,
    json_array(ended_at, ended_at_raw, received_at, expected_ms, quality, flags, door, epoch, sequence, playlist_id, content_version,
      slot_id, record_hash, key_id, policy_version, correlation_id, chunk)
  FROM proof_of_play_events;
DROP TABLE proof_of_play_events;
ALTER TABLE plays_kept RENAME TO proof_of_play_events;
