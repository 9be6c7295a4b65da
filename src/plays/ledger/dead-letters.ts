import { openIncidents } from "../../monitoring/incidents.ts";
import { chunkId } from "../chunk.ts";
import type { HashedChunk } from "./commit.ts";

/** Why a message lies among the dead letters: no chunk · another chunk under a recorded id · D1 will not have it. */
export type DeadLetterReason = "UNREADABLE" | "CHUNK_CONFLICT" | "UNRECORDABLE";

/** A message that cannot be recorded as it is. `chunk` is null where not even its header could be read. */
export interface DeadLetter {
  messageId: string;
  bytes: Uint8Array<ArrayBuffer>;
  chunk: Pick<HashedChunk, "header" | "hash"> | null;
}

const PREFIX = "dead-letter/";
const HASH_CHARS = 16;

/** A dead letter's id: that of its chunk and its bytes, so that the same one delivered again is the same letter; else the message's. */
function letterId({ messageId, chunk }: DeadLetter): string {
  return chunk ? `${chunkId(chunk.header)}.${chunk.hash.slice(0, HASH_CHARS)}` : messageId;
}

/**
 * Writes a message to R2 `dead-letter/` and lists it in D1, with an incident where two chunks claim one id. Safe to do twice. A letter that
 * was redriven and failed again is open again.
 * @throws what R2 or D1 throw: the message must then stay in the queue.
 */
export async function buryMessage(env: Env, letter: DeadLetter, reason: DeadLetterReason, now: number): Promise<void> {
  const id = letterId(letter);
  const header = letter.chunk?.header;
  const entry: LetterEntry = {
    id,
    r2_key: `${PREFIX}${id}`,
    device_id: header?.device_id ?? "",
    chunk_id: header ? chunkId(header) : "",
    reason,
    plays_count: header?.plays ?? 0,
    created_at: now,
  };
  const { r2_key, ...described } = entry;
  await env.BUCKET.put(r2_key, letter.bytes, {
    customMetadata: Object.fromEntries(Object.entries(described).map(([key, value]) => [key, String(value)])),
  });
  const conflict = { type: "CHUNK_CONFLICT" as const, deviceId: entry.device_id, details: { chunk_id: entry.chunk_id, dead_letter: id } };
  await openIncidents(env.DB, reason === "CHUNK_CONFLICT" ? [conflict] : [], now, [
    listStatement(env.DB, entry),
    env.DB.prepare("DELETE FROM lone_failures WHERE message_id = ?").bind(letter.messageId),
  ]);
}

/** One more failure of a message that failed with no neighbour to blame. Returns how many there are now. */
export async function countLoneFailure(db: D1Database, messageId: string, error: string, now: number): Promise<number> {
  const row = await db
    .prepare(
      `INSERT INTO lone_failures (message_id, failures, error, failed_at) VALUES (?, 1, ?, ?)
       ON CONFLICT DO UPDATE SET failures = failures + 1, error = excluded.error, failed_at = excluded.failed_at RETURNING failures`,
    )
    .bind(messageId, error.slice(0, 500), now)
    .first<{ failures: number }>();
  return row?.failures ?? 1;
}

/** A row of `dead_letters`, as it is first written. */
interface LetterEntry {
  id: string;
  r2_key: string;
  device_id: string;
  chunk_id: string;
  reason: string;
  plays_count: number;
  created_at: number;
}

function listStatement(db: D1Database, entry: LetterEntry): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET redriven_at = NULL, reason = excluded.reason`,
    )
    .bind(entry.id, entry.r2_key, entry.device_id, entry.chunk_id, entry.reason, entry.plays_count, entry.created_at);
}

/**
 * Lists in D1 what lies in R2 and is not listed: R2 is the truth, D1 the index. Returns how many were added. Letters that D1 knows stay as
 * they are.
 */
export async function relistDeadLetters(env: Env): Promise<number> {
  let added = 0;
  let cursor: string | undefined;
  do {
    const page = await env.BUCKET.list({ prefix: PREFIX, include: ["customMetadata"], ...(cursor ? { cursor } : {}) });
    const statements = page.objects.map((object) =>
      env.DB.prepare(
        `INSERT INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      ).bind(
        object.key.slice(PREFIX.length),
        object.key,
        object.customMetadata?.device_id ?? "",
        object.customMetadata?.chunk_id ?? "",
        object.customMetadata?.reason ?? "UNREADABLE",
        Number(object.customMetadata?.plays_count ?? 0),
        Number(object.customMetadata?.created_at ?? object.uploaded.getTime()),
      ),
    );
    if (statements.length > 0) added += (await env.DB.batch(statements)).reduce((sum, { meta }) => sum + meta.changes, 0);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return added;
}
