/** What the counting Worker counts. Bytes and counts since the last reset. */
export const NOTHING_COUNTED = {
  object_rows_written: 0,
  object_rows_read: 0,
  object_requests: 0,
  alarms_set: 0,
  alarms_run: 0,
  d1_rows_written: 0,
  d1_rows_read: 0,
  d1_queries: 0,
  queue_messages: 0,
  queue_bytes: 0,
  queue_operations: 0,
  consumer_batches: 0,
  bucket_puts: 0,
  bucket_bytes: 0,
  worker_requests: 0,
};
export type Counted = typeof NOTHING_COUNTED;
