import type { IncidentRow } from "./incidents.ts";

/** What a person does about an incident. */
export type IncidentAct = { kind: "acknowledge" } | { kind: "note"; notes: string | null } | { kind: "resolve" };

/** What of an incident changes by it; null where nothing does. */
export type IncidentEdit = Partial<Pick<IncidentRow, "acknowledged_at" | "acknowledged_by" | "notes" | "resolved_at" | "resolved_by">>;

/** Decides what an act changes. What was acknowledged or resolved before stays as it was. Pure; `now` in ms. */
export function decideAct(incident: IncidentRow, act: IncidentAct, actor: string, now: number): IncidentEdit | null {
  switch (act.kind) {
    case "acknowledge":
      return incident.acknowledged_at === null ? { acknowledged_at: now, acknowledged_by: actor } : null;
    case "note":
      return incident.notes === act.notes ? null : { notes: act.notes };
    case "resolve":
      return incident.resolved_at === null ? { resolved_at: now, resolved_by: actor } : null;
  }
}
