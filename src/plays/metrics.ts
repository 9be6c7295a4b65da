import { log, logs } from "../platform/log.ts";
import { MetricDeltas, Observations } from "../platform/metrics.ts";
import { toIso } from "../platform/time.ts";
import type { Chunk } from "./chunk.ts";
import type { Sums } from "./sums.ts";

/**
 * What a commit of chunks adds to the metrics. Pure.
 * @param takenAt when the consumer took them, `summingFrom` when it began to sum them up (ms)
 */
export function commitMetrics(
  chunks: Chunk[],
  { refusals }: Pick<Sums, "refusals">,
  { takenAt, summingFrom }: { takenAt: number; summingFrom: number },
): MetricDeltas {
  const deltas = new MetricDeltas();
  const ages = new Observations("telemetry_event_age_seconds");
  const types = new Map<string, number>();
  for (const { plays } of chunks) {
    for (const { play } of plays) {
      types.set(play.type, (types.get(play.type) ?? 0) + 1);
      ages.add(Math.max(0, play.received_at - play.ended_at_raw));
    }
  }
  for (const [type, count] of types) {
    deltas.count("telemetry_events_ingested_total", [type, "accepted"], count);
    deltas.count("telemetry_events_processed_total", [type, "success"], count);
    deltas.timeUntilWritten("telemetry_worker_processing_duration_ms", [type], takenAt);
  }
  for (const { door, count } of refusals) deltas.count("telemetry_events_ingested_total", [refusedType(door), "rejected"], count);
  deltas.observe(ages, []);
  deltas.observe(requestSizes(chunks), []);
  if (types.size > 0) deltas.timeUntilWritten("telemetry_aggregation_duration_ms", ["hourly"], summingFrom);
  return deltas;
}

/** How many plays each request brought. Those of one follow each other in a chunk; a large one may go on in the device's next. */
function requestSizes(chunks: Chunk[]): Observations {
  const sizes = new Map<string, number>();
  for (const { header, plays } of chunks) {
    let [last, size] = ["", 0];
    for (const { play } of plays) {
      const request = `${header.device_id}|${play.received_at}|${play.correlation_id}`;
      if (request !== last) {
        if (size > 0) sizes.set(last, (sizes.get(last) ?? 0) + size);
        [last, size] = [request, 0];
      }
      size += 1;
    }
    if (size > 0) sizes.set(last, (sizes.get(last) ?? 0) + size);
  }
  const observations = new Observations("telemetry_batch_size");
  for (const size of sizes.values()) observations.add(size);
  return observations;
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
