import type pg from "pg";
import { type EpochState, noteAccepted, useEpoch } from "../../../src/plays/sequencer/sequence.ts";
import type { PlaybackLog, Store, Verdict } from "./judge.ts";
import type { Proof } from "./verify.ts";

export interface Device {
  id: string;
  status: string;
  token_family_id: string;
  requests_per_minute: number;
  store: Store | null;
}

/** What the server reads once and keeps in memory: an honest server would refresh it each minute. */
export interface Catalogue {
  devices: Map<string, Device>;
  campaigns: Set<string>;
  content: Map<string, number | null>;
}

export async function loadCatalogue(pool: pg.Pool): Promise<Catalogue> {
  const rows = async <T extends pg.QueryResultRow>(sql: string) => (await pool.query<T>(sql)).rows;
  const stores = new Map((await rows<Store>("SELECT * FROM stores")).map((store) => [store.id, store]));
  const devices = await rows<Omit<Device, "store"> & { store_id: string | null }>("SELECT * FROM devices");
  return {
    devices: new Map(devices.map((device) => [device.id, { ...device, store: stores.get(device.store_id ?? "") ?? null }])),
    campaigns: new Set((await rows<{ id: string }>("SELECT id FROM campaigns")).map(({ id }) => id)),
    content: new Map(
      (await rows<{ id: string; duration_ms: number | null }>("SELECT * FROM content")).map(({ id, duration_ms }) => [id, duration_ms]),
    ),
  };
}

/** A log that is let in, as far as it is known before the database has spoken. */
export interface Candidate {
  index: number;
  log: PlaybackLog;
  proof: Proof;
}

export interface Judged extends Candidate {
  verdict: Verdict;
}

export interface Kept {
  /** Ids that were new. */
  fresh: Set<string>;
  /** Hashes of those that were there before. */
  known: Map<string, string>;
  refused: { index: number; code: string }[];
  epochs: EpochState[];
}

const INSERT = `
WITH given AS (
  SELECT * FROM unnest($5::uuid[], $6::date[], $7::uuid[], $8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::int[], $14::int[],
    $15::text[], $16::boolean[], $17::int[], $18::text[], $19::text[], $20::bigint[], $21::bytea[], $22::text[], $23::bytea[])
  AS g(event_id, day, campaign_id, content_id, started_raw, ended_raw, started, ended, duration_ms, expected_ms, result, billable, quality, flags, epoch,
    sequence, record_hash, record, signature)
), kept AS (
  INSERT INTO plays (device_id, event_id, day, store_id, supplier_id, campaign_id, content_id, started_at_raw, ended_at_raw, started_at, ended_at,
    received_at, duration_ms, expected_ms, result, billable, quality, flags, epoch, sequence, record_hash, key_id, correlation_id, record, signature)
  SELECT $1, event_id, day, $2, $3, campaign_id, content_id, to_timestamp(started_raw / 1000.0), to_timestamp(ended_raw / 1000.0),
    to_timestamp(started / 1000.0), to_timestamp(ended / 1000.0), to_timestamp($4 / 1000.0), duration_ms, expected_ms, result, billable, quality, flags,
    epoch, sequence, record_hash, $24, $25, record, signature
  FROM given ON CONFLICT DO NOTHING
  RETURNING event_id, day, campaign_id, content_id, started_at, result, billable, duration_ms
), hourly AS (
  INSERT INTO plays_hourly (day, hour, campaign_id, supplier_id, store_id, content_id, plays_count, completed_count, partial_count, other_count,
    billable_count, total_duration_ms)
  SELECT day, floor(extract(epoch FROM started_at) / 3600)::bigint, coalesce(campaign_id::text, ''), coalesce($3::text, ''), coalesce($2::text, ''),
    content_id::text, count(*), count(*) FILTER (WHERE result = 'COMPLETED'), count(*) FILTER (WHERE result = 'PARTIAL'),
    count(*) FILTER (WHERE result NOT IN ('COMPLETED', 'PARTIAL')), count(*) FILTER (WHERE billable), sum(duration_ms)
  FROM kept GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (day, hour, campaign_id, supplier_id, store_id, content_id) DO UPDATE SET
    plays_count = plays_hourly.plays_count + excluded.plays_count, completed_count = plays_hourly.completed_count + excluded.completed_count,
    partial_count = plays_hourly.partial_count + excluded.partial_count, other_count = plays_hourly.other_count + excluded.other_count,
    billable_count = plays_hourly.billable_count + excluded.billable_count,
    total_duration_ms = plays_hourly.total_duration_ms + excluded.total_duration_ms
), activity AS (
  INSERT INTO device_activity_daily (day, device_id, plays_count, billable_count, total_duration_ms)
  SELECT day, $1, count(*), count(*) FILTER (WHERE billable), sum(duration_ms) FROM kept GROUP BY day
  ON CONFLICT (day, device_id) DO UPDATE SET plays_count = device_activity_daily.plays_count + excluded.plays_count,
    billable_count = device_activity_daily.billable_count + excluded.billable_count,
    total_duration_ms = device_activity_daily.total_duration_ms + excluded.total_duration_ms
), sequenced AS (
  INSERT INTO sequences (device_id, epochs) VALUES ($1, $26) ON CONFLICT (device_id) DO UPDATE SET epochs = excluded.epochs
)
SELECT event_id FROM kept`;

