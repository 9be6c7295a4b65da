-- What devices were told to play, for the report of planned against played.

-- A row a device, a day of its store, and store. It is what the plans that stood during the day said, each for its time; no row: no plan stood.
--   campaigns_json  [[campaign_id, plays, ms], …] by campaign, '' (for no campaign) always among them; [] once the row is old
CREATE TABLE planned_daily (
  day TEXT NOT NULL, device_id TEXT NOT NULL, store_id TEXT NOT NULL, supplier_id TEXT NOT NULL,
  planned_plays INTEGER NOT NULL, planned_ms INTEGER NOT NULL, campaigns_json TEXT NOT NULL,
  PRIMARY KEY (day, device_id, store_id)
) WITHOUT ROWID;

-- The same without the devices: summed up by cron. Wherever a plan stood, the campaign '' has a row, be it of 0 plays.
CREATE TABLE planned_sums_daily (
  day TEXT NOT NULL, campaign_id TEXT NOT NULL, supplier_id TEXT NOT NULL, store_id TEXT NOT NULL,
  planned_plays INTEGER NOT NULL, planned_ms INTEGER NOT NULL,
  PRIMARY KEY (day, campaign_id, supplier_id, store_id)
) WITHOUT ROWID;

-- Marked (dirty) days are those whose rows are ahead of their sums. thinned: the rows' campaigns are gone, their sums stay.
CREATE TABLE planned_days (day TEXT PRIMARY KEY, dirty INTEGER NOT NULL, thinned INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
