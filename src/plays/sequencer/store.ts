import type { HeartbeatState } from "../../devices/heartbeat.ts";
import type { DeviceProfile } from "../../devices/profile.ts";
import type { Arrival } from "./outbox.ts";
import type { KeptState } from "./outbox-desk.ts";
import type { SortedPack } from "./seen.ts";

/** Who this object is: made with its storage, so that storage that was lost shows. */
export interface SequencerIdentity {
  incarnation: string;
  bornAt: number;
  /** Whether D1 knows of this incarnation. No log is accepted before it does. */
  registered: boolean;
  /** Whether an earlier incarnation's storage was lost, and no operator has decided yet what that means. */
  historyLost: boolean;
}

interface Meta {
  identity: SequencerIdentity;
  profile: DeviceProfile;
  state: KeptState;
  /** Heartbeats write this row alone, and plays never. */
  heartbeat: HeartbeatState;
  /** A slot book as JSON: waking up need not read it (`slot-desk.ts`). */
  slots: string;
  /** Sessions of telemetry as JSON, for the same reason (`src/telemetry/sessions.ts`). */
  sessions: string;
}

/** The filter of a pack (`seen.ts`). */
export interface PackFilter {
  id: number;
  filter: Uint8Array;
}

/** An arrival as an object finds it that wakes up. */
export interface KeptArrival {
  n: number;
  at: number;
  bytes: number;
  seen: Uint8Array | null;
}

/** A refused record, kept to be looked at. */
export interface RefusedRecord {
  at: number;
  door: string;
  code: string;
  error: string;
  log_id: string | null;
  /** The record as received, cut where it is long. */
  record: string;
}

/**
 * The object's own SQLite: numbered steps, append only. Each write is a row that costs money, so a request writes two
 * (its arrival and the head), and what is only needed for a while lies in blobs.
 */
