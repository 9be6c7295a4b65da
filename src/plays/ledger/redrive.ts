import { auditStatement } from "../../audit/audit.ts";
import { Problem } from "../../platform/errors.ts";
import { refuseWhereStatement } from "../../platform/requirement.ts";
import { playQueueOf } from "../queues.ts";

interface LetterRow {
  id: string;
  r2_key: string;
  device_id: string;
  redriven_at: number | null;
}

/**
 * Sends a dead letter again, the same way as the first time: into the queue. Sent first and noted after, so that a letter whose sending failed
 * stays open; sent twice it meets the ledger.
 * @throws Problem `not-found`; `conflict` with code `ALREADY_REDRIVEN`; `unprocessable` with code `LETTER_MISSING` where R2 lost it.
 */
export async function redriveLetter(env: Env, id: string, actor: string, now: number): Promise<void> {
  const row = await readLetter(env.DB, id);
  if (!row) throw new Problem("not-found", `There is no dead letter ${id}.`);
  if (row.redriven_at !== null) throw alreadyRedriven();
  const object = await env.BUCKET.get(row.r2_key);
  if (!object) throw new Problem("unprocessable", `R2 does not have ${row.r2_key} any more.`, { code: "LETTER_MISSING" });
  await playQueueOf(env, row.device_id).send(new Uint8Array(await object.arrayBuffer()), { contentType: "bytes" });
  try {
    await env.DB.batch([
      refuseWhereStatement(env.DB, "SELECT 1 FROM dead_letters WHERE id = ? AND redriven_at IS NOT NULL", [id]),
      env.DB.prepare("UPDATE dead_letters SET redriven_at = ? WHERE id = ?").bind(now, id),
      auditStatement(env.DB, { actor, action: "dead-letter.redrive", targetType: "dead-letter", targetId: id, details: {} }, now),
    ]);
  } catch (error) {
    // Somebody else was faster, and has it in the audit log.
    if ((await readLetter(env.DB, id))?.redriven_at) throw alreadyRedriven();
    throw error;
  }
}

async function readLetter(db: D1Database, id: string): Promise<LetterRow | null> {
  return await db.prepare("SELECT id, r2_key, device_id, redriven_at FROM dead_letters WHERE id = ?").bind(id).first<LetterRow>();
}

function alreadyRedriven(): Problem {
  return new Problem("conflict", "This dead letter was redriven already; should it fail again, it is open again.", {
    code: "ALREADY_REDRIVEN",
  });
}

/** What became of each letter when many are redriven. */
export interface RedriveOutcome {
  redriven: string[];
  failed: { id: string; code: string; detail: string }[];
}

const MAX_LETTERS_AT_ONCE = 100;

/** Redrives the given letters, or the oldest open ones (100 at most). One that cannot be redriven does not stop the others. */
export async function redriveMany(env: Env, ids: string[] | undefined, actor: string, now: number): Promise<RedriveOutcome> {
  const chosen = ids ?? (await openLetters(env.DB));
  const outcome: RedriveOutcome = { redriven: [], failed: [] };
  for (const id of chosen.slice(0, MAX_LETTERS_AT_ONCE)) {
    try {
      await redriveLetter(env, id, actor, now);
      outcome.redriven.push(id);
    } catch (error) {
      const problem =
        error instanceof Problem
          ? error
          : new Problem("service-unavailable", "The queue, R2 or D1 could not be reached.", { cause: error });
      outcome.failed.push({ id, code: problem.code, detail: problem.detail });
    }
  }
  return outcome;
}

async function openLetters(db: D1Database): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT id FROM dead_letters WHERE redriven_at IS NULL ORDER BY created_at, id LIMIT ?")
    .bind(MAX_LETTERS_AT_ONCE)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}
