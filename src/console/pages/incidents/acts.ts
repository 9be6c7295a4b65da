import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import type { Incident } from "../../api/schema.ts";
import { plural } from "../../parts/format.ts";
import { failed, said } from "../../parts/notes.tsx";

const PATH = "/v1/admin/incidents";

/** Says that somebody looks after them. Each stands for itself: what fails is said, the others are done. */
export async function acknowledge(incidents: Incident[]): Promise<void> {
  const open = incidents.filter(({ acknowledged_at }) => acknowledged_at === null);
  await each(open, ({ id }) => call("POST /v1/admin/incidents/{id}/acknowledge", { path: { id } }), "acknowledged");
}

/** Resolves them by hand. */
export async function resolve(incidents: Incident[]): Promise<void> {
  const open = incidents.filter(({ resolved_at }) => resolved_at === null);
  await each(open, ({ id }) => call("POST /v1/admin/incidents/{id}/resolve", { path: { id } }), "resolved");
}

async function each(incidents: Incident[], act: (incident: Incident) => Promise<unknown>, done: string): Promise<void> {
  const results = await Promise.allSettled(incidents.map(act));
  await readAgain(PATH);
  const faults = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  const worked = results.length - faults.length;
  if (worked > 0) said(incidents.length === 1 ? `Incident ${done}` : `${plural(worked, "incident")} ${done}`);
  if (faults.length > 0) failed(`${plural(faults.length, "incident")} not ${done}`, faults[0]);
}
