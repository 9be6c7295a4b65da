-- Single plays, a row a chunk: D1 bills rows written, so a hundred plays cost one row and not a hundred. They are read as
-- `proof_of_play_events`, a view with a row a play.
--   requests_json  [[received_at, door, key_id, policy_version, correlation_id], …]: the requests that the plays came in
--   plays_json     [[request, day, …], …]: for each play the place of its request, then the columns that the view names, in their order
CREATE TABLE chunk_plays (
  device_id TEXT NOT NULL, last_day TEXT NOT NULL, incarnation TEXT NOT NULL, number INTEGER NOT NULL,
  first_day TEXT NOT NULL, plays_count INTEGER NOT NULL, requests_json TEXT NOT NULL, plays_json TEXT NOT NULL,
  PRIMARY KEY (device_id, last_day, incarnation, number)
) WITHOUT ROWID;

-- What was recorded before. A chunk's name is device.incarnation.number, of which both ids have 36 characters.
INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, requests_json, plays_json)
  SELECT device_id, max(day), substr(chunk, 38, 36), CAST(substr(chunk, 75) AS INTEGER), min(day), count(*),
    json_group_array(json_array(received_at, door, key_id, policy_version, correlation_id)),
    json_group_array(json_array(place, day, store_id, supplier_id, campaign_id, ad_group_id, content_id, type, result, billable, duration_ms,
      started_at, event_id, ended_at, started_at_raw, ended_at_raw, expected_ms, quality, flags, epoch, sequence, playlist_id,
      content_version, slot_id, record_hash))
  FROM (SELECT *, row_number() OVER (PARTITION BY device_id, chunk) - 1 AS place FROM proof_of_play_events)
  GROUP BY device_id, chunk;
DROP TABLE proof_of_play_events;

CREATE VIEW proof_of_play_events AS
  SELECT c.device_id, c.first_day, c.last_day, j.value ->> 1 AS day, j.value ->> 2 AS store_id, j.value ->> 3 AS supplier_id,
    j.value ->> 4 AS campaign_id, j.value ->> 5 AS ad_group_id, j.value ->> 6 AS content_id, j.value ->> 7 AS type,
    j.value ->> 8 AS result, j.value ->> 9 AS billable, j.value ->> 10 AS duration_ms, j.value ->> 11 AS started_at,
    j.value ->> 12 AS event_id, j.value ->> 13 AS ended_at, j.value ->> 14 AS started_at_raw, j.value ->> 15 AS ended_at_raw,
    j.value ->> 16 AS expected_ms, j.value ->> 17 AS quality, j.value ->> 18 AS flags, j.value ->> 19 AS epoch,
    j.value ->> 20 AS sequence, j.value ->> 21 AS playlist_id, j.value ->> 22 AS content_version, j.value ->> 23 AS slot_id,
    j.value ->> 24 AS record_hash,
    c.requests_json ->> ('$[' || (j.value ->> 0) || '][0]') AS received_at, c.requests_json ->> ('$[' || (j.value ->> 0) || '][1]') AS door,
    c.requests_json ->> ('$[' || (j.value ->> 0) || '][2]') AS key_id,
    c.requests_json ->> ('$[' || (j.value ->> 0) || '][3]') AS policy_version,
    c.requests_json ->> ('$[' || (j.value ->> 0) || '][4]') AS correlation_id,
    c.device_id || '.' || c.incarnation || '.' || c.number AS chunk
  FROM chunk_plays c CROSS JOIN json_each(c.plays_json) j;
