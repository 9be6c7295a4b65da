-- The ETag of the plan whose slots the device's sequencer has acknowledged last: no other plan is given to the device. NULL: of none,
-- or the sequencer's storage was lost since.
ALTER TABLE playout_plans ADD COLUMN slots_etag TEXT;
