import { THIN_FROM_CHUNKS, THIN_FROM_MESSAGES, THIN_LEAST_SHARE, THIN_MOST_CHUNKS, THIN_MOST_MESSAGES, THIN_MOST_SHARE } from "./limits.ts";

/** How much waits, by whoever can tell. */
export interface Backlog {
  /** Chunks that this player's sequencer has sent and that nobody has confirmed: it always knows. */
  unconfirmedChunks: number;
  /** Messages in the queue; null where the platform does not say. */
  queueMessages: number | null;
}

/** The share of `play_progress` that is left out: none while the pipeline is well, then 10 to 50 %, by whichever backlog asks for more. Pure. */
export function thinningShare({ unconfirmedChunks, queueMessages }: Backlog): number {
  return Math.max(
    shareOf(unconfirmedChunks, THIN_FROM_CHUNKS, THIN_MOST_CHUNKS),
    shareOf(queueMessages ?? 0, THIN_FROM_MESSAGES, THIN_MOST_MESSAGES),
  );
}

function shareOf(waiting: number, from: number, most: number): number {
  if (waiting < from) return 0;
  return THIN_LEAST_SHARE + (THIN_MOST_SHARE - THIN_LEAST_SHARE) * Math.min(1, (waiting - from) / (most - from));
}

const ID_RANGE = 2 ** 32;

/** Whether an event is among the share that is left out: by its id, whose digits are those of a hash, so that a retry is treated alike. */
export function isThinned(id: string, share: number): boolean {
  return Number.parseInt(id.slice(0, 8), 16) < share * ID_RANGE;
}
