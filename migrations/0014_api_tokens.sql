-- Tokens of programs, by which they call the API in place of a person. The token itself is nowhere: its SHA-256 is.
--   scope_json  of a viewer: {"supplier_id"} or {"brand_name"}, NULL: the whole network; of a reporter: what it may report on
--   last_used_at  is written once an hour at most
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer', 'reporter')), scope_json TEXT,
  created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER, last_used_at INTEGER,
  CHECK (role <> 'reporter' OR scope_json IS NOT NULL), CHECK (scope_json IS NULL OR role IN ('viewer', 'reporter'))
) WITHOUT ROWID;
