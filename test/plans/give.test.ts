import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { readKeptPlan } from "../../src/plans/serve.ts";
import type { SlotBook } from "../../src/plans/slots.ts";
import { Problem } from "../../src/platform/errors.ts";
import { HOUR_MS } from "../../src/platform/time.ts";
import { admin } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { beat } from "../support/heartbeats.ts";
import { playlistWithItems, scheduleOf } from "../support/media.ts";
import { ask, FINE, give, signedPlay, slotsEtag, UNPLANNED, verdictOf } from "../support/plans.ts";

describe("giving a plan", () => {
  let device: TestDevice;
  let contentId: string;
  const now = Date.now();
  beforeEach(async () => {
    device = await makeDevice();
    const list = await playlistWithItems(1, { campaign_id: device.campaignId });
    contentId = list.contentId;
    await scheduleOf(list.id, "GROUP", device.groupId);
  });

  const object = () => env.SEQUENCER.getByName(device.id);
  /** The object cannot write any more, or can again. */
  const setMeta = (rename: "meta RENAME TO away" | "away RENAME TO meta") =>
    runInDurableObject(object(), (_, state) => void state.storage.sql.exec(`ALTER TABLE ${rename}`));
  const keptSlots = () =>
    runInDurableObject(object(), (_, state) => {
      const [row] = state.storage.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = 'slots'").toArray();
      return row ? (JSON.parse(JSON.parse(row.value)) as SlotBook) : null;
    });

  test("makes its slots known first, once", async () => {
    const first = await ask(device);
    expect(first.status).toBe(200);
    expect(`"${await slotsEtag(device)}"`).toBe(first.etag);
    const slots = await keptSlots();
    expect(slots?.items.map(([, content]) => content)).toEqual([contentId]);
    await setMeta("meta RENAME TO away");
    expect(await ask(device)).toEqual(first);
    expect(await ask(device, first.etag)).toEqual({ ...first, status: 304, text: "" });
    await setMeta("away RENAME TO meta");
    expect(await keptSlots()).toEqual(slots);
  });

  test("waits for the sequencer: 503 until it answers, to whom has the plan already too", async () => {
    await object().refreshProfile();
    await setMeta("meta RENAME TO away");
    const refused = await ask(device);
    expect([refused.status, refused.retryAfter, JSON.parse(refused.text).type]).toEqual([503, "5", "/docs/errors/service-unavailable"]);
    const kept = await readKeptPlan(env.DB, device.id);
    expect(kept).toMatchObject({ slots_etag: null, stale: 0 });
    expect((await ask(device, `"${kept?.etag}"`)).status).toBe(503);
    await setMeta("away RENAME TO meta");
    expect((await beat(device)).body.plan_etag).toBeNull();
    expect(await ask(device, `"${kept?.etag}"`)).toMatchObject({ status: 304, etag: `"${kept?.etag}"` });
    expect(await slotsEtag(device)).toBe(kept?.etag);
    expect((await beat(device)).body.plan_etag).toBe(kept?.etag);
  });

  test("hands over again what was made or handed over without being noted", async () => {
    const lostAnswer = {
      ...env,
      SEQUENCER: {
        getByName: (id: string) => ({
          keepSlots: async (slots: SlotBook, at: number) => {
            await env.SEQUENCER.getByName(id).keepSlots(slots, at);
            throw new Error("injected: the answer is lost");
          },
        }),
      } as unknown as Env["SEQUENCER"],
    };
    const failure = await give(device, now, lostAnswer).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Problem);
    expect(failure).toMatchObject({ type: "service-unavailable" });
    const slots = await keptSlots();
    expect([slots?.items.length, await slotsEtag(device)]).toEqual([1, null]);
    const plan = await give(device, now);
    expect([await keptSlots(), await slotsEtag(device)]).toEqual([slots, plan.etag]);
  });

  test("goes on where D1 cannot note that the slots are known: they are handed over again", async () => {
    const db = new Proxy(env.DB, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (String(args[0]).startsWith("UPDATE playout_plans")) throw new Error("injected: D1 is away");
          return Reflect.apply(value, target, args);
        };
      },
    });
    const plan = await give(device, now, { ...env, DB: db });
    expect([(await keptSlots())?.items.length, await slotsEtag(device)]).toEqual([1, null]);
    expect((await ask(device, `"${plan.etag}"`)).status).toBe(304);
    expect(await slotsEtag(device)).toBe(plan.etag);
  });

  test("gives the slots of an older plan their time back, when that one is given again", async () => {
    // All on one day of the store.
    const noon = Date.parse("2026-11-20T05:00:00Z");
    const first = await give(device, noon - HOUR_MS);
    const schedule = await env.DB.prepare("SELECT id FROM schedules WHERE target_id = ?").bind(device.groupId).first<string>("id");
    const set = (archived: boolean) => admin("PATCH", `/v1/admin/schedules/${schedule}`, { archived });
    await set(true);
    const empty = await give(device, noon);
    await set(false);
    expect((await give(device, noon + HOUR_MS)).etag).toBe(first.etag);
    expect([empty.etag === first.etag, await slotsEtag(device)]).toEqual([false, first.etag]);
    const [loop] = Object.values((await keptSlots())?.loops ?? {});
    expect(loop?.times).toEqual([
      [noon - HOUR_MS, noon],
      [noon + HOUR_MS, Date.parse(first.valid_to)],
    ]);
  });

  test("of more slots than a row of the object's storage holds, keeps those that are nearest", async () => {
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
    const hours = 24 * 9;
    const book: SlotBook = { items: [], loops: {}, covered: [[hour - hours * HOUR_MS, hour + HOUR_MS]] };
    for (let index = 0; index <= hours; index++) {
      const slots = Array.from({ length: 80 }, (_, item) => index * 80 + item);
      for (const slot of slots) book.items.push([crypto.randomUUID(), `content-${slot}`, "a".repeat(64), 1000]);
      const from = hour + (index - hours) * HOUR_MS;
      book.loops[`loop${index}`] = { times: [[from, from + HOUR_MS]], slots };
    }
    await object().keepSlots(book, hour - hours * HOUR_MS);
    const bytes = await runInDurableObject(object(), (_, state) => {
      return state.storage.sql.exec<{ bytes: number }>("SELECT length(CAST(value AS BLOB)) AS bytes FROM meta WHERE key = 'slots'").one()
        .bytes;
    });
    // An hour of these plans takes about 10 kB.
    expect([bytes > 1_870_000, bytes <= 1_900_000]).toEqual([true, true]);
    const kept = await keptSlots();
    expect(Object.keys(kept?.loops ?? {})[0]).toBe("loop0");
    expect(kept?.covered[0]?.[0]).toBe(hour - hours * HOUR_MS);
    // Given again now, all of that is past, and the oldest hours go.
    await object().keepSlots(book, hour);
    const later = await keptSlots();
    expect(Object.keys(later?.loops ?? {}).at(-1)).toBe(`loop${hours}`);
    expect(Object.keys(later?.loops ?? {})[0]).not.toBe("loop0");
    expect(later?.covered.at(-1)?.[1]).toBe(hour + HOUR_MS);
  });

  test("again after the object's storage was lost: the heartbeat asks for it, and the device need not load it", async () => {
    const { etag } = await ask(device);
    expect((await beat(device)).body.plan_etag).toBe(etag.slice(1, -1));
    await runInDurableObject(object(), async (_, state) => {
      await state.storage.deleteAll();
    });
    await abortAllDurableObjects();
    await beat(device);
    expect(await slotsEtag(device)).toBeNull();
    expect((await beat(device)).body.plan_etag).toBeNull();
    const short = async () => await verdictOf(device, await signedPlay(device, contentId, Date.now() + 1000, { status: "PARTIAL" }, 3000));
    expect(await short()).toEqual(UNPLANNED);
    expect(await ask(device, etag)).toMatchObject({ status: 304, etag });
    expect((await beat(device)).body.plan_etag).toBe(etag.slice(1, -1));
    expect(await short()).toEqual({ ...FINE, billable: false });
    // An object that is only woken up keeps them.
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    expect(await slotsEtag(device)).toBe(etag.slice(1, -1));
  });
});
