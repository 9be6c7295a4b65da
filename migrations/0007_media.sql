-- Files of content in R2: which of them a device may have is asked by their hash.
CREATE INDEX content_versions_sha256 ON content_versions(sha256);

-- Files that come in parts. Until they are verified they lie apart in R2, under uploads/. The row stays for a while behind
-- its version, so that a completion whose answer was lost can be asked for again.
CREATE TABLE content_uploads (
  id TEXT PRIMARY KEY, content_id TEXT NOT NULL REFERENCES content(id), sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  part_bytes INTEGER NOT NULL, version_hash TEXT, duration_ms INTEGER, r2_upload_id TEXT NOT NULL,
  version_id TEXT, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX content_uploads_created ON content_uploads(created_at);
CREATE TABLE content_upload_parts (
  upload_id TEXT NOT NULL, number INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL, received_at INTEGER NOT NULL,
  PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

-- Files that no version names and that are being deleted: no version may name them until that is over.
CREATE TABLE content_removals (sha256 TEXT PRIMARY KEY, removed_at INTEGER NOT NULL) WITHOUT ROWID;
