import { env, exports } from "cloudflare:workers";
import { type Given, givePlan } from "../../src/plans/give.ts";
import type { Plan } from "../../src/plans/plan.ts";
import { readKeptPlan } from "../../src/plans/serve.ts";
import { playLog, postOne, type TestDevice } from "./device.ts";

/** How long an image shows where nobody says. */
export const IMAGE_MS = 10_000;

/** Gives a device its plan as the door does, at another time. */
export async function give(device: TestDevice, at: number, bindings: Given = env): Promise<Plan> {
  const kept = await readKeptPlan(env.DB, device.id);
  const served = kept && (await givePlan(bindings, device.id, kept, () => false, at));
  if (!served?.json) throw new Error("no plan was given");
  return JSON.parse(served.json) as Plan;
}

/** Asks for the plan at the door. */
export async function ask(device: TestDevice, ifNoneMatch?: string) {
  const response = await exports.default.fetch("http://localhost/v1/device/plan", {
    headers: { Authorization: `Bearer ${device.token}`, ...(ifNoneMatch !== undefined && { "If-None-Match": ifNoneMatch }) },
  });
  return {
    status: response.status,
    etag: response.headers.get("ETag") ?? "",
    retryAfter: response.headers.get("Retry-After"),
    text: await response.text(),
  };
}

/** The ETag of the plan whose slots D1 believes to be known. */
export const slotsEtag = (device: TestDevice) =>
  env.DB.prepare("SELECT slots_etag FROM playout_plans WHERE device_id = ?").bind(device.id).first<string>("slots_etag");

/** A signed play that started at a time, of a campaign, without an expected duration. */
export async function signedPlay(
  device: TestDevice,
  contentId: string,
  startedAt: number,
  changes: Record<string, unknown> = {},
  lastedMs = IMAGE_MS,
) {
  return await device.sign(
    playLog(device, {
      content_id: contentId,
      started_at: new Date(startedAt).toISOString(),
      ended_at: new Date(startedAt + lastedMs).toISOString(),
      duration_actual: lastedMs / 1000,
      duration_expected: undefined,
      ...changes,
    }),
  );
}

/** Reports a play; its verdict. */
export async function verdictOf(device: TestDevice, log: Record<string, unknown>) {
  const answer = await (await postOne(device, log)).json<Record<string, unknown>>();
  return { status: answer.status, flags: answer.flags, quality: answer.quality_score, billable: answer.billable };
}

export const FINE = { status: "accepted", flags: [], quality: 100, billable: true };
/** An image says nothing of its length; without its slot nobody knows. */
export const UNPLANNED = { status: "accepted", flags: ["EXPECTED_UNKNOWN"], quality: 100, billable: false };
export const OUTSIDE = { status: "accepted", flags: ["EXPECTED_UNKNOWN", "NOT_SCHEDULED"], quality: 80, billable: false };
