import { Problem } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { SECOND_MS } from "../platform/time.ts";
import type { Plan } from "./plan.ts";
import { holdingEtag, type KeptPlan, type ServedPlan, servePlan } from "./serve.ts";
import { slotsOf } from "./slots.ts";

/** What giving a plan needs. */
export type Given = Pick<Env, "DB" | "SEQUENCER">;

const KEEP_SLOTS_TIMEOUT_MS = 5 * SECOND_MS;
const RETRY_AFTER_S = 5;

/** The ETag of the kept plan where it holds and the sequencer knows its slots: the device may have it as it is. Else null. */
export function givenEtag(kept: KeptPlan, now: number): string | null {
  const etag = holdingEtag(kept, now);
  return etag === kept.slots_etag ? etag : null;
}

/**
 * A device's plan, as `servePlan`, given only when the device's sequencer knows its slots: else the plays of this plan might be judged
 * by an older one, and the device would lose what they earn. A device that is refused its plan still has the last one, for days.
 * Where the sequencer was told before, it isn't asked.
 * @param has whether the asker has the plan of an ETag.
 * @throws Problem `service-unavailable` where the sequencer does not answer.
 */
export async function givePlan(
  env: Given,
  deviceId: string,
  kept: KeptPlan,
  has: (etag: string) => boolean,
  now: number,
): Promise<ServedPlan | null> {
  const knows = (etag: string) => etag === kept.slots_etag;
  const served = await servePlan(env.DB, deviceId, kept, (etag) => knows(etag) && has(etag), now);
  if (!served || knows(served.etag)) return served;
  const plan = served.made ?? (JSON.parse(served.json ?? "null") as Plan | null);
  if (!plan) throw new Error("unreachable: a plan whose slots are not known is never left out");
  if (!(await tellSequencer(env, deviceId, plan, now))) return null;
  return has(served.etag) ? { ...served, json: null } : served;
}

/** Whether there is such a device. */
async function tellSequencer(env: Given, deviceId: string, plan: Plan, now: number): Promise<boolean> {
  let exists: unknown;
  try {
    const keeping = env.SEQUENCER.getByName(deviceId).keepSlots(slotsOf(plan), now) as Promise<unknown>;
    exists = await withTimeout(keeping, KEEP_SLOTS_TIMEOUT_MS, "keeping of slots");
  } catch (cause) {
    throw new Problem(
      "service-unavailable",
      "The device's sequencer does not answer now; go on with the plan that you have, and ask again.",
      {
        headers: { "Retry-After": String(RETRY_AFTER_S) },
        cause,
      },
    );
  }
  if (exists !== true) return false;
  try {
    await env.DB.prepare("UPDATE playout_plans SET slots_etag = ?2 WHERE device_id = ?1 AND etag = ?2").bind(deviceId, plan.etag).run();
  } catch (error) {
    // It knows them all the same, and is only told once more.
    log("warn", "slots not noted as known", { error: String(error) });
  }
  return true;
}
