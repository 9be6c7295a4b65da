export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  type: string;
  help: string;
  samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/gy;

/**
 * Reads Prometheus' text format 0.0.4 as strictly as its own tool does, and more: each family has HELP, then TYPE, then its samples and
 * stands once; no sample stands twice; counters end in `_total`; a histogram's buckets rise, end with `+Inf`, and agree with `_count`.
 * @throws Error where the text breaks a rule.
 */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind = "", name = "", rest = ""] = comment;
      if (kind === "HELP") {
        if (families.has(name)) throw new Error(`${name} stands twice`);
        families.set(name, { type: "", help: rest, samples: [] });
        current = name;
      } else {
        const family = families.get(name);
        if (name !== current || !family || family.type !== "") throw new Error(`TYPE of ${name} is not behind its HELP`);
        if (!["counter", "gauge", "histogram"].includes(rest)) throw new Error(`${name} has no type ${rest}`);
        family.type = rest;
      }
      continue;
    }
    const sample = readSample(line);
    const family = families.get(current);
    const suffixes = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    if (!family || family.type === "" || !suffixes.some((suffix) => sample.name === current + suffix))
      throw new Error(`${sample.name} is no sample of ${current}`);
    if (family.samples.some((one) => keyOf(one) === keyOf(sample))) throw new Error(`${line} stands twice`);
    family.samples.push(sample);
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function readSample(line: string): Sample {
  const [, name, inside, number] = SAMPLE.exec(line) ?? [];
  if (!name || number === undefined) throw new Error(`no sample: ${line}`);
  const value = number === "+Inf" ? Number.POSITIVE_INFINITY : Number(number);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  const labels: Record<string, string> = {};
  if (inside !== undefined) {
    let end = 0;
    for (const match of inside.matchAll(LABEL)) {
      const [whole, label = "", text = ""] = match;
      if (label in labels) throw new Error(`a label stands twice: ${line}`);
      labels[label] = text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
      end = match.index + whole.length;
    }
    if (end !== inside.length) throw new Error(`labels cannot be read: ${line}`);
  }
  return { name, labels, value };
}

function keyOf({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function checkFamily(name: string, { type, samples }: Family): void {
  if (type === "") throw new Error(`${name} has no TYPE`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${type} and should not be called so`);
  if (samples.some(({ value }) => type !== "gauge" && value < 0)) throw new Error(`${name} is below 0`);
  if (type !== "histogram") return;
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(Object.entries(labels).sort()));
  for (const [key, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le)));
    const rising = buckets.every(
      ({ value }, at) => at === 0 || ((bounds[at] ?? 0) > (bounds[at - 1] ?? 0) && value >= (buckets[at - 1]?.value ?? 0)),
    );
    const counts = own.filter((sample) => sample.name === `${name}_count`);
    const sums = own.filter((sample) => sample.name === `${name}_sum`);
    if (!rising || bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name}${key}: the buckets do not rise to +Inf`);
    if (counts.length !== 1 || sums.length !== 1 || counts[0]?.value !== buckets.at(-1)?.value)
      throw new Error(`${name}${key}: _count and _sum do not agree with the buckets`);
  }
}

/** A sample's value; null where there is none. */
export function sampleOf(families: Map<string, Family>, sample: string, labels: Record<string, string>): number | null {
  const wanted = keyOf({ name: sample, labels, value: 0 });
  for (const { samples } of families.values()) {
    const found = samples.find((one) => keyOf(one) === wanted);
    if (found) return found.value;
  }
  return null;
}
