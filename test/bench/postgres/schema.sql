-- The same intake on PostgreSQL 15, for comparison: the tables that an engineer would make for it.
CREATE TABLE stores (id uuid PRIMARY KEY, supplier_id uuid NOT NULL, timezone text NOT NULL, lat float8, lng float8);
CREATE TABLE devices (id uuid PRIMARY KEY, store_id uuid REFERENCES stores(id), status text NOT NULL, token_family_id uuid NOT NULL, requests_per_minute int NOT NULL);
CREATE TABLE campaigns (id uuid PRIMARY KEY);
CREATE TABLE content (id uuid PRIMARY KEY, duration_ms int);

-- Seen before is the primary key. The record and its signature are the proof, and stay with the play.
CREATE TABLE plays (
  device_id uuid NOT NULL, event_id uuid NOT NULL, day date NOT NULL, store_id uuid, supplier_id uuid, campaign_id uuid, content_id uuid NOT NULL,
  started_at_raw timestamptz NOT NULL, ended_at_raw timestamptz NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL, duration_ms int NOT NULL, expected_ms int, result text NOT NULL, billable boolean NOT NULL,
  quality int NOT NULL, flags text NOT NULL, epoch text NOT NULL, sequence bigint, record_hash bytea NOT NULL, key_id text NOT NULL,
  correlation_id uuid NOT NULL, record text NOT NULL, signature bytea NOT NULL,
  PRIMARY KEY (device_id, event_id)
);
CREATE TABLE plays_hourly (
  day date NOT NULL, hour bigint NOT NULL, campaign_id text NOT NULL, supplier_id text NOT NULL, store_id text NOT NULL, content_id text NOT NULL,
  plays_count int NOT NULL, completed_count int NOT NULL, partial_count int NOT NULL, other_count int NOT NULL, billable_count int NOT NULL,
  total_duration_ms bigint NOT NULL,
  PRIMARY KEY (day, hour, campaign_id, supplier_id, store_id, content_id)
) WITH (fillfactor = 50);
CREATE TABLE device_activity_daily (
  day date NOT NULL, device_id uuid NOT NULL, plays_count int NOT NULL, billable_count int NOT NULL, total_duration_ms bigint NOT NULL,
  PRIMARY KEY (day, device_id)
) WITH (fillfactor = 50);
CREATE TABLE sequences (device_id uuid PRIMARY KEY, epochs jsonb NOT NULL) WITH (fillfactor = 50);
CREATE TABLE refusals_hourly (hour bigint NOT NULL, device_id uuid NOT NULL, code text NOT NULL, count int NOT NULL, PRIMARY KEY (hour, device_id, code));
