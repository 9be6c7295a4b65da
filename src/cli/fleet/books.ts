import type { PlayStatus } from "../../sdk/record.ts";
import type { FleetStore } from "./store.ts";

/** A play as the fleet knows it happened, written down before the SDK hears of it. */
export interface BookedPlay {
  logId: string;
  device: string;
  /** What it must be recorded as. */
  status: PlayStatus;
  durationMs: number;
  billable: boolean;
  /** The code that it must be refused with; null: it must be accepted. */
  refusal: string | null;
}

/** The figures that the books and the report must agree on. */
export const FIGURES = [
  "plays_count",
  "completed_count",
  "partial_count",
  "skipped_count",
  "interrupted_count",
  "error_count",
  "billable_count",
  "total_duration_ms",
] as const;
export type Sums = Record<(typeof FIGURES)[number], number>;

export const NO_PLAYS = Object.fromEntries(FIGURES.map((figure) => [figure, 0])) as Sums;

/** Device ids to what was, or must be, recorded of them. */
export type SumsByDevice = Map<string, Sums>;

/** How many plays were refused by code, and how many must be. */
export type Refusals = Map<string, { booked: number; refused: number }>;

/** What became of all plays that were made. */
export interface Fates {
  made: number;
  /** Acknowledged: the player may forget them. */
  accepted: number;
  refused: number;
  /** Gone with the storage of a player that was set up anew. */
  lost: number;
  /** Plays that were acknowledged and refused, or came to two ends in any other way. */
  contradictory: number;
}

const SUMS = `count(*) AS plays_count, sum(status = 'COMPLETED') AS completed_count, sum(status = 'PARTIAL') AS partial_count,
  sum(status = 'SKIPPED') AS skipped_count, sum(status = 'INTERRUPTED') AS interrupted_count,
  sum(status = 'ERROR') AS error_count, sum(billable) AS billable_count, sum(duration_ms) AS total_duration_ms`;

/** The fleet's own account of what its screens showed, independent of the SDK and the server. */
export class Books {
  readonly #store: FleetStore;

  constructor(store: FleetStore) {
    this.#store = store;
    this.#reconcile();
  }

  write(play: BookedPlay): void {
    this.#store.db
      .query("INSERT INTO plays (log_id, device, status, duration_ms, billable, must_be_refused_as) VALUES (?, ?, ?, ?, ?, ?)")
      .run(play.logId, play.device, play.status, play.durationMs, play.billable ? 1 : 0, play.refusal);
  }

  /** The SDK has it in its queue. */
  handed(logId: string): void {
    this.#store.db.query("UPDATE plays SET handed = 1 WHERE log_id = ?").run(logId);
  }

  /**
   * The play was cut off by hand, or with this program itself: what the books had foreseen is not what happened. A play that
   * was handed over is left as it is.
   */
  cutOff(logId: string, durationMs: number): void {
    this.#store.db
      .query(
        `UPDATE plays SET handed = 1, status = 'INTERRUPTED', duration_ms = ?, billable = 0
         WHERE log_id = ? AND handed = 0`,
      )
      .run(durationMs, logId);
  }

