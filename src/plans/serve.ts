import { uuidv7 } from "uuidv7";
import { log } from "../platform/log.ts";
import { isOfThisResolver } from "./etag.ts";
import { plannedStatements } from "./keep-planned.ts";
import { loadPlanInput } from "./load.ts";
import type { Plan } from "./plan.ts";
import { resolvePlan } from "./resolve.ts";
import { planWindow } from "./zone.ts";

/** A row of D1 holds 2 MB. A plan that comes near is made anew each time that its device does not have it yet. */
const KEPT_PLAN_MAX_BYTES = 1_500_000;

/** A device's plan as it stands in D1, with what says whether it may be asked for and still holds. */
export interface KeptPlan {
  status: "unpaired" | "active" | "revoked";
  token_family_id: string | null;
  timezone: string | null;
  /** Null: no plan was made yet. */
  etag: string | null;
  valid_from: number | null;
  stale: number | null;
  /** Of the plan whose slots the sequencer has. */
  slots_etag: string | null;
}

/** A plan that can be sent. `json` is null where the asker has it already. */
export interface ServedPlan {
  etag: string;
  json: string | null;
  /** Where it was made just now. */
  made: Plan | null;
}

/** What is known of a device's plan without making it: one row. Null: there is no such device. */
export async function readKeptPlan(db: D1Database, deviceId: string): Promise<KeptPlan | null> {
  return await db
    .prepare(
      `SELECT d.status, d.token_family_id, s.timezone, p.etag, p.valid_from, p.stale, p.slots_etag
       FROM devices d LEFT JOIN stores s ON s.id = d.store_id LEFT JOIN playout_plans p ON p.device_id = d.id WHERE d.id = ?`,
    )
    .bind(deviceId)
    .first<KeptPlan>();
}

/** The ETag of a kept plan that still holds: neither what it is made of nor how has changed, and the store's day is the same. Else null. */
export function holdingEtag({ etag, valid_from, stale, timezone }: KeptPlan, now: number): string | null {
  if (etag === null || !isOfThisResolver(etag)) return null;
  return stale === 0 && valid_from === planWindow(timezone ?? "UTC", now).from ? etag : null;
}

/**
 * A device's plan: the kept one while it holds, else made and kept. What the asker has already is not sent again.
 * @param has whether the asker has the plan of an ETag.
 */
export async function servePlan(
  db: D1Database,
  deviceId: string,
  kept: KeptPlan,
  has: (etag: string) => boolean,
  now: number,
): Promise<ServedPlan | null> {
  const etag = holdingEtag(kept, now);
  if (etag !== null && has(etag)) return { etag, json: null, made: null };
  if (etag !== null) {
    const json = await db
      .prepare("SELECT plan_json FROM playout_plans WHERE device_id = ?1 AND etag = ?2 AND plan_json <> ''")
      .bind(deviceId, etag)
      .first<string>("plan_json");
    if (json !== null) return { etag, json, made: null };
  }
  return await makePlan(db, deviceId, has, now);
}

async function makePlan(db: D1Database, deviceId: string, has: (etag: string) => boolean, now: number): Promise<ServedPlan | null> {
  const loaded = await loadPlanInput(db, deviceId);
  if (!loaded) return null;
  const window = planWindow(loaded.input.store?.timezone ?? "UTC", now);
  const made = resolvePlan(loaded.input, window);
  const json = JSON.stringify(made);
  try {
    const kept = json.length <= KEPT_PLAN_MAX_BYTES ? json : "";
    const keep = keepStatement(db, { deviceId, etag: made.etag, json: kept, ...window, revision: loaded.revision }, now);
    await db.batch([...(await plannedStatements(db, made, now)), keep]);
  } catch (error) {
    // The device needs its plan more than we need to keep it.
    log("warn", "plan not kept", { error: String(error) });
  }
  return { etag: made.etag, json: has(made.etag) ? null : json, made };
}

interface Keep {
  deviceId: string;
  etag: string;
  json: string;
  from: number;
  to: number;
  revision: number;
}

/** Keeps a plan; as stale, where an input was changed after they were read. */
function keepStatement(db: D1Database, { deviceId, etag, json, from, to, revision }: Keep, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO playout_plans (id, device_id, etag, plan_json, valid_from, valid_to, generated_at, stale)
       SELECT ?1, d.id, ?3, ?4, ?5, ?6, ?7, (SELECT revision <> ?8 FROM plan_inputs) FROM devices d WHERE d.id = ?2
       ON CONFLICT (device_id) DO UPDATE SET etag = excluded.etag, plan_json = excluded.plan_json, valid_from = excluded.valid_from,
         valid_to = excluded.valid_to, generated_at = excluded.generated_at, stale = excluded.stale`,
    )
    .bind(uuidv7(), deviceId, etag, json, from, to, now, revision);
}
