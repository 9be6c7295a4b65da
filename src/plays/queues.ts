import { numberVar } from "../platform/vars.ts";

/** A Worker's bindings to the queues of plays, in the order of their names. */
export const PLAY_QUEUE_BINDINGS = ["PLAY_EVENTS_0", "PLAY_EVENTS_1", "PLAY_EVENTS_2", "PLAY_EVENTS_3"] as const;
export type PlayQueueBinding = (typeof PLAY_QUEUE_BINDINGS)[number];

/** What choosing a queue takes of the bindings. */
export type PlayQueueEnv = Pick<Env, PlayQueueBinding> & Partial<Pick<Env, "QUEUE_SHARDS">>;

/** One queue fills larger batches than four, and each batch is a file in R2 and a transaction in D1: cheap, until a queue's own limit is near. */
const DEFAULT_SHARDS = 1;

/** How many of the queues are in use: `QUEUE_SHARDS`, 1 to as many as are bound. */
export function shardsOf({ QUEUE_SHARDS }: Pick<PlayQueueEnv, "QUEUE_SHARDS">): number {
  const wanted = Math.floor(numberVar(QUEUE_SHARDS, DEFAULT_SHARDS));
  return Math.min(Math.max(wanted, 1), PLAY_QUEUE_BINDINGS.length);
}

/** A device's shard, 0 to `shards` − 1: FNV-1a (32 bits) of its id, folded, since the low bits alone mix poorly. Pure. */
export function shardOf(deviceId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < deviceId.length; at++) hash = Math.imul(hash ^ deviceId.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % shards;
}

/**
 * The queue that a device's chunks go to. All queues are always consumed, so their number may be changed at any time: what was sent
 * before is still taken, what is sent again goes to the device's new queue, and the ledger records either once.
 */
export function playQueueOf(env: PlayQueueEnv, deviceId: string): Queue {
  return env[PLAY_QUEUE_BINDINGS[shardOf(deviceId, shardsOf(env))] ?? "PLAY_EVENTS_0"];
}

/** A queue of plays under its name, as `wrangler.toml` and the metrics have it. */
export interface PlayQueue {
  name: string;
  queue: Queue;
  /** Whether devices' chunks go there now. One that is not may still hold what was sent before their number was changed. */
  inUse: boolean;
}

/** All queues of plays. */
export function playQueues(env: PlayQueueEnv): PlayQueue[] {
  const shards = shardsOf(env);
  return PLAY_QUEUE_BINDINGS.map((binding, shard) => ({ name: `play-events-${shard}`, queue: env[binding], inUse: shard < shards }));
}

/** The queues that devices' chunks go to now. */
export function queuesInUse(env: PlayQueueEnv): Queue[] {
  return playQueues(env).flatMap(({ queue, inUse }) => (inUse ? [queue] : []));
}
