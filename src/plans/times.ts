/** Stretches of time [from, to) in milliseconds since 1970, in order, none touching another. */
export type Times = [number, number][];

/** Stretches in any order as {@link Times}: those made one that touch or overlap. */
export function joined(times: readonly [number, number][]): Times {
  const result: Times = [];
  for (const [from, to] of [...times].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** What of these times lies in [`begin`, `end`). */
export function within(times: readonly [number, number][], begin: number, end: number): Times {
  return times.flatMap(([from, to]): Times => {
    const cut: [number, number] = [Math.max(from, begin), Math.min(to, end)];
    return cut[0] < cut[1] ? [cut] : [];
  });
}

/** What of these times lies in none of `taken`, which are in order. */
export function without(times: readonly [number, number][], taken: readonly [number, number][]): Times {
  const result: Times = [];
  let left = -Infinity;
  for (const [from, to] of [...taken, [Infinity, Infinity]] as const) {
    result.push(...within(times, left, from));
    left = Math.max(left, to);
  }
  return result;
}
