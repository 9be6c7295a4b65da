import { slotsLostStatement } from "../../plans/slot-desk.ts";
import { withTimeout } from "../../platform/retry.ts";
import { D1_READ_TIMEOUT_MS } from "../limits.ts";
import type { SequencerIdentity } from "./store.ts";

/** An identity that D1 does not know of yet. */
export function newIncarnation(now: number): SequencerIdentity {
  return { incarnation: crypto.randomUUID(), bornAt: now, registered: false, historyLost: false };
}

/**
 * Makes a sequencer known to D1, and asks what D1 knows of earlier ones: a second incarnation of a device means that the first one's
 * storage, with all that it had seen, is gone. Returns the identity as D1 now sees it; doing it again changes nothing.
 * @throws where D1 does not answer.
 */
export async function registerIncarnation(db: D1Database, deviceId: string, identity: SequencerIdentity): Promise<SequencerIdentity> {
  const { incarnation, bornAt } = identity;
  const [, , others] = await withTimeout(
    db.batch<{ trusted: number }>([
      slotsLostStatement(db, deviceId, incarnation),
      db
        .prepare("INSERT OR IGNORE INTO sequencer_incarnations (device_id, incarnation, born_at) VALUES (?, ?, ?)")
        .bind(deviceId, incarnation, bornAt),
      db
        .prepare(
          `SELECT (SELECT trusted_at IS NOT NULL FROM sequencer_incarnations WHERE device_id = ?1 AND incarnation = ?2) AS trusted
           FROM sequencer_incarnations WHERE device_id = ?1 AND incarnation <> ?2 LIMIT 1`,
        )
        .bind(deviceId, incarnation),
    ]),
    D1_READ_TIMEOUT_MS,
    "sequencer registration",
  );
  const other = others?.results[0];
  return { ...identity, registered: true, historyLost: other !== undefined && !other.trusted };
}
