import type { PlayStatus } from "../../sdk/record.ts";
import type { DemoStore } from "./store.ts";

/** A play as the fleet knows it happened, written down before the SDK hears of it. */
export interface BookedPlay {
  logId: string;
  device: string;
  /** What it must be recorded as. */
  status: PlayStatus;
  durationMs: number;
  billable: boolean;
  /** The code that it must be refused with; null: it must be recorded. */
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

/** The fleet's own account of what its screens showed, independent of the SDK and the server. */
export class Books {
  readonly #store: DemoStore;

  constructor(store: DemoStore) {
    this.#store = store;
    this.#reconcile();
  }

  write(play: BookedPlay): void {
    this.#store.db
      .query("INSERT INTO books (log_id, device, status, duration_ms, billable, refusal) VALUES (?, ?, ?, ?, ?, ?)")
      .run(play.logId, play.device, play.status, play.durationMs, play.billable ? 1 : 0, play.refusal);
  }

  /** The SDK has it in its queue. */
  handed(logId: string): void {
    this.#store.db.query("UPDATE books SET handed = 1 WHERE log_id = ?").run(logId);
  }

  /** The server refused it for good. */
  refused(logId: string, code: string): void {
    this.#store.db.query("UPDATE books SET refused_as = ? WHERE log_id = ?").run(code, logId);
  }

  /** What must be recorded in the end. */
  expected(): SumsByDevice {
    const rows = this.#store.db
      .query<Sums & { device: string }, []>(
        `SELECT device, count(*) AS plays_count, sum(status = 'COMPLETED') AS completed_count, sum(status = 'PARTIAL') AS partial_count,
                sum(status = 'SKIPPED') AS skipped_count, sum(status = 'INTERRUPTED') AS interrupted_count,
                sum(status = 'ERROR') AS error_count, sum(billable) AS billable_count, sum(duration_ms) AS total_duration_ms
         FROM books WHERE handed = 1 AND refusal IS NULL GROUP BY device`,
      )
      .all();
    return new Map(rows.map(({ device, ...sums }) => [device, sums]));
  }

  /** By code; of these devices alone, where they are given. */
  refusals(devices: ReadonlySet<string> | null = null): Refusals {
    const rows = this.#store.db
      .query<{ device: string; code: string; booked: number; refused: number }, []>(
        `SELECT device, code, sum(booked) AS booked, sum(refused) AS refused FROM (
           SELECT device, refusal AS code, 1 AS booked, 0 AS refused FROM books WHERE handed = 1 AND refusal IS NOT NULL
           UNION ALL SELECT device, refused_as, 0, 1 FROM books WHERE refused_as IS NOT NULL)
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

  /**
   * What a crash left half written: a play that the queue has, or a refusal that it knows, and the books do not, is entered.
   * A play that the SDK never got was lost with its player, and stays out of the sums.
   */
  #reconcile(): void {
    this.#store.db.transaction(() => {
      this.#store.db.run(
        `UPDATE books SET handed = 1 WHERE handed = 0 AND EXISTS
           (SELECT 1 FROM queue q WHERE q.device = books.device AND q.log_id = books.log_id)`,
      );
      this.#store.db.run(
        `UPDATE books SET refused_as = (SELECT r.code FROM refused r WHERE r.device = books.device AND r.log_id = books.log_id)
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
