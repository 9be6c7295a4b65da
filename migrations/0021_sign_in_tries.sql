-- How often a password was tried lately, by address and by account; the keys are keyed hashes, the rows last for a quarter of an hour.
CREATE TABLE sign_in_tries (
  key TEXT PRIMARY KEY, tries INTEGER NOT NULL, ends_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_in_tries_ends ON sign_in_tries (ends_at);
