-- People who sign in at the console.
--   email       in lower case; by it and a password somebody signs in
--   scope_json  of a viewer: {"supplier_id"} or {"brand_name"}, NULL: the whole network
--   disabled_at  whoever is disabled signs in no more and has no session; nobody is ever deleted, since the audit log names them
CREATE TABLE users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')), scope_json TEXT,
  two_factor_enabled INTEGER NOT NULL DEFAULT 0, last_sign_in_at INTEGER, disabled_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1,
  CHECK (scope_json IS NULL OR role = 'viewer')
) WITHOUT ROWID;

-- How they prove who they are: today a password alone, as scrypt.
CREATE TABLE user_accounts (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL, provider_id TEXT NOT NULL, password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Who is signed in. The token is in the browser's cookie alone: here is its SHA-256.
--   network     from where: /24 of IPv4, /48 of IPv6
--   updated_at  when it was last used, to some minutes
--   expires_at  grows with use, to seven days after created_at at most
CREATE TABLE user_sessions (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, token_hash TEXT NOT NULL UNIQUE, network TEXT NOT NULL, user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX user_sessions_user ON user_sessions (user_id);

-- Second factors (RFC 6238). The secret and the backup codes are encrypted under AUTH_SECRET.
--   verified  0 until the first code was shown to be right
CREATE TABLE user_second_factors (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, backup_codes TEXT NOT NULL, verified INTEGER NOT NULL DEFAULT 0,
  failed_verification_count INTEGER NOT NULL DEFAULT 0, locked_until INTEGER
) WITHOUT ROWID;

-- Sign-ins that are half done: the password was right, the second factor is asked. For minutes.
CREATE TABLE sign_in_steps (
  id TEXT PRIMARY KEY, identifier TEXT NOT NULL, value TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_steps_identifier ON sign_in_steps (identifier);
CREATE INDEX sign_in_steps_expires ON sign_in_steps (expires_at);

-- Links by which people set a password, each good once. The token is in the link alone: here is its SHA-256.
--   kind  setup: the first administrator; invitation: somebody new, by e-mail; reset: a new password for user_id
CREATE TABLE invitations (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('setup', 'invitation', 'reset')), token_hash TEXT NOT NULL UNIQUE,
  email TEXT, user_id TEXT, role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')), scope_json TEXT,
  created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  accepted_at INTEGER, accepted_by TEXT, revoked_at INTEGER,
  CHECK (scope_json IS NULL OR role = 'viewer'), CHECK ((kind = 'invitation') = (email IS NOT NULL)), CHECK ((kind = 'reset') = (user_id IS NOT NULL))
) WITHOUT ROWID;