  /** The server has answered for them. */
  acknowledged(logIds: readonly string[]): void {
    this.#store.db.transaction(() => {
      for (const logId of logIds) this.#store.db.query("UPDATE plays SET acknowledged = 1 WHERE log_id = ?").run(logId);
    })();
  }

  /** The server refused it for good. */
  refused(logId: string, code: string): void {
    this.#store.db.query("UPDATE plays SET refused_as = ? WHERE log_id = ?").run(code, logId);
  }

  /** The storage that they were on is gone. */
  lost(logIds: readonly string[]): void {
    this.#store.db.transaction(() => {
      for (const logId of logIds) this.#store.db.query("UPDATE plays SET lost = 1 WHERE log_id = ?").run(logId);
    })();
  }

  /** What must be recorded in the end: all that was handed to the SDK, and is neither lost nor to be refused. */
  expected(): SumsByDevice {
    return this.#sums("handed = 1 AND lost = 0 AND must_be_refused_as IS NULL");
  }

  /** What must be recorded already: all that was acknowledged. */
  acknowledgedSums(): SumsByDevice {
    return this.#sums("acknowledged = 1");
  }

  /** By code; of these devices alone, where they are given. */
  refusals(devices: ReadonlySet<string> | null = null): Refusals {
    const rows = this.#store.db
      .query<{ device: string; code: string; booked: number; refused: number }, []>(
        `SELECT device, code, sum(booked) AS booked, sum(refused) AS refused FROM (
           SELECT device, must_be_refused_as AS code, 1 AS booked, 0 AS refused FROM plays
             WHERE handed = 1 AND lost = 0 AND must_be_refused_as IS NOT NULL
           UNION ALL SELECT device, refused_as, 0, 1 FROM plays WHERE refused_as IS NOT NULL)
         GROUP BY device, code ORDER BY code`,
      )
      .all();
    const refusals: Refusals = new Map();
    for (const { device, code, booked, refused } of rows) {
      if (devices && !devices.has(device)) continue;
      const sum = refusals.get(code) ?? { booked: 0, refused: 0 };
      refusals.set(code, { booked: sum.booked + booked, refused: sum.refused + refused });
    }
    return refusals;
  }

  /** What became of all plays. */
  fates(): Fates {
    const row = this.#store.db
      .query<Fates, []>(
        `SELECT count(*) AS made, coalesce(sum(acknowledged), 0) AS accepted, count(refused_as) AS refused,
                coalesce(sum(lost), 0) AS lost, coalesce(sum(acknowledged + (refused_as IS NOT NULL) + lost > 1), 0) AS contradictory
         FROM plays`,
      )
      .get();
    return row ?? { made: 0, accepted: 0, refused: 0, lost: 0, contradictory: 0 };
  }

  #sums(condition: string): SumsByDevice {
    const rows = this.#store.db
      .query<Sums & { device: string }, []>(`SELECT device, ${SUMS} FROM plays WHERE ${condition} GROUP BY device`)
      .all();
    return new Map(rows.map(({ device, ...sums }) => [device, sums]));
  }

  /**
   * What a crash left half written: a play that the queue has, or a refusal that it knows, and the books do not, is entered.
   * A play that the SDK never got was lost with its player, and stays out of the sums.
   */
  #reconcile(): void {
    this.#store.db.transaction(() => {
      this.#store.db.run("UPDATE plays SET handed = 1 WHERE handed = 0 AND EXISTS (SELECT 1 FROM queue WHERE queue.log_id = plays.log_id)");
      this.#store.db.run(
        `UPDATE plays SET refused_as = (SELECT r.code FROM refused r WHERE r.log_id = plays.log_id)
         WHERE refused_as IS NULL AND log_id IN (SELECT log_id FROM refused)`,
      );
    })();
  }
}

export type Agreement = { agree: true } | { agree: false; differences: string[] };

/** Whether what was recorded is, device by device and figure by figure, what the books say; and what differs. */
export function compare(expected: SumsByDevice, recorded: SumsByDevice, refusals: Refusals): Agreement {
  const differences: string[] = [];
  for (const device of new Set([...expected.keys(), ...recorded.keys()])) {
    const [booked, found] = [expected.get(device) ?? NO_PLAYS, recorded.get(device) ?? NO_PLAYS];
    for (const figure of FIGURES)
      if (booked[figure] !== found[figure]) differences.push(`${device} ${figure}: booked ${booked[figure]}, recorded ${found[figure]}`);
  }
  for (const [code, { booked, refused }] of refusals)
    if (booked !== refused) differences.push(`${code}: booked ${booked}, refused ${refused}`);
  return differences.length === 0 ? { agree: true } : { agree: false, differences };
}

/** All devices' sums together. */
export function total(sums: SumsByDevice): Sums {
  const all = { ...NO_PLAYS };
  for (const one of sums.values()) for (const figure of FIGURES) all[figure] += one[figure];
  return all;
}
