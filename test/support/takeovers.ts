import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { Plan, PlanSegment } from "../../src/plans/plan.ts";
import { admin, create } from "./admin.ts";
import type { TestDevice } from "./device.ts";
import { playlistWithItems } from "./media.ts";

/** Starts a takeover. Without a playlist or version it shows a playlist of its own. Returns it as the API shows it. */
export async function takeOver(target_type: "ALL" | "GROUP" | "STORE", target_id: string | null, fields: Record<string, unknown> = {}) {
  const given = "playlist_id" in fields || "content_version_id" in fields;
  const message = given ? {} : { playlist_id: (await playlistWithItems()).id };
  return await create("takeovers", { name: "Evacuation", target_type, target_id, ...message, ...fields });
}

export async function lift(takeover: { id: string }) {
  const answer = await admin("POST", `/v1/admin/takeovers/${takeover.id}/lift`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

/** Lifts all that stand: one that is for everybody would reach the devices of other tests. */
export async function liftAll(): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("UPDATE takeovers SET lifted_at = 1 WHERE lifted_at IS NULL"),
    env.DB.prepare("UPDATE plan_inputs SET revision = revision + 1"),
    env.DB.prepare("UPDATE playout_plans SET stale = 1"),
  ]);
}

/** Asks for the plan as a player does, with the ETag that it has. `plan` is null for 304. */
export async function askPlan(
  device: Pick<TestDevice, "token">,
  etag?: unknown,
): Promise<{ status: number; etag: string; plan: Plan | null }> {
  const response = await exports.default.fetch("http://localhost/v1/device/plan", {
    headers: { Authorization: `Bearer ${device.token}`, ...(etag === undefined ? {} : { "If-None-Match": `"${etag}"` }) },
  });
  const text = await response.text();
  const plan = response.status === 200 ? (JSON.parse(text) as Plan) : null;
  return { status: response.status, etag: (response.headers.get("ETag") ?? "").replaceAll('"', ""), plan };
}

/** The plan's segments as [from, to, takeover, items of the loop]. */
export function outline(plan: Plan | null): [string, string, string | null, string[]][] {
  return (plan?.segments ?? []).map(({ from, to, takeover_id, loop }) => [from, to, takeover_id ?? null, loop.map(({ item }) => item)]);
}

/** What of a plan plays at an instant (RFC 3339). */
export function segmentAt(plan: Plan | null, at: unknown): PlanSegment | undefined {
  return plan?.segments.find(({ from, to }) => from <= String(at) && String(at) < to);
}

/** Which takeover a device's plan shows at an instant, asked for anew; null: none. */
export async function shownTo(device: Pick<TestDevice, "token">, at: unknown): Promise<string | null> {
  return segmentAt((await askPlan(device)).plan, at)?.takeover_id ?? null;
}
