/** Loops that don't come out even may be made this long so that they do. */
const LOOP_SLOTS = 360;
/** Beyond this, weights give way before the loop grows further. */
const LOOP_SLOTS_MAX = 2000;

/**
 * One round in which each index `i` appears `counts[i]` times, as evenly spread as can be: after any number of places, each
 * has had its share to within less than one. Equal counts come in order.
 *
 * The k-th appearance of `i` may come from place ⌊k·n/count⌋ on and must come before ⌈(k+1)·n/count⌉; of those that may
 * come, the one that must come first does (earliest deadline first, which always succeeds: Baruah et al., "Proportionate
 * progress", 1996).
 */
export function spread(counts: readonly number[]): number[] {
  const places = total(counts);
  const turns = counts.map((count) => turnOf(0, count, places));
  const order: number[] = [];
  for (let place = 0; place < places; place++) {
    let next = 0;
    let nextDeadline = Infinity;
    for (let index = 0; index < turns.length; index++) {
      const turn = turns[index];
      if (turn && turn.release <= place && turn.deadline < nextDeadline) [next, nextDeadline] = [index, turn.deadline];
    }
    turns[next] = turnOf((turns[next]?.times ?? 0) + 1, counts[next] ?? 0, places);
    order.push(next);
  }
  return order;
}

/** The first place that an appearance may come to, and the one that it must come before. After the last there is none. */
function turnOf(times: number, count: number, places: number): { times: number; release: number; deadline: number } {
  if (times === count) return { times, release: Infinity, deadline: Infinity };
  return { times, release: Math.floor((times * places) / count), deadline: Math.ceil(((times + 1) * places) / count) };
}

/**
 * Several loops as one, in which loop `i` has a share of `counts[i]`, evenly spread; each goes on where it was. It runs until
 * all loops come out even at its end, or, where that takes over 360 slots, until each was through at least once. Over 2,000
 * slots the counts of the others are cut, so that each still gets through once. Loops must not be empty, counts at least 1.
 */
export function interleave<T>(loops: readonly (readonly T[])[], counts: readonly number[]): T[] {
  if (loops.length < 2) return [...(loops[0] ?? [])];
  const { order, rounds } = roundsOf(
    loops.map(({ length }) => length),
    reduced(counts),
  );
  const slots: T[] = [];
  const cursors = loops.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    for (const index of order) {
      const loop = loops[index] ?? [];
      const cursor = cursors[index] ?? 0;
      const slot = loop[cursor];
      if (slot !== undefined) slots.push(slot);
      cursors[index] = (cursor + 1) % loop.length;
    }
  }
  return slots;
}

/**
 * One round of a playlist whose items have these weights: item `i` appears `weights[i]` times. Rounds of over 2,000 slots are
 * shortened: by what all weights have in common, then by cutting them, down to 1.
 */
export function playlistRound(weights: readonly number[]): number[] {
  const sum = total(weights);
  if (sum <= LOOP_SLOTS_MAX) return spread(weights);
  const shorter = reduced(weights);
  const rest = total(shorter);
  return spread(rest <= LOOP_SLOTS_MAX ? shorter : shorter.map((weight) => Math.max(1, cut(weight, rest))));
}

/** How loops of these lengths are interleaved: the order of one round, and the number of rounds. */
function roundsOf(lengths: readonly number[], counts: readonly number[]): { order: number[]; rounds: number } {
  const round = total(counts);
  const even = evenRounds(lengths, counts, Math.floor(LOOP_SLOTS / round));
  if (even !== null) return { order: spread(counts), rounds: even };
  const once = Math.max(...lengths.map((length, index) => Math.ceil(length / (counts[index] ?? 1))));
  if (once * round <= LOOP_SLOTS_MAX) return { order: spread(counts), rounds: Math.max(once, Math.floor(LOOP_SLOTS / round)) };
  return { order: spread(lengths.map((length, index) => Math.max(length, cut(counts[index] ?? 1, round)))), rounds: 1 };
}

function cut(count: number, round: number): number {
  return Math.floor((count * LOOP_SLOTS_MAX) / round);
}

/** After how many rounds all loops are at their start again; null where that is more than `most`. */
function evenRounds(lengths: readonly number[], counts: readonly number[], most: number): number | null {
  let rounds = 1;
  for (const [index, length] of lengths.entries()) {
    const own = length / gcd(length, counts[index] ?? 1);
    rounds *= own / gcd(own, rounds);
    if (rounds > most) return null;
  }
  return rounds <= most ? rounds : null;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Counts in the same ratio, as small as whole numbers can be. */
function reduced(counts: readonly number[]): number[] {
  const divisor = counts.reduce(gcd);
  return counts.map((count) => count / divisor);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
