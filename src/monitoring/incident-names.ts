import { readActorNames } from "../audit/names.ts";
import type { Row } from "../platform/rows.ts";

/** What an incident's device is called, and where it stands now; nulls where it is no device's. */
export interface IncidentPlace {
  device_name: string | null;
  store_id: string | null;
  store_name: string | null;
  timezone: string | null;
}

const NOWHERE: IncidentPlace = { device_name: null, store_id: null, store_name: null, timezone: null };

/** What the people and tokens are called who look after an incident and resolved it; nulls for who is no row, and where it was nobody. */
export interface IncidentPeople {
  acknowledged_by_name: string | null;
  resolved_by_name: string | null;
}

/** What incidents are shown with beside their own fields. People are named only `withPeople`: who sees one supplier's need not know them. */
export async function readNames(
  db: D1Database,
  incidents: Row[],
  withPeople: boolean,
): Promise<(incident: Row) => IncidentPlace & IncidentPeople> {
  const actorOf = (value: unknown) => (typeof value === "string" ? value : null);
  const actors = withPeople ? incidents.flatMap((one) => [actorOf(one.acknowledged_by), actorOf(one.resolved_by)]) : [];
  const [placeOf, nameOf] = await Promise.all([readPlaces(db, incidents), readActorNames(db, actors)]);
  return (incident) => ({
    ...placeOf(incident),
    acknowledged_by_name: withPeople ? nameOf(actorOf(incident.acknowledged_by)) : null,
    resolved_by_name: withPeople ? nameOf(actorOf(incident.resolved_by)) : null,
  });
}

/** The places of incidents' devices, by device: one read for all of them. */
async function readPlaces(db: D1Database, incidents: Row[]): Promise<(incident: Row) => IncidentPlace> {
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
