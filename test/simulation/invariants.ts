import { createHash } from "node:crypto";
import { parquetReadObjects } from "hyparquet";
import { CHUNK_VERSION, decodeChunk, encodeChunk } from "../../src/plays/chunk.ts";
import { pendingRows } from "../../src/plays/ledger/daily-sums.ts";
import { endIdOf, type OpenPlaysState, type OpenStart } from "../../src/plays/sequencer/open-plays.ts";
import type { OutboxState } from "../../src/plays/sequencer/outbox.ts";
import { AGGREGATE_COUNTERS, DAILY_SUMS } from "../../src/plays/tables.ts";
import { asyncBufferFrom, compressors } from "../support/parquet.ts";
import type { ObjectHost } from "./fake-object.ts";
import type { Network } from "./network.ts";

/** What must hold at every instant, and what was seen before and must not change. */
export class Watch {
  readonly #recorded = new Map<string, string>();
  /** What each sequencer had accepted when it was known to know of its device's revocation. */
  readonly #acceptedAtRevocation = new Map<string, { accepted: number; open: number }>();

  constructor(private readonly network: Network) {}

  /** Checks all that must hold at any instant. */
  check(): void {
    for (const host of this.network.hosts) this.#checkCounts(host);
    this.#checkNarrow();
    if (this.network.eventRows) {
      this.#checkHeld();
      this.#checkUnchanged();
    }
    this.#checkRevoked();
  }

