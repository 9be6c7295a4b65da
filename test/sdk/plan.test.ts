import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plans/plan.ts";
import { PlanKeeper } from "../../src/sdk/plan.ts";
import { checkPlan } from "../../src/sdk/plan-check.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { DEVICE, Disk, paired } from "./paired.ts";
import { item, planOf, SHA, segment, slot } from "./plan-fixture.ts";

async function setUp(reply: (request: SeenRequest) => Reply, disk = new Disk<Plan>()) {
  const { access, host } = paired(reply);
  return { host, disk, keeper: await PlanKeeper.open({ ...access, deviceId: DEVICE, store: disk }) };
}

const asJson = (plan: unknown) => JSON.parse(JSON.stringify(plan)) as Record<string, unknown>;

describe("the plan", () => {
  test("is fetched, kept, and asked for by its ETag from then on", async () => {
    const { disk, host, keeper } = await setUp(() => (host.requests.length === 1 ? { status: 200, body: planOf() } : { status: 304 }));
    expect(keeper.plan).toBe(null);
    expect(await keeper.refresh()).toEqual({ kind: "new", plan: planOf() });
    expect(await disk.load()).toEqual(planOf());
    expect(await keeper.refresh()).toEqual({ kind: "unchanged" });
    expect(host.requests.map(({ url, headers }) => [url, headers["If-None-Match"]])).toEqual([
      ["http://edge/v1/device/plan", undefined],
      ["http://edge/v1/device/plan", '"plan-1"'],
    ]);
  });

  test("is taken from the disk after a restart without a network", async () => {
    const { disk, keeper } = await setUp(() => ({ status: 200, body: planOf() }));
    await keeper.refresh();
    const offline = await setUp(() => "lost", disk);
    expect(offline.keeper.plan).toEqual(planOf());
    expect(await offline.keeper.refresh()).toEqual({ kind: "wait", retryAfterMs: null, reason: "connection lost" });
    expect(offline.keeper.plan).toEqual(planOf());
  });

  test("is news by another ETag, and where the server does not know", async () => {
    const { keeper } = await setUp(() => ({ status: 200, body: planOf() }));
    expect(keeper.isNews("plan-1")).toBe(true);
    await keeper.refresh();
    expect([keeper.isNews("plan-1"), keeper.isNews("plan-2"), keeper.isNews(null)]).toEqual([false, true, true]);
  });

  test("that cannot be played is not taken: the old one stays, and what is wrong is told until a good one comes", async () => {
    const replies: Reply[] = [
      { status: 200, body: planOf() },
      { status: 200, body: planOf({ etag: "plan-2", items: {} }) },
      { status: 200, body: planOf({ etag: "plan-3" }) },
    ];
    const { disk, host, keeper } = await setUp(() => replies[host.requests.length - 1] ?? "lost");
    await keeper.refresh();
    const error = "The plan cannot be played: segment 0, loop, slot 0 shows an item that is not there.";
    expect(await keeper.refresh()).toEqual({ kind: "invalid", error });
    expect([keeper.lastError, keeper.plan?.etag, (await disk.load())?.etag]).toEqual([error, "plan-1", "plan-1"]);
    await keeper.refresh();
    expect(host.requests[2]?.headers["If-None-Match"]).toBe('"plan-1"');
    expect([keeper.lastError, keeper.plan?.etag]).toEqual([null, "plan-3"]);
  });

  test("that is no JSON is not taken", async () => {
    const { keeper } = await setUp(() => ({ status: 200, pieces: [new TextEncoder().encode("<html>")] }));
    expect(await keeper.refresh()).toMatchObject({ kind: "invalid" });
    expect(keeper.plan).toBe(null);
  });

  test("is played though the disk is full, which is told", async () => {
    const { disk, keeper } = await setUp(() => ({ status: 200, body: planOf() }));
    disk.full = true;
    expect(await keeper.refresh()).toMatchObject({ kind: "new" });
    expect([keeper.plan?.etag, keeper.lastError]).toEqual(["plan-1", "The plan could not be kept: disk full"]);
  });

  test("that the disk has spoilt counts as none", async () => {
    const disk = new Disk<Plan>();
    await disk.save({ ...planOf(), segments: [] });
    expect((await setUp(() => "lost", disk)).keeper.plan).toBe(null);
  });
});

describe("a plan is checked", () => {
  test("and one that this device can play is taken as it is, with what it does not know", () => {
    const plan = {
      ...asJson(planOf()),
      extra: 1,
      items: { ...planOf().items, d: { ...item(SHA.a), type: "hologram", url: null, bytes: null } },
    };
    expect(checkPlan(plan, DEVICE)).toEqual({ ok: true, plan });
  });

  const [first, second, third] = planOf().segments;
  test.each<[string, unknown, string]>([
    ["no object", [], "The plan is no JSON object."],
    ["another's", planOf({ device_id: "other" }), "it is another device's"],
    ["without an etag", planOf({ etag: "" }), "it has no etag"],
    ["backwards", planOf({ valid_to: planOf().valid_from }), "valid_from is not before valid_to"],
    ["without items", { ...planOf(), items: [] }, "it has no items"],
    ["without segments", { ...planOf(), segments: undefined }, "it has no segments"],
    ["of no segment", planOf({ segments: [] }), "its segments do not reach valid_to"],
    ["with a hole", { ...planOf(), segments: [first, third] }, "segment 1 does not begin where the time before it ends"],
    ["with an overlap", { ...planOf(), segments: [first, first] }, "segment 1 does not begin where the time before it ends"],
    ["that begins late", { ...planOf(), segments: [second, third] }, "segment 0 does not begin where the time before it ends"],
    ["that ends early", { ...planOf(), segments: [first, second] }, "its segments do not reach valid_to"],
    ["with an empty segment", planOf({ segments: [segment(0, 0, [])] }), "segment 0 does not end behind its beginning"],
    ["with a segment that is none", { ...planOf(), segments: [7] }, "segment 0 is no object"],
    ["without a loop", { ...planOf(), segments: [{ ...first, loop: null }] }, "segment 0, loop is no list"],
    ["with a nameless slot", planOf({ segments: [segment(0, 96, [slot("k", 0, "")])] }), "segment 0, loop, slot 0 does not say what it is"],
    [
      "with an item of Object's own",
      planOf({ segments: [segment(0, 96, [slot("k", 0, "toString")])] }),
      "segment 0, loop, slot 0 shows an item that is not there",
    ],
    [
      "with a slot of no length",
      planOf({ segments: [segment(0, 96, [slot("k", 0, "a", { duration_ms: 0 })])] }),
      "segment 0, loop, slot 0 has no duration",
    ],
    [
      "with a fallback of what is not there",
      planOf({ segments: [segment(0, 96, [], { fallback: [slot("k", 0, "z")] })] }),
      "segment 0, fallback, slot 0 shows an item that is not there",
    ],
    ["with an item without a hash", planOf({ items: { a: item("../../etc") } }), "item a has no sha256"],
    ["with an item of negative size", planOf({ items: { a: item(SHA.a, { bytes: -1 }) } }), "item a has no size"],
    ["with an item of no content", planOf({ items: { a: item(SHA.a, { content_id: "" }) } }), "item a does not say its content"],
    ["with an item of endless length", planOf({ items: { a: item(SHA.a, { duration_ms: -1 }) } }), "item a has no duration"],
  ])("%s", (_, plan, error) => {
    const told = error.endsWith(".") ? error : `The plan cannot be played: ${error}.`;
    expect(checkPlan(Array.isArray(plan) ? plan : asJson(plan), DEVICE)).toEqual({ ok: false, error: told });
  });
});
