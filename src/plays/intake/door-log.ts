import { hashId, log, logs } from "../../platform/log.ts";

/** Of a record of a request: what became of it. */
interface RecordOutcome {
  index: number;
  status: "accepted" | "duplicate" | "rejected" | "sampled";
  /** Why it was refused. */
  code?: string;
}

/** A request at a door, for its log lines. */
export interface LoggedRequest {
  correlationId: string;
  door: string;
  /** The device's id, or what a reporter calls it; logged as a keyed hash. */
  deviceId: string;
  /** The type of each record, by its place; absent: all are plays. */
  eventTypes?: readonly string[];
}

/** What came of a request that was answered: a line a batch, one for each reason of refusal, and one for each event where those are asked for. */
export async function logRequest(
  env: Pick<Env, "HASH_SECRET">,
  { correlationId, door, deviceId, eventTypes }: LoggedRequest,
  records: readonly RecordOutcome[],
): Promise<void> {
  const codes = new Map<string, number>();
  const counts = { accepted: 0, duplicate: 0, rejected: 0, sampled: 0 };
  for (const { status, code = "" } of records) {
    counts[status] += 1;
    if (status === "rejected") codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  const known = { correlation_id: correlationId, door };
  if (records.length > 1) {
    const { accepted, duplicate: duplicates, rejected, sampled } = counts;
    log("info", "batch processed", { ...known, accepted, duplicates, rejected, ...(sampled > 0 ? { sampled } : {}) });
  }
  if (codes.size === 0 && !logs("debug")) return;
  const device = await hashId(env.HASH_SECRET, deviceId);
  for (const [reason, count] of codes) log("warn", "event rejected", { ...known, device, reason, count });
  if (!logs("debug")) return;
  for (const { index, status } of records) {
    if (status === "rejected") continue;
    const message = status === "sampled" ? "event sampled" : "event ingested";
    log("debug", message, { ...known, device, index, status, event_type: eventTypes?.[index] ?? "play" });
  }
}

/** Who sends a request, for log lines. Its ids are logged as keyed hashes. */
export interface LoggedCaller {
  correlationId: string;
  /** The token's family, or the token's id. */
  tokenId: string;
  deviceId: string;
  /** The path that was called. */
  endpoint: string;
}

/** A request that was turned away for coming too often. */
export async function logRateExceeded(
  env: Pick<Env, "HASH_SECRET">,
  { correlationId, tokenId, deviceId, endpoint }: LoggedCaller,
): Promise<void> {
  log("warn", "rate limit exceeded", {
    correlation_id: correlationId,
    token: await hashId(env.HASH_SECRET, tokenId),
    device: await hashId(env.HASH_SECRET, deviceId),
    endpoint,
  });
}
