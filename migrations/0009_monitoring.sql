-- Whether screens are alive: what D1 knows of heartbeats, commands that wait for a device, and what people do about incidents.

-- When the device was last heard of, where it has fallen silent. NULL: it is heard of, or it never was.
ALTER TABLE devices ADD COLUMN offline_at INTEGER;
-- What the heartbeat said that D1 last heard of.
ALTER TABLE devices ADD COLUMN heartbeat_json TEXT;
CREATE INDEX devices_offline ON devices(offline_at) WHERE offline_at IS NOT NULL;

CREATE TABLE device_commands (
  id TEXT PRIMARY KEY, device_id TEXT NOT NULL REFERENCES devices(id),
  type TEXT NOT NULL CHECK (type IN ('reboot', 'refresh_plan', 'screenshot', 'set_volume', 'clear_cache', 'update')),
  params_json TEXT NOT NULL DEFAULT '{}',
  status TEXT NOT NULL CHECK (status IN ('waiting', 'done', 'failed', 'expired', 'cancelled')),
  result_json TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL, expires_at INTEGER NOT NULL, settled_at INTEGER
) WITHOUT ROWID;
CREATE INDEX device_commands_device ON device_commands(device_id, id);
CREATE INDEX device_commands_waiting ON device_commands(device_id, expires_at) WHERE status = 'waiting';

ALTER TABLE incidents ADD COLUMN resolved_by TEXT;
ALTER TABLE incidents ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
CREATE INDEX incidents_device ON incidents(device_id, id);
