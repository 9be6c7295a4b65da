import { log, logs } from "../../platform/log.ts";
import { MetricDeltas, Observations } from "../../platform/metrics.ts";
import { toIso } from "../../platform/time.ts";
import type { Chunk } from "../chunk.ts";
import type { PlayColumns } from "../columns.ts";
import { cell } from "../packed.ts";
import type { Sums } from "./sums.ts";

/** An event in a chunk, as the metrics see it: when it came in, and when it happened by its player's clock (ms). */
interface MeteredEvent {
  type: string;
  received_at: number;
  at: number;
  correlation_id: string;
}

/** A chunk, with the telemetry in it where it carries any. */
interface MeteredChunk extends Pick<Chunk, "header"> {
  plays: Pick<PlayColumns, "type" | "received_at" | "correlation_id" | "ended_at_raw">;
  telemetry?: readonly MeteredEvent[];
}

/** Plays that the platform makes of starts that nothing ended: recorded, but nobody sent them. */
const MADE_HERE = "PLAY_TIMEOUT";
/** The code under which events are counted, beside the refusals, that were left out to spare the pipeline: `play_progress` only. */
const SAMPLED = "SAMPLED";

/**
 * What a commit of chunks adds to the metrics. Pure.
 * @param takenAt when the consumer took them, `summingFrom` when it began to sum them up (ms)
 */
export function commitMetrics(
  chunks: MeteredChunk[],
  { refusals }: Pick<Sums, "refusals">,
  { takenAt, summingFrom }: { takenAt: number; summingFrom: number },
): MetricDeltas {
  const deltas = new MetricDeltas();
  const sent = new Sent();
  const recorded = new Map<string, number>();
  const note = (deviceId: string, type: string, receivedAt: number, correlationId: string, at: number) => {
    recorded.set(type, (recorded.get(type) ?? 0) + 1);
    if (type !== MADE_HERE) sent.add(deviceId, type, receivedAt, correlationId, at);
  };
  for (const { header, plays, telemetry = [] } of chunks) {
    plays.type.forEach((type, at) => {
      note(header.device_id, type, cell(plays.received_at, at), cell(plays.correlation_id, at), cell(plays.ended_at_raw, at));
    });
    for (const { type, received_at, correlation_id, at } of telemetry) note(header.device_id, type, received_at, correlation_id, at);
  }
  for (const [type, count] of recorded) {
    deltas.count("telemetry_events_processed_total", [type, "success"], count);
    deltas.timeUntilWritten("telemetry_worker_processing_duration_ms", [type], takenAt);
  }
  sent.into(deltas);
  for (const { door, code, count } of refusals) {
    if (code === SAMPLED) deltas.count("telemetry_events_ingested_total", ["play_progress", "sampled"], count);
    else deltas.count("telemetry_events_ingested_total", [refusedType(door), "rejected"], count);
  }
  if (recorded.size > 0) deltas.timeUntilWritten("telemetry_aggregation_duration_ms", ["hourly"], summingFrom);
  return deltas;
}

/** What came in: events by type, their ages, and how many each request brought. */
class Sent {
  readonly #types = new Map<string, number>();
  readonly #ages = new Observations("telemetry_event_age_seconds");
  readonly #requests = new Map<string, { size: number }>();
  #last = { deviceId: "", receivedAt: Number.NaN, correlationId: "", request: { size: 0 } };

  add(deviceId: string, type: string, receivedAt: number, correlationId: string, at: number): void {
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1);
    this.#ages.add(Math.max(0, receivedAt - at));
    const { deviceId: lastDevice, receivedAt: lastTime, correlationId: lastId } = this.#last;
    // The events of a request follow one another, mostly: its name is written once.
    if (lastTime !== receivedAt || lastId !== correlationId || lastDevice !== deviceId) {
      const key = `${deviceId}|${receivedAt}|${correlationId}`;
      const request = this.#requests.get(key) ?? { size: 0 };
      this.#requests.set(key, request);
      this.#last = { deviceId, receivedAt, correlationId, request };
    }
    this.#last.request.size += 1;
  }

  into(deltas: MetricDeltas): void {
    for (const [type, count] of this.#types) deltas.count("telemetry_events_ingested_total", [type, "accepted"], count);
    deltas.observe(this.#ages, []);
    const sizes = new Observations("telemetry_batch_size");
    for (const { size } of this.#requests.values()) sizes.add(size);
    deltas.observe(sizes, []);
  }
}

/** The type under which a door's refused records count: they travel as counts by door and reason, and some are of no type at all. */
function refusedType(door: string): string {
  return door === "playback-log" || door === "impression" || door === "stream" ? "play" : door;
}

/** Tells which sums a commit added to, once it holds. */
export function logAggregates({ hourly }: Pick<Sums, "hourly">): void {
  if (!logs("debug")) return;
  const plays = new Map<number, number>();
  for (const { hour, plays_count } of hourly) plays.set(hour, (plays.get(hour) ?? 0) + plays_count);
  for (const [hour, count] of plays) log("debug", "aggregate updated", { type: "hourly", bucket: toIso(hour), plays: count });
}