/**
 * Keeps the logs of one request in one transaction and returns after its COMMIT. The device's row of sequence numbers is locked first, so
 * that requests of one device follow one another, on however many processes.
 */
export async function keep(
  pool: pg.Pool,
  request: { device: Device; receivedAt: number; keyId: string; correlationId: string },
  candidates: Candidate[],
  decide: (candidate: Candidate, epochs: EpochState[]) => Verdict | string,
): Promise<Kept> {
  const { device } = request;
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const locked = await client.query<{ epochs: EpochState[] }>({
      name: "sequence",
      text: "SELECT epochs FROM sequences WHERE device_id = $1 FOR UPDATE",
      values: [device.id],
    });
    const epochs = locked.rows[0]?.epochs ?? [];
    const refused: Kept["refused"] = [];
    const judged: Judged[] = [];
    for (const candidate of candidates) {
      const verdict = decide(candidate, epochs);
      if (typeof verdict === "string") refused.push({ index: candidate.index, code: verdict });
      else {
        judged.push({ ...candidate, verdict });
        const { sequence, epoch } = candidate.log;
        if (sequence !== undefined) noteAccepted(useEpoch(epochs, epoch ?? "0"), sequence);
      }
    }
    const inserted = await client.query<{ event_id: string }>({ name: "insert", text: INSERT, values: values(request, judged, epochs) });
    const fresh = new Set(inserted.rows.map(({ event_id }) => event_id));
    const missing = judged.filter(({ log }) => !fresh.has(log.log_id)).map(({ log }) => log.log_id);
    const known = missing.length === 0 ? new Map<string, string>() : await knownHashes(client, device.id, missing);
    if (refused.length > 0)
      await countRefusals(
        client,
        device.id,
        request.receivedAt,
        refused.map(({ code }) => code),
      );
    await client.query("COMMIT");
    return { fresh, known, refused, epochs };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

function values(
  request: { device: Device; receivedAt: number; keyId: string; correlationId: string },
  judged: Judged[],
  epochs: EpochState[],
): unknown[] {
  const column = <T>(of: (one: Judged) => T) => judged.map(of);
  const { device } = request;
  return [
    device.id,
    device.store?.id ?? null,
    device.store?.supplier_id ?? null,
    request.receivedAt,
    column(({ log }) => log.log_id),
    column(({ verdict }) => verdict.day),
    column(({ log }) => log.campaign_id ?? null),
    column(({ log }) => log.content_id),
    column(({ verdict }) => verdict.startedAtRaw),
    column(({ verdict }) => verdict.endedAtRaw),
    column(({ verdict }) => verdict.startedAt),
    column(({ verdict }) => verdict.endedAt),
    column(({ verdict }) => verdict.durationMs),
    column(({ verdict }) => verdict.expectedMs),
    column(({ verdict }) => verdict.result),
    column(({ verdict }) => verdict.billable),
    column(({ verdict }) => verdict.quality),
    column(({ verdict }) => verdict.flags.join(",")),
    column(({ log }) => log.epoch ?? "0"),
    column(({ log }) => log.sequence ?? null),
    column(({ proof }) => proof.recordHash),
    column(({ proof }) => proof.record),
    column(({ proof }) => proof.signature),
    request.keyId,
    request.correlationId,
    JSON.stringify(epochs),
  ];
}

async function knownHashes(client: pg.PoolClient, deviceId: string, ids: string[]): Promise<Map<string, string>> {
  const { rows } = await client.query<{ event_id: string; hash: string }>({
    name: "known",
    text: "SELECT event_id, encode(record_hash, 'hex') AS hash FROM plays WHERE device_id = $1 AND event_id = ANY($2::uuid[])",
    values: [deviceId, ids],
  });
  return new Map(rows.map(({ event_id, hash }) => [event_id, hash]));
}

/** Counts refused logs by hour and reason. */
export async function countRefusals(client: pg.PoolClient | pg.Pool, deviceId: string, now: number, codes: string[]): Promise<void> {
  for (const code of new Set(codes)) {
    await client.query({
      name: "refusal",
      text: `INSERT INTO refusals_hourly (hour, device_id, code, count) VALUES ($1, $2, $3, $4)
        ON CONFLICT (hour, device_id, code) DO UPDATE SET count = refusals_hourly.count + excluded.count`,
      values: [Math.floor(now / 3_600_000), deviceId, code, codes.filter((one) => one === code).length],
    });
  }
}
