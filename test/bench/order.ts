/**
 * How a set of signed logs is cut into requests. A set has `rounds` rounds; in each, every device has a block of `block` logs that
 * follow one another. Requests take `batch` logs of a block, and turn from device to device as requests of many screens do.
 */
export interface SetShape {
  devices: number;
  rounds: number;
  block: number;
}

export interface RequestPlace {
  device: number;
  /** The block's number in the order in which it was written: round by round, device by device. */
  blockIndex: number;
  /** The first log of the request in its block. */
  from: number;
}

/** How many requests of `batch` logs a set holds. A block's rest that fills no batch is left out. */
export function requestCount(set: SetShape, batch: number): number {
  return set.rounds * set.devices * Math.floor(set.block / batch);
}

/** Where the n-th request's logs stand. Logs of one device come in the order of their numbers. */
export function placeOf(set: SetShape, batch: number, n: number): RequestPlace {
  const parts = Math.floor(set.block / batch);
  const device = n % set.devices;
  const turn = Math.floor(n / set.devices);
  return { device, blockIndex: Math.floor(turn / parts) * set.devices + device, from: (turn % parts) * batch };
}

/** The n-th of a row of numbers in [0, 1) that is the same each time (a linear congruential generator, as in Numerical Recipes). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** When requests are due, in ms from the start: independent of each other (Poisson), since screens do not wait for one another. */
export function arrivals(requestsPerSecond: number, count: number, seed = 1): Float64Array {
  const random = randomFrom(seed);
  const due = new Float64Array(count);
  let at = 0;
  for (let n = 0; n < count; n++) {
    at += (-Math.log(1 - random()) / requestsPerSecond) * 1000;
    due[n] = at;
  }
  return due;
}
