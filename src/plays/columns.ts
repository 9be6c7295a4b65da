import { type Columns, cell } from "./packed.ts";
import type { AcceptedPlay, BatchProof, Proof, SignedBy } from "./play.ts";

/** An accepted play with what proves it. */
export interface ProvenPlay extends AcceptedPlay {
  /** The record without its `signature`, as JCS (RFC 8785). */
  record: string;
  signed_by: SignedBy;
  /** Null where the record carries none. */
  signature: Uint8Array | null;
  /** The proof of the batch that it was signed with. */
  batch: BatchProof | null;
}

/**
 * Plays on their way through the consumer: a list a column, of equal lengths, in the order of the plays. Thousands of objects would cost more
 * than all that is done with them.
 */
export type PlayColumns = Columns<ProvenPlay>;

/** A play by itself, for those who look at few. */
export interface PlayRow {
  play: AcceptedPlay;
  proof: Omit<Proof, "recordHash">;
  batch: BatchProof | null;
}

export function countPlays(plays: Pick<PlayColumns, "event_id">): number {
  return plays.event_id.length;
}

/** Plays, column by column. Each column is written out: reading properties by changing names is what most of the time would go to. */
export function playColumns(rows: readonly PlayRow[]): PlayColumns {
  return {
    event_id: rows.map(({ play }) => play.event_id),
    day: rows.map(({ play }) => play.day),
    store_id: rows.map(({ play }) => play.store_id),
    supplier_id: rows.map(({ play }) => play.supplier_id),
    campaign_id: rows.map(({ play }) => play.campaign_id),
    ad_group_id: rows.map(({ play }) => play.ad_group_id),
    playlist_id: rows.map(({ play }) => play.playlist_id),
    content_id: rows.map(({ play }) => play.content_id),
    content_version: rows.map(({ play }) => play.content_version),
    slot_id: rows.map(({ play }) => play.slot_id),
    type: rows.map(({ play }) => play.type),
    started_at_raw: rows.map(({ play }) => play.started_at_raw),
    ended_at_raw: rows.map(({ play }) => play.ended_at_raw),
    started_at: rows.map(({ play }) => play.started_at),
    ended_at: rows.map(({ play }) => play.ended_at),
    received_at: rows.map(({ play }) => play.received_at),
    duration_ms: rows.map(({ play }) => play.duration_ms),
    expected_ms: rows.map(({ play }) => play.expected_ms),
    result: rows.map(({ play }) => play.result),
    billable: rows.map(({ play }) => play.billable),
    quality: rows.map(({ play }) => play.quality),
    flags: rows.map(({ play }) => play.flags),
    door: rows.map(({ play }) => play.door),
    epoch: rows.map(({ play }) => play.epoch),
    sequence: rows.map(({ play }) => play.sequence),
    record_hash: rows.map(({ play }) => play.record_hash),
    key_id: rows.map(({ play }) => play.key_id),
    policy_version: rows.map(({ play }) => play.policy_version),
    correlation_id: rows.map(({ play }) => play.correlation_id),
    record: rows.map(({ proof }) => proof.record),
    signed_by: rows.map(({ proof }) => proof.signedBy),
    signature: rows.map(({ proof }) => proof.signature),
    batch: rows.map(({ batch }) => batch),
  };
}

/** The first of some plays, or all, one by one. */
export function playRows(plays: PlayColumns, most = countPlays(plays)): PlayRow[] {
  const { record, signed_by, signature, batch, ...columns } = plays;
  return plays.event_id.slice(0, most).map((_, at) => ({
    play: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[at]])) as unknown as AcceptedPlay,
    proof: { record: cell(record, at), signedBy: cell(signed_by, at), signature: cell(signature, at) },
    batch: cell(batch, at),
  }));
}

/** Lists of plays, one behind the other. */
export function joinPlays(parts: readonly PlayColumns[]): PlayColumns {
  const [only, ...others] = parts;
  if (only && others.length === 0) return only;
  const joined = playColumns([]);
  for (const name of Object.keys(joined) as (keyof PlayColumns)[]) {
    Object.assign(joined, { [name]: ([] as unknown[]).concat(...parts.map((part) => part[name])) });
  }
  return joined;
}