  /** I1: what a sequencer accepted is what the ledger has of it, and what its outbox holds that the ledger has not. Never more, never less. */
  #checkCounts(host: ObjectHost): void {
    const { world, d1 } = this.network;
    const state = stateOf(host);
    if (!state) return;
    const ledger = d1.rows<{ number: number; plays_count: number }>(
      "SELECT number, plays_count FROM chunk_ledger WHERE device_id = ?",
      host.name,
    );
    const recorded = new Set(ledger.map((row) => row.number));
    const inLedger = ledger.reduce((sum, row) => sum + row.plays_count, 0);
    const held = state.outbox.chunks.reduce((sum, chunk) => sum + (recorded.has(chunk.number) ? 0 : chunk.plays), 0) + state.waiting;
    world.check(
      "I1 accepted = recorded + outbox",
      state.accepted === inLedger + held,
      () => `${host.name}: accepted ${state.accepted}, recorded ${inLedger}, held ${held}`,
    );
  }

  /** I4: the sums by day that leave dimensions out, with what is pending, are those of the hours: after every commit, merge and rollup. */
  #checkNarrow(): void {
    const { world, d1 } = this.network;
    for (const kind of DAILY_SUMS) {
      const key = ["day", ...kind.keys].join(", ");
      const columns = [key, ...AGGREGATE_COUNTERS].join(", ");
      const sums = AGGREGATE_COUNTERS.map((counter) => `sum(${counter})`).join(", ");
      const read = (from: string) =>
        d1
          .rows<{ row: string }>(`SELECT json_array(${key}, ${sums}) AS row FROM (${from}) GROUP BY ${key} ORDER BY ${key}`)
          .map(({ row }) => row);
      const hours = read(`SELECT ${columns} FROM plays_hourly`);
      const narrow = read(`SELECT ${columns} FROM ${kind.table} UNION ALL SELECT ${columns} FROM (${pendingRows(kind)})`);
      world.check(
        `I4 ${kind.table} and what is pending = hours`,
        hours.join() === narrow.join(),
        () => `${hours.length} and ${narrow.length} rows; ${hours.find((row) => !narrow.includes(row))}`,
      );
    }
  }

  /** I1: each play that an answer called accepted is recorded or lies in the outbox. I7: nothing else is recorded. */
  #checkHeld(): void {
    const { world, d1, players, hosts } = this.network;
    const recorded = Map.groupBy(
      d1.rows<{ device_id: string; event_id: string }>("SELECT device_id, event_id FROM proof_of_play_events"),
      (row) => row.device_id,
    );
    for (const [index, player] of players.entries()) {
      const ids = new Set((recorded.get(player.id) ?? []).map((row) => row.event_id));
      const host = hosts[index];
      const outbox = host ? idsInOutbox(host) : new Set<string>();
      for (const play of player.books) {
        if (play.state !== "accepted") continue;
        world.check("I1 no accepted play is lost", ids.has(play.id) || outbox.has(play.id), () => `${play.id} of ${player.id}`);
      }
      const starts = player.books.filter((play) => play.verified.log.type === "PLAY_START");
      const known = new Set([...player.books.map((play) => play.id), ...starts.map((start) => endIdOf(start.id))]);
      for (const id of ids) world.check("I7 only a player's own plays are recorded", known.has(id), () => `${id} for ${player.id}`);
    }
  }

  /** I3: a row that was seen once is there for good, and the same. */
  #checkUnchanged(): void {
    const { world, d1 } = this.network;
    const columns = d1.rows<{ name: string }>("SELECT name FROM pragma_table_xinfo('proof_of_play_events')").map(({ name }) => name);
    const rows = d1.rows<{ key: string; row: string }>(
      `SELECT device_id || ' ' || day || ' ' || event_id AS key, json_array(${columns.join(", ")}) AS row FROM proof_of_play_events`,
    );
    const now = new Map(rows.map(({ key, row }) => [key, row]));
    for (const [key, row] of this.#recorded)
      world.check("I3 recorded plays never change", now.get(key) === row, () => `${row} became ${now.get(key)}`);
    for (const [key, row] of now) this.#recorded.set(key, row);
  }

  /** I7: once its sequencer has heard of the revocation, a device writes nothing. */
  #checkRevoked(): void {
    const { world, d1, hosts } = this.network;
    const rows = d1.rows<{ id: string }>(
      `SELECT d.id FROM devices d WHERE d.status = 'revoked'
       AND EXISTS (SELECT 1 FROM profile_pushes p WHERE p.device_id = d.id)
       AND NOT EXISTS (SELECT 1 FROM profile_pushes p WHERE p.device_id = d.id AND p.acknowledged_at IS NULL)`,
    );
    for (const { id } of rows) {
      const host = hosts.find((one) => one.name === id);
      const state = host ? stateOf(host) : null;
      const { accepted, open } = { accepted: state?.accepted ?? 0, open: state?.starts.length ?? 0 };
      const before = this.#acceptedAtRevocation.get(id) ?? { accepted, open };
      this.#acceptedAtRevocation.set(id, before);
      // But for what the platform makes of the starts that it had let in before.
      const made = before.open - open;
      world.check(
        "I7 a revoked device writes nothing",
        accepted === before.accepted + made,
        () => `${id}: ${before.accepted} became ${accepted}`,
      );
    }
  }
}

interface HeldState {
  accepted: number;
  /** Plays that no chunk holds yet; and requests, also those of telemetry alone. */
  waiting: number;
  arrivals: number;
  outbox: OutboxState;
  refusals: number;
  starts: OpenStart[];
}

/** What an object's storage says, past the object. Null before it was ever called. */
export function stateOf(host: ObjectHost): HeldState | null {
  const { db } = host.storage;
  if (db.query("SELECT 1 FROM sqlite_master WHERE name = 'meta'").all().length === 0) return null;
  const meta = new Map(
    (db.query("SELECT key, value FROM meta").all() as { key: string; value: string }[]).map(({ key, value }) => [key, value]),
  );
  const { head, outbox } = JSON.parse(
    meta.get("state") ?? '{"head":{"accepted":0,"refusals":{}},"outbox":{"nextNumber":1,"sealedThrough":0,"chunks":[]}}',
  ) as { head: { accepted: number; refusals: Record<string, number>; plays?: OpenPlaysState }; outbox: OutboxState };
  const [row] = db
    .query("SELECT coalesce(sum(plays), 0) AS plays, count(*) AS arrivals FROM arrivals WHERE n > ?")
    .all(outbox.sealedThrough) as { plays: number; arrivals: number }[];
  return {
    accepted: head.accepted,
    waiting: row?.plays ?? 0,
    arrivals: row?.arrivals ?? 0,
    outbox,
    refusals: Object.values(head.refusals).reduce((a, b) => a + b, 0),
    starts: head.plays?.starts ?? [],
  };
}

