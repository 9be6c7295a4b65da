import type { Plan } from "../plans/plan.ts";

/** A plan that can be played, or the first thing that is wrong with it. */
export type CheckedPlan = { ok: true; plan: Plan } | { ok: false; error: string };

type Fields = Record<string, unknown>;

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Whether a value is a plan that this device can play: its own, with segments without holes, and loops of items that are
 * there. Members and types of content that this player does not know are let through. Pure.
 */
export function checkPlan(value: unknown, deviceId: string): CheckedPlan {
  if (!isObject(value)) return { ok: false, error: "The plan is no JSON object." };
  for (const error of problemsOf(value, deviceId)) return { ok: false, error: `The plan cannot be played: ${error}.` };
  return { ok: true, plan: value as unknown as Plan };
}

function* problemsOf(plan: Fields, deviceId: string): Generator<string> {
  if (plan.device_id !== deviceId) yield "it is another device's";
  if (!isText(plan.etag)) yield "it has no etag";
  const [from, to] = [timeOf(plan.valid_from), timeOf(plan.valid_to)];
  if (!(from < to)) yield "valid_from is not before valid_to";
  if (!isObject(plan.items)) return yield "it has no items";
  for (const [id, item] of Object.entries(plan.items)) yield* problemsOfItem(id, item);
  if (!Array.isArray(plan.segments)) return yield "it has no segments";
  let end = from;
  for (const [index, segment] of (plan.segments as unknown[]).entries()) {
    const where = `segment ${index}`;
    if (!isObject(segment)) return yield `${where} is no object`;
    if (timeOf(segment.from) !== end) yield `${where} does not begin where the time before it ends`;
    end = timeOf(segment.to);
    if (!(timeOf(segment.from) < end)) yield `${where} does not end behind its beginning`;
    yield* problemsOfLoop(`${where}, loop`, segment.loop, plan.items);
    if (segment.fallback !== undefined) yield* problemsOfLoop(`${where}, fallback`, segment.fallback, plan.items);
  }
  if (end !== to) yield "its segments do not reach valid_to";
}

function* problemsOfItem(id: string, item: unknown): Generator<string> {
  const where = `item ${id}`;
  if (!isObject(item)) return yield `${where} is no object`;
  if (!isText(item.content_id) || !isText(item.type)) yield `${where} does not say its content`;
  if (typeof item.sha256 !== "string" || !SHA256.test(item.sha256)) yield `${where} has no sha256`;
  if (item.url !== null && !isText(item.url)) yield `${where} has no url`;
  if (item.bytes !== null && !(isNumber(item.bytes) && item.bytes >= 0)) yield `${where} has no size`;
  if (!isDuration(item.duration_ms)) yield `${where} has no duration`;
}

function* problemsOfLoop(where: string, loop: unknown, items: Fields): Generator<string> {
  if (!Array.isArray(loop)) return yield `${where} is no list`;
  for (const [place, slot] of (loop as unknown[]).entries()) {
    if (!isObject(slot) || !isText(slot.slot_id) || !isText(slot.item)) return yield `${where}, slot ${place} does not say what it is`;
    if (!Object.hasOwn(items, slot.item)) yield `${where}, slot ${place} shows an item that is not there`;
    if (slot.duration_ms !== undefined && !isDuration(slot.duration_ms)) yield `${where}, slot ${place} has no duration`;
  }
}

/** Null: a video, to its end. */
function isDuration(value: unknown): boolean {
  return value === null || (isNumber(value) && value > 0);
}

function timeOf(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : Number.NaN;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
