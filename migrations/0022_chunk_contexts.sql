-- Single plays at six tenths of their size: what plays of a chunk have in common stands once, as a context.
--   contexts_json  [[received_at, door, key_id, policy_version, correlation_id, day, store_id, supplier_id, type, result, billable, quality, flags,
--                    epoch, playlist_id, started_at_raw - started_at, ended_at_raw - ended_at], …]
--   rows_json      [[context, campaign_id, ad_group_id, content_id, content_version, slot_id, duration_ms, expected_ms, sequence, started_at,
--                    event_id, record_hash, ended_at - started_at], …]: for each play the place of its context, then what is its own
-- New names, so that a Worker of the version before fails rather than finds nothing, until the new one is there.
DROP VIEW proof_of_play_events;
ALTER TABLE chunk_plays RENAME COLUMN requests_json TO contexts_json;
ALTER TABLE chunk_plays RENAME COLUMN plays_json TO rows_json;

-- What was recorded before. This takes D1 some 25 s for a million plays, and it gives a statement 30: no database of that size is known. Of one
-- that is larger, delete the oldest chunks first: totals and archive are exact without.
UPDATE chunk_plays SET
  contexts_json = (SELECT json_group_array(json(context)) FROM (
    SELECT DISTINCT json_array(
      r ->> 0, r ->> 1, r ->> 2, r ->> 3, r ->> 4, p ->> 1, p ->> 2, p ->> 3, p ->> 7, p ->> 8, p ->> 9, p ->> 17, p ->> 18, p ->> 19, p ->> 21,
      (p ->> 14) - (p ->> 11), (p ->> 15) - (p ->> 13)) AS context
    FROM (SELECT j.value AS p, chunk_plays.contexts_json -> (j.value ->> 0) AS r FROM json_each(chunk_plays.rows_json) j)
    ORDER BY 1)),
  rows_json = (SELECT json_group_array(json_array(
      place, p ->> 4, p ->> 5, p ->> 6, p ->> 22, p ->> 23, p ->> 10, p ->> 16, p ->> 20, p ->> 11, p ->> 12, p ->> 24, (p ->> 13) - (p ->> 11))
      ORDER BY at) FROM (
    SELECT at, p, dense_rank() OVER (ORDER BY json_array(
      r ->> 0, r ->> 1, r ->> 2, r ->> 3, r ->> 4, p ->> 1, p ->> 2, p ->> 3, p ->> 7, p ->> 8, p ->> 9, p ->> 17, p ->> 18, p ->> 19, p ->> 21,
      (p ->> 14) - (p ->> 11), (p ->> 15) - (p ->> 13))) - 1 AS place
    FROM (SELECT j.key AS at, j.value AS p, chunk_plays.contexts_json -> (j.value ->> 0) AS r FROM json_each(chunk_plays.rows_json) j)));

CREATE VIEW proof_of_play_events AS
  SELECT device_id, first_day, last_day, context ->> 5 AS day, context ->> 6 AS store_id, context ->> 7 AS supplier_id,
    play ->> 1 AS campaign_id, play ->> 2 AS ad_group_id, play ->> 3 AS content_id, context ->> 8 AS type,
    context ->> 9 AS result, context ->> 10 AS billable, play ->> 6 AS duration_ms, play ->> 9 AS started_at,
    play ->> 10 AS event_id, (play ->> 9) + (play ->> 12) AS ended_at, (play ->> 9) + (context ->> 15) AS started_at_raw,
    (play ->> 9) + (play ->> 12) + (context ->> 16) AS ended_at_raw,
    play ->> 7 AS expected_ms, context ->> 11 AS quality, context ->> 12 AS flags, context ->> 13 AS epoch,
    play ->> 8 AS sequence, context ->> 14 AS playlist_id, play ->> 4 AS content_version, play ->> 5 AS slot_id,
    play ->> 11 AS record_hash,
    context ->> 0 AS received_at, context ->> 1 AS door, context ->> 2 AS key_id, context ->> 3 AS policy_version,
    context ->> 4 AS correlation_id,
    device_id || '.' || incarnation || '.' || number AS chunk
  FROM (
    SELECT c.device_id, c.first_day, c.last_day, c.incarnation, c.number, j.value AS play, c.contexts_json -> (j.value ->> 0) AS context
    FROM chunk_plays c CROSS JOIN json_each(c.rows_json) j
  );