/** Ids of the plays that an object holds and that are not confirmed. */
function idsInOutbox(host: ObjectHost): Set<string> {
  const state = stateOf(host);
  if (!state) return new Set();
  const rows = host.storage.db.query("SELECT n, plays, body FROM arrivals").all() as { n: number; plays: number; body: Uint8Array }[];
  const unconfirmed = rows.filter(
    ({ n }) => n > state.outbox.sealedThrough || state.outbox.chunks.some((chunk) => n >= chunk.first && n <= chunk.last),
  );
  return new Set(unconfirmed.flatMap(({ body, plays }) => idsIn(body, plays)));
}

/** Bodies never change, and are looked at after every step. */
const known = new Map<string, string[]>();

function idsIn(body: Uint8Array, plays: number): string[] {
  const key = createHash("sha1").update(body).digest("base64");
  const ids = known.get(key);
  if (ids) return ids;
  const anyone = { v: CHUNK_VERSION, device_id: crypto.randomUUID(), incarnation: crypto.randomUUID(), number: 1, refusals: [] };
  const found = [...decodeChunk(encodeChunk({ ...anyone, plays }, [new Uint8Array(body)])).plays.event_id];
  known.set(key, found);
  return found;
}

/** A play as the archive has it. */
export interface ArchivedPlay {
  chunk_id: string;
  chunk_index: number;
  device_id: string;
  event_id: string;
  day: string;
  started_at: Date;
  ended_at: Date;
  campaign_id: string | null;
  ad_group_id: string | null;
  supplier_id: string | null;
  store_id: string | null;
  content_id: string | null;
  type: string;
  result: string | null;
  billable: boolean;
  duration_ms: bigint;
  quality: number;
  flags: string | null;
  record: string;
}

/** The plays of the chunks that the ledger names, out of the segments that it names for them; each segment's bytes are checked against its hash. */
export async function readArchive({ world, d1, r2 }: Network): Promise<ArchivedPlay[]> {
  const rows = d1.rows<{ chunk: string; r2_key: string; sha256: string; plays: number }>(
    `SELECT l.device_id || '.' || l.incarnation || '.' || l.number AS chunk, s.r2_key, s.sha256, l.plays_count AS plays
     FROM chunk_ledger l JOIN segments s ON s.id = l.segment_id WHERE l.plays_count > 0`,
  );
  const plays: ArchivedPlay[] = [];
  for (const [key, named] of Map.groupBy(rows, (row) => row.r2_key)) {
    const bytes = r2.objects.get(key)?.bytes;
    if (!bytes) world.check("I3 a segment that counts is there", false, () => key);
    if (!bytes) continue;
    const hash = createHash("sha256").update(bytes).digest("hex");
    world.check("I3 a segment is what was written", hash === named[0]?.sha256, () => key);
    const chunks = new Set(named.map(({ chunk }) => chunk));
    const read = (await parquetReadObjects({ file: asyncBufferFrom(bytes.slice().buffer), compressors })) as unknown as ArchivedPlay[];
    plays.push(...read.filter((row) => chunks.has(row.chunk_id)));
  }
  const expected = rows.reduce((sum, row) => sum + row.plays, 0);
  world.check("I4 the archive has what the ledger counts", plays.length === expected, () => `${plays.length} of ${expected}`);
  return plays;
}
