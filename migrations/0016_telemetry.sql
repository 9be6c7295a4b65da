-- Telemetry: what players tell of their showings, summed up. It bills nothing, and no report of plays reads it.

-- What each commit of the consumer adds, in one row, and its newest events. It counts in the tables below once it is folded into them.
CREATE TABLE telemetry_commits (
  id INTEGER PRIMARY KEY AUTOINCREMENT, recorded_at INTEGER NOT NULL, sums_json TEXT NOT NULL, events_json TEXT NOT NULL
);
-- Commits up to `through` are folded. NOT NULL is what stops a second one who folds the same.
CREATE TABLE telemetry_folded (id INTEGER PRIMARY KEY CHECK (id = 1), through INTEGER NOT NULL, folded_at INTEGER NOT NULL);
INSERT INTO telemetry_folded (id, through, folded_at) VALUES (1, 0, 0);

-- By the UTC hour and day of the event's time. `sessions` and `devices` are sketches of different ones, which merge.
CREATE TABLE telemetry_hourly (
  hour INTEGER NOT NULL, content_id TEXT NOT NULL,
  starts_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, stops_count INTEGER NOT NULL, progress_count INTEGER NOT NULL,
  seeks_count INTEGER NOT NULL, played_ms INTEGER NOT NULL, sessions TEXT NOT NULL, devices TEXT NOT NULL,
  PRIMARY KEY (hour, content_id)
) WITHOUT ROWID;
CREATE TABLE telemetry_daily (
  day TEXT NOT NULL, content_id TEXT NOT NULL,
  starts_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, stops_count INTEGER NOT NULL, progress_count INTEGER NOT NULL,
  seeks_count INTEGER NOT NULL, played_ms INTEGER NOT NULL, sessions TEXT NOT NULL, devices TEXT NOT NULL,
  PRIMARY KEY (day, content_id)
) WITHOUT ROWID;
-- By player: a device, or one that a reporter names (`telemetry_players`).
CREATE TABLE telemetry_devices_daily (
  day TEXT NOT NULL, device_id TEXT NOT NULL, starts_count INTEGER NOT NULL, completed_count INTEGER NOT NULL,
  played_ms INTEGER NOT NULL, last_activity_at INTEGER NOT NULL, contents TEXT NOT NULL,
  PRIMARY KEY (day, device_id)
) WITHOUT ROWID;
