import { MINUTE_MS } from "../platform/time.ts";
import { KNOWN_PLAYERS_MAX } from "./limits.ts";

// A name that a reporter makes up is an object woken, and a look at D1, before it is refused. What stands here is of this isolate alone, and
// spares both once a token is known to have no room for another player.

/** Players whose objects have answered, the oldest first. */
const known = new Set<string>();
/** When a token was last told that it has as many players as it may (ms). */
const full = new Map<string, number>();

/** Whether a player is most likely one too many: its token had no room within the last minute, and nobody has heard of it here. */
export function isStranger(tokenId: string, player: string, now: number): boolean {
  const at = full.get(tokenId);
  if (at === undefined || known.has(player)) return false;
  if (Math.abs(now - at) < MINUTE_MS) return true;
  full.delete(tokenId);
  return false;
}

/** Notes that a player's object took telemetry. */
export function noteKnown(player: string): void {
  known.add(player);
  if (known.size <= KNOWN_PLAYERS_MAX) return;
  for (const oldest of known) {
    known.delete(oldest);
    return;
  }
}

/** Notes that a token has no room for another player. */
export function noteFull(tokenId: string, now: number): void {
  full.set(tokenId, now);
}
