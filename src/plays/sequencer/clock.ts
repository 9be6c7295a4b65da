import { RULES } from "../policy.ts";

/** What is known of a device's clock while a request is judged. Offsets are device − server, in ms. */
export interface ClockReading {
  /** Null where neither the request nor a fresh heartbeat tells. */
  offsetMs: number | null;
}

/** The offset that a heartbeat told, and when (server's time). */
export interface HeartbeatClock {
  offsetMs: number;
  at: number;
}

/**
 * Reads the device's clock: from the time that the request says it was sent, else from a heartbeat less than a day old.
 * An offset of up to 5 s is network and rounding, and taken as 0.
 */
export function readClock(sentAt: number | null, receivedAt: number, heartbeat: HeartbeatClock | null): ClockReading {
  if (sentAt !== null) return { offsetMs: settle(sentAt - receivedAt) };
  if (heartbeat !== null && receivedAt - heartbeat.at < RULES.clock.heartbeatFreshMs) return { offsetMs: settle(heartbeat.offsetMs) };
  return { offsetMs: null };
}

function settle(offsetMs: number): number {
  return Math.abs(offsetMs) <= RULES.clock.ignoredMs ? 0 : offsetMs;
}
