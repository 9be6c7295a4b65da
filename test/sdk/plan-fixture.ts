import type { Plan, PlanItem, PlanSegment, PlanSlot } from "../../src/plans/plan.ts";
import { DEVICE } from "./paired.ts";

export const SHA = { a: "a".repeat(64), b: "b".repeat(64), c: "c".repeat(64) };
export const T0 = Date.parse("2026-11-20T00:00:00.000Z");
export const HOUR_MS = 3_600_000;

export const item = (sha256: string, changes: Partial<PlanItem> = {}): PlanItem => ({
  content_id: `content of ${sha256.slice(0, 1)}`,
  type: "image",
  sha256,
  url: `/v1/device/content/${sha256}`,
  bytes: 100,
  duration_ms: 10_000,
  campaign_id: null,
  ad_group_id: null,
  caps: {},
  ...changes,
});

export const slot = (key: string, place: number, name: string, changes: Partial<PlanSlot> = {}): PlanSlot => ({
  slot_id: `${key}-${place}`,
  item: name,
  playlist_id: `playlist of ${name}`,
  ...changes,
});

export const segment = (fromHour: number, toHour: number, loop: PlanSlot[], changes: Partial<PlanSegment> = {}): PlanSegment => ({
  from: new Date(T0 + fromHour * HOUR_MS).toISOString(),
  to: new Date(T0 + toHour * HOUR_MS).toISOString(),
  schedule_ids: [],
  loop,
  ...changes,
});

/** 96 hours: until 08:00 a (10 s), b (20 s, 5 s in its second slot), a again; then nothing until 12:00; then c. */
export function planOf(changes: Partial<Plan> = {}): Plan {
  return {
    device_id: DEVICE,
    store_id: null,
    timezone: "UTC",
    valid_from: new Date(T0).toISOString(),
    valid_to: new Date(T0 + 96 * HOUR_MS).toISOString(),
    etag: "plan-1",
    segments: [
      segment(0, 8, [slot("k", 0, "a"), slot("k", 1, "b"), slot("k", 2, "b", { duration_ms: 5000, campaign_id: "brand" })]),
      segment(8, 12, []),
      segment(12, 96, [slot("m", 0, "c")]),
    ],
    items: { a: item(SHA.a), b: item(SHA.b, { duration_ms: 20_000 }), c: item(SHA.c, { type: "video", duration_ms: null }) },
    ...changes,
  };
}
