import type { Health, Store } from "./stores.ts";

/** A store on the map, in pixels of the view. */
export interface Point {
  store: Store;
  health: Health;
  x: number;
  y: number;
}

/** Points that lie too near each other to be told apart, drawn as one. */
export interface Cluster {
  key: string;
  x: number;
  y: number;
  points: Point[];
}

/** How near each other marks may be: a mark has words at its side. */
export interface Room {
  width: number;
  height: number;
}

/** Gathers points until no two marks are nearer each other than the room that one needs. Pure. */
export function clustersOf(points: readonly Point[], room: Room): Cluster[] {
  let clusters: Cluster[] = points.map((point) => ({ key: point.store.id, x: point.x, y: point.y, points: [point] }));
  for (;;) {
    const gathered: Cluster[] = [];
    for (const cluster of clusters) {
      const near = gathered.find(({ x, y }) => Math.abs(x - cluster.x) < room.width && Math.abs(y - cluster.y) < room.height);
      if (near) merge(near, cluster);
      else gathered.push({ ...cluster, points: [...cluster.points] });
    }
    if (gathered.length === clusters.length) return gathered;
    clusters = gathered;
  }
}

/** Puts one cluster into another, which then lies in the middle of all its points. */
function merge(into: Cluster, other: Cluster): void {
  const all = into.points.length + other.points.length;
  into.x = (into.x * into.points.length + other.x * other.points.length) / all;
  into.y = (into.y * into.points.length + other.y * other.points.length) / all;
  into.points.push(...other.points);
}

/** Several stores' health as one. */
export function sumHealth(points: readonly Point[]): Pick<Health, "value" | "words"> {
  const devices = points.reduce((sum, { health }) => sum + health.devices, 0);
  const offline = points.reduce((sum, { health }) => sum + health.offline, 0);
  const online = points.reduce((sum, { health }) => sum + health.online, 0);
  if (devices === 0) return { value: "unknown", words: "no devices" };
  if (offline > 0) return { value: offline === devices ? "bad" : "warn", words: `${offline} of ${devices} offline` };
  return online > 0 ? { value: "ok", words: `${online} of ${devices} online` } : { value: "unknown", words: "not seen yet" };
}
