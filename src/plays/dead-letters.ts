import { uuidv7 } from "uuidv7";
import { type ChunkHeader, chunkId } from "./chunk.ts";

/** Why a message lies among the dead letters. */
export type DeadLetterReason = "UNREADABLE" | "CHUNK_CONFLICT";

/** A message that cannot be recorded as it is. `header` is null where it could not be read. */
export interface DeadLetter {
  /** The queue's id of the message. */
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
  header: ChunkHeader | null;
}

/**
 * Writes a message to R2 `dead-letter/` and lists it in D1, with an incident where two chunks claim one id. Safe to do twice: key and row
 * follow from the message's id.
 * @throws what R2 or D1 throw: the message must then stay in the queue.
 */
export async function buryMessage(env: Env, letter: DeadLetter, reason: DeadLetterReason, now: number): Promise<void> {
  const key = `dead-letter/${letter.id}`;
  const chunk = letter.header ? chunkId(letter.header) : "";
  const deviceId = letter.header?.device_id ?? "";
  await env.BUCKET.put(key, letter.bytes, { customMetadata: { reason, chunk } });
  const statements = [
    env.DB.prepare(
      "INSERT OR IGNORE INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).bind(letter.id, key, deviceId, chunk, reason, letter.header?.plays ?? 0, now),
  ];
  if (reason === "CHUNK_CONFLICT") {
    statements.push(
      env.DB.prepare(
        `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at) VALUES (?, ?, 'CHUNK_CONFLICT', 'high', ?, ?)
         ON CONFLICT DO NOTHING`,
      ).bind(uuidv7(), deviceId, JSON.stringify({ chunk_id: chunk, r2_key: key }), now),
    );
  }
  await env.DB.batch(statements);
}
