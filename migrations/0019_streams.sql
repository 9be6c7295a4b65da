-- Devices that are connected to their streams: only these are told that their plans have changed, so that no object is woken for nothing.
--   connected_at  when, by the device's object, which gives each connection a later one
--   told_plan_at  `generated_at` of the stale plan that the device was told of: it is told of each once
CREATE TABLE device_streams (device_id TEXT PRIMARY KEY, connected_at INTEGER NOT NULL, told_plan_at INTEGER) WITHOUT ROWID;
-- Finds stale plans without stepping over the plans themselves, which are large.
CREATE INDEX playout_plans_stale ON playout_plans(device_id, generated_at) WHERE stale = 1;
