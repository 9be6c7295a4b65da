/** How a metric is kept and shown. */
export interface MetricDefinition {
  type: "counter" | "gauge" | "histogram";
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram's buckets, rising, in the metric's unit. */
  bounds?: readonly number[];
  /** So many of what is stored make one of the metric's unit: whole milliseconds make exact sums of seconds. */
  storedPerUnit?: number;
}

const DURATION_BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/**
 * What `/metrics` shows. All of it is read from D1 and from the queues, nothing from an isolate's memory: so every isolate answers the
 * same. Label values are few and known beforehand: never an id.
 */
export const METRICS = {
  telemetry_events_ingested_total: {
    type: "counter",
    help: "Events that came in, by what became of them at the door. Counted when they reach the database, each once.",
    labels: ["event_type", "status"],
  },
  telemetry_events_processed_total: {
    type: "counter",
    help: "Events that the consumer recorded (success), each once, or put among the dead letters (failure).",
    labels: ["event_type", "status"],
  },
  telemetry_batch_size: {
    type: "histogram",
    help: "Accepted events of a request.",
    labels: [],
    bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500],
  },
  telemetry_event_age_seconds: {
    type: "histogram",
    help: "Age of an accepted event when it came in: the server's time less the end that its device reported; below 0 counts as 0.",
    labels: [],
    bounds: [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 604_800],
    storedPerUnit: 1000,
  },
  telemetry_worker_processing_duration_ms: {
    type: "histogram",
    help: "How long the consumer took for a batch, from taking it to its transaction's last statement; for each type of event in it.",
    labels: ["event_type"],
    bounds: DURATION_BOUNDS_MS,
  },
  telemetry_aggregation_duration_ms: {
    type: "histogram",
    help: "How long it took to sum up events and write the sums.",
    labels: ["aggregate_type"],
    bounds: DURATION_BOUNDS_MS,
  },
  analytics_query_duration_ms: {
    type: "histogram",
    help: "How long reports and analytics took to answer.",
    labels: ["query_type"],
    bounds: DURATION_BOUNDS_MS,
  },
  telemetry_worker_lag_messages: {
    type: "gauge",
    help: "Messages that wait in a queue of plays.",
    labels: ["partition"],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
type NameOf<T extends MetricDefinition["type"]> = { [N in MetricName]: (typeof METRICS)[N]["type"] extends T ? N : never }[MetricName];
export type CounterName = NameOf<"counter">;
export type HistogramName = NameOf<"histogram">;
/** Histograms of milliseconds. */
export type DurationName = Extract<HistogramName, `${string}_duration_ms`>;

const definitions: Record<MetricName, MetricDefinition> = METRICS;

/**
 * What happened, to be added to the stored metrics. A series is stored under its name and label values, joined by `|`; a histogram's has
 * the bucket's bound behind that, or `sum`. Buckets are stored each by itself, not added up.
 */
export class MetricDeltas {
  readonly #values: Record<string, number> = {};
  readonly #timers: [series: string, startedAt: number][] = [];

  /** @param labels the values of the metric's labels, in their order */
  count(name: CounterName, labels: readonly string[], times = 1): void {
    this.#add(seriesOf(name, labels), times);
  }

  observe(observations: Observations, labels: readonly string[]): void {
    const series = seriesOf(observations.name, labels);
    for (const [bucket, value] of observations.values()) this.#add(`${series}|${bucket}`, value);
  }

  /**
   * Observes what began at `startedAt` (ms) and ends with the transaction that this is written in. The database reads the clock, in the
   * last statement: the transaction's own time is in it, and no timing is lost or written on its own.
   */
  timeUntilWritten(name: DurationName, labels: readonly string[], startedAt: number): void {
    this.#timers.push([seriesOf(name, labels), startedAt]);
  }

  /** The statement that adds all of it: one row written. It goes at the end of a `batch()`. None where nothing happened. */
  statements(db: D1Database): D1PreparedStatement[] {
    if (Object.keys(this.#values).length + this.#timers.length === 0) return [];
    const values = [JSON.stringify(this.#values), JSON.stringify(this.#timers), JSON.stringify(DURATION_BOUNDS_MS)];
    return [db.prepare(ADD).bind(...values)];
  }

  #add(series: string, value: number): void {
    this.#values[series] = (this.#values[series] ?? 0) + value;
  }
}

const INFINITE = "inf";

/** Adds to the stored values. A clock that runs behind the Worker's makes a duration of 0, never less. */
const ADD = `WITH timed AS (
    SELECT value ->> 0 AS series, CAST(max(0, round(unixepoch('subsec') * 1000) - (value ->> 1)) AS INTEGER) AS ms FROM json_each(?2))
  UPDATE metrics SET values_json = (SELECT json_group_object(series, total) FROM (SELECT series, sum(value) AS total FROM (
      SELECT key AS series, value FROM json_each((SELECT values_json FROM metrics WHERE id = 1))
      UNION ALL SELECT key, value FROM json_each(?1)
      UNION ALL SELECT series || '|sum', ms FROM timed
      UNION ALL SELECT series || '|' || coalesce((SELECT min(value) FROM json_each(?3) WHERE value >= ms), '${INFINITE}'), 1 FROM timed
    ) GROUP BY series)) WHERE id = 1`;

function seriesOf(name: MetricName, labels: readonly string[]): string {
  return [name, ...labels.map(labelText)].join("|");
}

const MAX_LABEL_CHARS = 32;

/** A label's value: lower case, and nothing in it that a series' name could be mistaken for. */
function labelText(value: string): string {
  return value
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "_")
    .slice(0, MAX_LABEL_CHARS);
}

/** Observations of one series, gathered cheaply: for what is observed of every event. */
export class Observations {
  readonly #bounds: readonly number[];
  readonly #times: number[] = [];
  #sum = 0;

  constructor(readonly name: HistogramName) {
    const { bounds = [], storedPerUnit = 1 } = definitions[name];
    this.#bounds = bounds.map((bound) => bound * storedPerUnit);
  }

  /** @param value in the unit in which the metric is stored */
  add(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.#times[bucket] = (this.#times[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** What they add to the series, by what stands behind its labels. */
  *values(): Generator<[bucket: string, value: number]> {
    const { bounds = [] } = definitions[this.name];
    for (const [bucket, times] of this.#times.entries()) if (times) yield [String(bounds[bucket] ?? INFINITE), times];
    if (this.#times.length > 0) yield ["sum", this.#sum];
  }
}

/** All that was ever added, by series. */
export type StoredMetrics = Record<string, number>;

export async function readMetrics(db: D1Database): Promise<StoredMetrics> {
  const row = await db.prepare("SELECT values_json FROM metrics WHERE id = 1").first<{ values_json: string }>();
  return JSON.parse(row?.values_json ?? "{}") as StoredMetrics;
}

/** A figure that is read at the moment: label values in their order, and the value. */
export type Reading = [labels: readonly string[], value: number];

/** The media type of the text format that {@link renderMetrics} writes. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Writes metrics in Prometheus' text format 0.0.4, in the order of {@link METRICS}. Pure.
 * @param now what is no stored series: gauges, and counters that are read elsewhere, which add to the stored ones
 */
export function renderMetrics(stored: StoredMetrics, now: Partial<Record<NameOf<"counter" | "gauge">, Reading[]>>): string {
  const lines: string[] = [];
  for (const [name, definition] of Object.entries(definitions) as [MetricName, MetricDefinition][]) {
    lines.push(`# HELP ${name} ${definition.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${definition.type}`);
    const readings = Object.entries(now).find(([one]) => one === name)?.[1] ?? [];
    lines.push(...(definition.type === "histogram" ? histogramLines(name, stored) : plainLines(name, stored, readings)));
  }
  return `${lines.join("\n")}\n`;
}

/** The stored values of a metric: label values (and what stands behind them), and the value. In the order of the labels. */
function valuesOf(name: MetricName, stored: StoredMetrics): [labels: string[], value: number][] {
  return Object.entries(stored)
    .map(([series, value]): [string[], number] => [series.split("|"), value])
    .filter(([parts]) => parts[0] === name)
    .map(([parts, value]): [string[], number] => [parts.slice(1), value])
    .sort(([a], [b]) => (a.join("|") < b.join("|") ? -1 : 1));
}

function plainLines(name: MetricName, stored: StoredMetrics, readings: Reading[]): string[] {
  const values = new Map<string, number>();
  for (const [labels, value] of [...valuesOf(name, stored), ...readings]) {
    const text = labelsText(definitions[name].labels, labels);
    values.set(text, (values.get(text) ?? 0) + value);
  }
  return [...values].map(([text, value]) => `${name}${text} ${value}`);
}

function histogramLines(name: MetricName, stored: StoredMetrics): string[] {
  const { labels: labelNames, bounds = [], storedPerUnit = 1 } = definitions[name];
  const byLabels = Map.groupBy(valuesOf(name, stored), ([parts]) => JSON.stringify(parts.slice(0, -1)));
  return [...byLabels].flatMap(([key, values]) => {
    const labels = JSON.parse(key) as string[];
    const buckets = values.flatMap(([parts, times]): [number, number][] => {
      const last = parts.at(-1) ?? "";
      return last === "sum" ? [] : [[last === INFINITE ? Number.POSITIVE_INFINITY : Number(last), times]];
    });
    const upTo = (bound: number) => buckets.reduce((sum, [one, times]) => (one <= bound ? sum + times : sum), 0);
    const sum = (values.find(([parts]) => parts.at(-1) === "sum")?.[1] ?? 0) / storedPerUnit;
    const bucketLine = (bound: number, le: string) => `${name}_bucket${labelsText([...labelNames, "le"], [...labels, le])} ${upTo(bound)}`;
    return [
      ...bounds.map((bound) => bucketLine(bound, String(bound))),
      bucketLine(Number.POSITIVE_INFINITY, "+Inf"),
      `${name}_sum${labelsText(labelNames, labels)} ${sum}`,
      `${name}_count${labelsText(labelNames, labels)} ${upTo(Number.POSITIVE_INFINITY)}`,
    ];
  });
}

function labelsText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${names.map((name, at) => `${name}="${escaped(values[at] ?? "")}"`).join(",")}}`;
}
