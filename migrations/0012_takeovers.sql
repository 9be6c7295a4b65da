-- Emergency messages that stand in place of every plan of a group, of a store, or of the whole network (target_id '').
-- One is shown from started_at until ends_at or lifted_at, whichever comes first. What it shows is a playlist or one version.
-- Rows stay for good: they say what screens showed, and who had them do so.
CREATE TABLE takeovers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL,
  target_type TEXT NOT NULL CHECK (target_type IN ('ALL', 'GROUP', 'STORE')), target_id TEXT NOT NULL DEFAULT '',
  playlist_id TEXT REFERENCES playlists(id), content_version_id TEXT REFERENCES content_versions(id),
  started_at INTEGER NOT NULL, ends_at INTEGER, lifted_at INTEGER, lifted_by TEXT,
  created_at INTEGER NOT NULL, created_by TEXT NOT NULL,
  CHECK ((target_type = 'ALL') = (target_id = '')),
  CHECK ((playlist_id IS NULL) <> (content_version_id IS NULL))
) WITHOUT ROWID;
CREATE INDEX takeovers_target ON takeovers(target_type, target_id) WHERE lifted_at IS NULL;
CREATE INDEX takeovers_playlist ON takeovers(playlist_id) WHERE playlist_id IS NOT NULL;
CREATE INDEX takeovers_version ON takeovers(content_version_id) WHERE content_version_id IS NOT NULL;
