/** What a device's plan plays in one stretch of time, ms since 1970. */
export interface PlanStretch {
  from: number;
  to: number;
  /** Slots of its loop: none where there is nothing to play. */
  slots: number;
}

/** Whether a plan has something to play at each instant of [`from`, `to`]. Of what lies outside the plan nothing is known: false. Pure. */
export function playsThroughout(stretches: readonly PlanStretch[], from: number, to: number): boolean {
  let covered = from;
  for (const stretch of [...stretches].sort((a, b) => a.from - b.from)) {
    if (stretch.to <= covered || stretch.slots === 0) continue;
    if (stretch.from > covered) return false;
    covered = stretch.to;
    if (covered > to) return true;
  }
  return false;
}

interface StretchRow {
  device_id: string;
  from: string;
  to: string;
  slots: number;
}

/** A plan that is too large to be kept in D1 is '' there: it has something to play at any time. */
const LARGE_PLAN = '{"segments":[{"from":"0000","to":"9999","loop":[0]}]}';

/** The plans of these devices, as far as they lie within [`from`, `to`], by device. One read; none for no device. */
export async function readPlanStretches(
  db: D1Database,
  deviceIds: readonly string[],
  from: number,
  to: number,
): Promise<Map<string, PlanStretch[]>> {
  if (deviceIds.length === 0) return new Map();
  const { results } = await db
    .prepare(
      `SELECT p.device_id, s.value ->> 'from' AS "from", s.value ->> 'to' AS "to", json_array_length(s.value, '$.loop') AS slots
       FROM json_each(?1) k CROSS JOIN playout_plans p ON p.device_id = k.value 
         CROSS JOIN json_each(CASE p.plan_json WHEN '' THEN '${LARGE_PLAN}' ELSE p.plan_json END, '$.segments') s
       WHERE s.value ->> 'to' > ?2 AND s.value ->> 'from' <= ?3`,
    )
    .bind(JSON.stringify(deviceIds), new Date(from).toISOString(), new Date(to).toISOString())
    .all<StretchRow>();
  return Map.groupBy(
    results.map((row) => ({ deviceId: row.device_id, from: Date.parse(row.from), to: Date.parse(row.to), slots: row.slots })),
    ({ deviceId }) => deviceId,
  );
}