const SCHEMA = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   -- One row a request (more for a very large one): what was seen of it, and the lines of its plays.
   -- seen is null once a pack has it; the row goes when the plays are confirmed as well.
   CREATE TABLE arrivals (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, plays INTEGER NOT NULL, v INTEGER NOT NULL, seen BLOB, body BLOB NOT NULL);
   CREATE TABLE seen_packs (id INTEGER PRIMARY KEY, until INTEGER NOT NULL, entries BLOB NOT NULL, filter BLOB NOT NULL);
   CREATE TABLE refused (n INTEGER PRIMARY KEY, records INTEGER NOT NULL, body TEXT NOT NULL);`,
];

/** The SQL of a sequencer, and nothing else: every method is synchronous and says what it writes. */
export class SequencerStore {
  readonly #sql: SqlStorage;

  constructor(private readonly storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** Brings the schema up to date. Writes only where steps are missing. */
  migrate(): void {
    this.storage.transactionSync(() => {
      const has = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
      const done = has ? Number(this.#sql.exec("SELECT value FROM meta WHERE key = 'schema'").toArray()[0]?.value ?? 0) : 0;
      if (done >= SCHEMA.length) return;
      for (const step of SCHEMA.slice(done)) this.#sql.exec(step);
      this.#sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", String(SCHEMA.length));
    });
  }

  /** All or nothing, and with what is written before the next await. */
  transaction<T>(work: () => T): T {
    return this.storage.transactionSync(work);
  }

  /** Everything that is not a list, in one read: an object that wakes up needs all of it. */
  readMeta(): Partial<Meta> {
    const rows = this.#sql.exec<{ key: string; value: string }>("SELECT key, value FROM meta").toArray();
    return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)]));
  }

  /** One row. */
  write<K extends keyof Meta>(key: K, value: Meta[K]): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, JSON.stringify(value));
  }

  /** One row. `v` is the version of the body's lines. */
  addArrival(arrival: { n: number; at: number; plays: number; v: number; seen: Uint8Array<ArrayBuffer> | null; body: Uint8Array }): void {
    const { n, at, plays, v, seen, body } = arrival;
    this.#sql.exec(
      "INSERT INTO arrivals (n, at, plays, v, seen, body) VALUES (?, ?, ?, ?, ?, ?)",
      n,
      at,
      plays,
      v,
      seen,
      body as Uint8Array<ArrayBuffer>,
    );
  }

  /** The next arrivals behind `n`, in order, without their bodies. */
  arrivalsAfter(n: number, most: number): Arrival[] {
    return this.#sql
      .exec<{ n: number; plays: number; bytes: number; v: number }>(
        "SELECT n, plays, length(body) AS bytes, v FROM arrivals WHERE n > ? ORDER BY n LIMIT ?",
        n,
        most,
      )
      .toArray();
  }

  /** How many plays wait behind `n`. */
  playsAfter(n: number): number {
    return this.#sql.exec<{ plays: number }>("SELECT coalesce(sum(plays), 0) AS plays FROM arrivals WHERE n > ?", n).one().plays;
  }

  /** The bodies of arrivals `first` to `last`, in order. */
  bodies(first: number, last: number): Uint8Array[] {
    return this.#sql
      .exec<{ body: ArrayBuffer }>("SELECT body FROM arrivals WHERE n BETWEEN ? AND ? ORDER BY n", first, last)
      .toArray()
      .map((row) => new Uint8Array(row.body));
  }

  /** All arrivals that are kept, oldest first, without their bodies; `seen` is null where a pack has it. */
  arrivals(): KeptArrival[] {
    return this.#sql
      .exec<{ n: number; at: number; bytes: number; seen: ArrayBuffer | null }>(
        "SELECT n, at, length(body) AS bytes, seen FROM arrivals ORDER BY n",
      )
      .toArray()
      .map((row) => ({ ...row, seen: row.seen && new Uint8Array(row.seen) }));
  }

  /** Adds a pack. One row. `until` is when its youngest entry was seen. Returns its id. */
  addPack(pack: SortedPack, until: number): number {
    this.#sql.exec("INSERT INTO seen_packs (until, entries, filter) VALUES (?, ?, ?)", until, pack.entries, pack.filter);
    return this.#sql.exec<{ id: number }>("SELECT last_insert_rowid() AS id").one().id;
  }

  /** Notes that packs have what was seen of all arrivals. A row each: confirmed ones go, the others lose what the packs have now. */
  clearSeen(confirmed: [number, number][]): void {
    for (const [first, last] of confirmed) this.#sql.exec("DELETE FROM arrivals WHERE n BETWEEN ? AND ?", first, last);
    this.#sql.exec("UPDATE arrivals SET seen = NULL WHERE seen IS NOT NULL");
  }

  /** Deletes confirmed arrivals that a pack has already; the others go with the next pack. */
  dropPacked(first: number, last: number): void {
    this.#sql.exec("DELETE FROM arrivals WHERE n BETWEEN ? AND ? AND seen IS NULL", first, last);
  }

  /** The newest packs' filters, as many as have room, and whether there are more. */
  filters(maxBytes: number): { filters: PackFilter[]; more: boolean } {
    const filters: PackFilter[] = [];
    let bytes = 0;
    for (const row of this.filtersBelow(Number.MAX_SAFE_INTEGER)) {
      bytes += row.filter.length;
      if (bytes > maxBytes && filters.length > 0) return { filters, more: true };
      filters.push(row);
    }
    return { filters, more: false };
  }

  /** The filters of the packs older than one, newest first, read as they are asked for. */
  *filtersBelow(id: number): Iterable<PackFilter> {
    const rows = this.#sql.exec<{ id: number; filter: ArrayBuffer }>("SELECT id, filter FROM seen_packs WHERE id < ? ORDER BY id DESC", id);
    for (const row of rows) yield { id: row.id, filter: new Uint8Array(row.filter) };
  }

  packEntries(id: number): Uint8Array {
    const row = this.#sql.exec<{ entries: ArrayBuffer }>("SELECT entries FROM seen_packs WHERE id = ?", id).toArray()[0];
    return new Uint8Array(row?.entries ?? new ArrayBuffer(0));
  }

  /** Drops the packs whose youngest entry no door lets in any more. Returns their ids. */
  dropPacksBefore(time: number): number[] {
    return this.#sql
      .exec<{ id: number }>("DELETE FROM seen_packs WHERE until < ? RETURNING id", time)
      .toArray()
      .map((row) => row.id);
  }

  /** One row, and one for each older row that the limit pushes out. */
  addRefused(records: RefusedRecord[], most: number): void {
    const kept = records.slice(-most);
    this.#sql.exec("INSERT INTO refused (records, body) VALUES (?, ?)", kept.length, JSON.stringify(kept));
    this.#sql.exec(
      `DELETE FROM refused WHERE n IN (
         SELECT n FROM (SELECT n, coalesce(sum(records) OVER (ORDER BY n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS newer FROM refused)
         WHERE newer >= ?)`,
      most,
    );
  }

  /** The refused records that are kept, newest first. */
  refused(): RefusedRecord[] {
    return this.#sql
      .exec<{ body: string }>("SELECT body FROM refused ORDER BY n DESC")
      .toArray()
      .flatMap((row) => (JSON.parse(row.body) as RefusedRecord[]).reverse());
  }
}
