/** The value below which `share` of the ascending values lie (nearest rank). Zero where there are none. */
export function quantile(ascending: number[], share: number): number {
  if (ascending.length === 0) return 0;
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? 0;
}

/** The middle value; the mean of the two middle ones where their number is even. */
export function median(values: number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  const half = ascending.length / 2;
  if (ascending.length === 0) return 0;
  if (ascending.length % 2 === 1) return ascending[Math.floor(half)] ?? 0;
  return ((ascending[half - 1] ?? 0) + (ascending[half] ?? 0)) / 2;
}

/** A number as people read it: three significant digits, or whole from a hundred up. */
export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export interface Row {
  /** Which row: stays the same between versions, so that two runs can be compared. */
  id: string;
  what: string;
  value: number;
  unit: string;
  /** What it should be: at least, or at most. */
  target?: { atLeast: number } | { atMost: number };
  note?: string;
}

/** The rows of several runs as one: medians, with the least and the most in the note. */
export function mergeRuns(runs: Row[][]): Row[] {
  const [first = []] = runs;
  if (runs.length < 2) return first;
  return first.map((row) => {
    const values = runs.flatMap((run) => run.filter(({ id }) => id === row.id).map(({ value }) => value));
    const spread = `${values.length} runs, ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;
    return { ...row, value: median(values), note: row.note ? `${row.note}; ${spread}` : spread };
  });
}

/** Whether the row reaches its target: null where it has none. */
export function reached({ value, target }: Row): boolean | null {
  if (!target) return null;
  return "atLeast" in target ? value >= target.atLeast : value <= target.atMost;
}

/** A row as a line of a table for people; `before` is the same row of an earlier run. */
export function rowForPeople(row: Row, before?: Row): Record<string, string> {
  const ok = reached(row);
  const limit = !row.target ? "" : "atLeast" in row.target ? `>= ${figure(row.target.atLeast)}` : `<= ${figure(row.target.atMost)}`;
  return {
    what: row.what,
    value: `${figure(row.value)} ${row.unit}`,
    target: limit,
    reached: ok === null ? "" : ok ? "yes" : "NO",
    ...(before
      ? { before: figure(before.value), change: before.value === 0 ? "" : `${figure((row.value / before.value - 1) * 100)} %` }
      : {}),
    note: row.note ?? "",
  };
}
