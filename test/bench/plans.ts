import { planEtag } from "../../src/plans/etag.ts";
import { explainPlan } from "../../src/plans/explain.ts";
import { findSlot, indexSlots } from "../../src/plans/find-slot.ts";
import type { PlanInput, PlanPlaylist, PlanSchedule, PlanVersion } from "../../src/plans/input.ts";
import type { Plan, Span } from "../../src/plans/plan.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { slotsOf } from "../../src/plans/slots.ts";
import { planWindow } from "../../src/plans/zone.ts";
import { quantile } from "./stats.ts";

const GROUPS = 50;
const SCHEDULES = 200;
const VERSIONS = 40;
const ITEMS = 8;
const ROUNDS = 200;
const ZONES = ["Europe/Berlin", "America/New_York", "Asia/Ho_Chi_Minh", "Australia/Lord_Howe"];

const versions: PlanVersion[] = Array.from({ length: VERSIONS }, (_, index) => ({
  id: crypto.randomUUID(),
  content_id: crypto.randomUUID(),
  type: index % 2 ? "video" : "image",
  sha256: index.toString(16).padStart(64, "0"),
  url: `/v1/device/content/${index}`,
  bytes: 5_000_000,
  duration_ms: index % 2 ? 15_000 : null,
}));

/** A schedule of the network, as each group has four of: a base, two campaigns in their dayparts, a share of voice on top of one. */
function scheduleOf(index: number): { schedule: PlanSchedule; playlist: PlanPlaylist; group: number } {
  const id = crypto.randomUUID();
  const nth = Math.floor(index / GROUPS);
  const from = `${String(7 + ((index * 5) % 9)).padStart(2, "0")}:${index % 2 ? "30" : "00"}`;
  const playlist = {
    id,
    campaign_id: nth ? crypto.randomUUID() : null,
    ad_group_id: null,
    items: Array.from({ length: ITEMS }, (_, item) => ({
      id: `${id}-${item}`,
      content_version_id: versions[(index * 3 + item) % VERSIONS]?.id ?? "",
      order_index: item,
      weight: 1 + (item % 3),
      duration_ms: null,
    })),
  };
  const schedule: PlanSchedule = {
    id,
    playlist_id: id,
    timezone: index % 7 ? "store" : (ZONES[index % ZONES.length] ?? "UTC"),
    rules: {
      priority: nth === 0 ? 0 : 1 + (nth % 2),
      start_date: "2026-01-01",
      end_date: "2027-12-31",
      weight: 1 + (index % 5),
      ...(nth > 0 && {
        dayparts: [
          { days: ["mon", "tue", "wed", "thu", "fri"], from, to: "19:00" },
          { days: ["sat", "sun"], from: "10:00", to: "18:00" },
        ],
      }),
      ...(nth === 3 && { share_of_voice_s_per_hour: 600 }),
    },
  };
  return { schedule, playlist, group: index % GROUPS };
}

const network = Array.from({ length: SCHEDULES }, (_, index) => scheduleOf(index));

/** A device's inputs: those of its group, or, at worst, of the whole network. */
function inputOf(those: typeof network): PlanInput {
  return {
    device_id: crypto.randomUUID(),
    store: { id: crypto.randomUUID(), timezone: "Europe/Berlin" },
    schedules: those.map(({ schedule }) => schedule),
    playlists: those.map(({ playlist }) => playlist),
    versions,
    default_playlist_id: those[0]?.playlist.id ?? null,
    takeovers: [],
  };
}

function timed(what: string, run: () => unknown): void {
  run();
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  console.log(`  ${what.padEnd(28)} p50 ${quantile(times, 0.5).toFixed(2)} ms   p99 ${quantile(times, 0.99).toFixed(2)} ms`);
}

function bench(name: string, input: PlanInput, window: Span, now: number): void {
  const start = performance.now();
  const plan: Plan = resolvePlan(input, window);
  const first = performance.now() - start;
  const slots = plan.segments.reduce((sum, { loop }) => sum + loop.length, 0);
  const book = slotsOf(plan);
  const kb = (data: unknown) => `${(JSON.stringify(data).length / 1000).toFixed(1)} KB`;
  console.log(
    `${name}: ${plan.segments.length} segments, ${slots} slots, plan ${kb(plan)}, slot book ${kb(book)}; the first took ${first.toFixed(1)} ms`,
  );
  timed("resolve", () => resolvePlan(input, window));
  timed("resolve, and write as JSON", () => JSON.stringify(resolvePlan(input, window)));
  timed("window and ETag (a 304)", () => planEtag(input, planWindow("Europe/Berlin", now).from));
  timed("explain an instant", () => explainPlan(input, now));
  timed("slots of the plan", () => slotsOf(plan));
  const index = indexSlots(book);
  const slotId = plan.segments.at(-1)?.loop[0]?.slot_id ?? null;
  const item = plan.items[plan.segments.at(-1)?.loop[0]?.item ?? ""];
  const play = { slotId, contentId: item?.content_id ?? "", contentVersion: item?.sha256 ?? null, startedAt: window.to - 1 };
  timed("1,000 plays' slots, cited", () => {
    for (let n = 0; n < 1000; n++) findSlot(index, play);
  });
  timed("1,000 plays' slots, by content", () => {
    for (let n = 0; n < 1000; n++) findSlot(index, { ...play, slotId: null });
  });
}

const now = Date.now();
const window = planWindow("Europe/Berlin", now);
bench(`one device of ${SCHEDULES} schedules in ${GROUPS} groups`, inputOf(network.filter(({ group }) => group === 7)), window, now);
bench(`one device with all ${SCHEDULES} schedules`, inputOf(network), window, now);
