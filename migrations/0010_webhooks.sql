-- Webhooks: who is told what, what is to be told, and how each attempt went.

-- events_json: types of events, as in the API. The signing secret is not here: it is derived from the id and secret_version under HASH_SECRET.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, events_json TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')), disabled_reason TEXT, disabled_at INTEGER,
  -- Since when nothing got through; NULL: the last attempt did. No part of the ETag's version.
  failing_since_at INTEGER,
  secret_version INTEGER NOT NULL DEFAULT 1, previous_secret_expires_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

-- Events as they were written in the transaction that caused them: one row each, and only where somebody subscribes. No index: it is
-- emptied within a minute. Plays are named by their segment; anything else is its data.
CREATE TABLE webhook_outbox (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, created_at INTEGER NOT NULL, data_json TEXT, segment_id TEXT, plays_count INTEGER NOT NULL DEFAULT 0,
  webhook_ids_json TEXT NOT NULL
) WITHOUT ROWID;

-- A message to one webhook. Its id is the `webhook-id` that the receiver sees; ids grow with time. part: the plays of a segment, from 1.
CREATE TABLE webhook_messages (
  webhook_id TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, created_at INTEGER NOT NULL,
  data_json TEXT, segment_id TEXT, part INTEGER,
  status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0, next_attempt_at INTEGER, ended_at INTEGER,
  PRIMARY KEY (webhook_id, id)
) WITHOUT ROWID;
CREATE INDEX webhook_messages_due ON webhook_messages(webhook_id, next_attempt_at) WHERE status = 'pending';

-- body_sha256: of the bytes that were sent, so that what a receiver was told can be proved. response: the beginning of its answer.
CREATE TABLE webhook_attempts (
  webhook_id TEXT NOT NULL, id TEXT NOT NULL, message_id TEXT NOT NULL, created_at INTEGER NOT NULL,
  outcome TEXT NOT NULL, status_code INTEGER, duration_ms INTEGER NOT NULL, error TEXT, response TEXT, body_sha256 TEXT,
  PRIMARY KEY (webhook_id, id)
) WITHOUT ROWID;
