import type { Row } from "../platform/rows.ts";

/** What an incident's device is called, and where it stands now; nulls where it is no device's. */
export interface IncidentPlace {
  device_name: string | null;
  store_id: string | null;
  store_name: string | null;
  timezone: string | null;
}

const NOWHERE: IncidentPlace = { device_name: null, store_id: null, store_name: null, timezone: null };

/** The places of incidents' devices, by device: one read for all of them. */
export async function readPlaces(db: D1Database, incidents: Row[]): Promise<(incident: Row) => IncidentPlace> {
  const ids = [...new Set(incidents.map(({ device_id }) => String(device_id ?? "")))].filter((id) => id !== "");
  if (ids.length === 0) return () => NOWHERE;
  const { results } = await db
    .prepare(
      `SELECT d.id, d.external_name AS device_name, d.store_id, s.name AS store_name, s.timezone FROM json_each(?) j
       JOIN devices d ON d.id = j.value LEFT JOIN stores s ON s.id = d.store_id`,
    )
    .bind(JSON.stringify(ids))
    .all<IncidentPlace & { id: string }>();
  const places = new Map(results.map(({ id, ...place }) => [id, place]));
  return ({ device_id }) => places.get(String(device_id)) ?? NOWHERE;
}
