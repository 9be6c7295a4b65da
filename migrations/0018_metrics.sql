-- What `/metrics` counts: one row for all counters and histograms, so that a commit adds to all of them by writing one row, in its own
-- transaction. Right whichever isolate is asked, and never set back.
--   values_json  {"series": number, …}: see src/platform/metrics.ts
CREATE TABLE metrics (id INTEGER PRIMARY KEY CHECK (id = 1), values_json TEXT NOT NULL CHECK (json_type(values_json) = 'object'));
INSERT INTO metrics (id, values_json) VALUES (1, '{}');
