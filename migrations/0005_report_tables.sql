-- Sums by day that leave dimensions out: most reports are answered from them, in a fiftieth of the rows. Together with what is pending they
-- equal the daily rows (the hourly ones of marked days) at every moment.
CREATE TABLE plays_daily_by_content (
  generation INTEGER NOT NULL, day TEXT NOT NULL, campaign_id TEXT NOT NULL, ad_group_id TEXT NOT NULL, content_id TEXT NOT NULL,
  plays_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, partial_count INTEGER NOT NULL, skipped_count INTEGER NOT NULL,
  interrupted_count INTEGER NOT NULL, error_count INTEGER NOT NULL, billable_count INTEGER NOT NULL, starts_count INTEGER NOT NULL,
  total_duration_ms INTEGER NOT NULL,
  PRIMARY KEY (generation, day, campaign_id, ad_group_id, content_id)
) WITHOUT ROWID;

CREATE TABLE plays_daily_by_store (
  generation INTEGER NOT NULL, day TEXT NOT NULL, supplier_id TEXT NOT NULL, store_id TEXT NOT NULL,
  plays_count INTEGER NOT NULL, completed_count INTEGER NOT NULL, partial_count INTEGER NOT NULL, skipped_count INTEGER NOT NULL,
  interrupted_count INTEGER NOT NULL, error_count INTEGER NOT NULL, billable_count INTEGER NOT NULL, starts_count INTEGER NOT NULL,
  total_duration_ms INTEGER NOT NULL,
  PRIMARY KEY (generation, day, supplier_id, store_id)
) WITHOUT ROWID;

-- What commits have added since: one row a commit, not one for each content and store. Cron merges them into the tables above.
CREATE TABLE plays_daily_pending (
  generation INTEGER NOT NULL, id INTEGER NOT NULL, by_content_json TEXT NOT NULL, by_store_json TEXT NOT NULL,
  PRIMARY KEY (generation, id)
) WITHOUT ROWID;

-- What was recorded before these tables were there.
INSERT INTO plays_daily_by_content
SELECT generation, day, campaign_id, ad_group_id, content_id, sum(plays_count), sum(completed_count), sum(partial_count), sum(skipped_count),
  sum(interrupted_count), sum(error_count), sum(billable_count), sum(starts_count), sum(total_duration_ms)
FROM proof_of_play_aggregate_daily
WHERE (generation, day) NOT IN (SELECT generation, day FROM aggregate_days WHERE dirty = 1 AND hourly_retired_at IS NULL) GROUP BY 1, 2, 3, 4, 5;

INSERT INTO plays_daily_by_content
SELECT generation, day, campaign_id, ad_group_id, content_id, sum(plays_count), sum(completed_count), sum(partial_count), sum(skipped_count),
  sum(interrupted_count), sum(error_count), sum(billable_count), sum(starts_count), sum(total_duration_ms)
FROM plays_hourly
WHERE (generation, day) IN (SELECT generation, day FROM aggregate_days WHERE dirty = 1 AND hourly_retired_at IS NULL) GROUP BY 1, 2, 3, 4, 5;

INSERT INTO plays_daily_by_store
SELECT generation, day, supplier_id, store_id, sum(plays_count), sum(completed_count), sum(partial_count), sum(skipped_count),
  sum(interrupted_count), sum(error_count), sum(billable_count), sum(starts_count), sum(total_duration_ms)
FROM proof_of_play_aggregate_daily
WHERE (generation, day) NOT IN (SELECT generation, day FROM aggregate_days WHERE dirty = 1 AND hourly_retired_at IS NULL) GROUP BY 1, 2, 3, 4;

INSERT INTO plays_daily_by_store
SELECT generation, day, supplier_id, store_id, sum(plays_count), sum(completed_count), sum(partial_count), sum(skipped_count),
  sum(interrupted_count), sum(error_count), sum(billable_count), sum(starts_count), sum(total_duration_ms)
FROM plays_hourly
WHERE (generation, day) IN (SELECT generation, day FROM aggregate_days WHERE dirty = 1 AND hourly_retired_at IS NULL) GROUP BY 1, 2, 3, 4;
