import { describe, expect, test } from "vitest";
import { items, loopOf, planOf, playlist, schedule, shown, version } from "./fixture.ts";

describe("one playlist", () => {
  test("plays in order, whatever the order of the list", () => {
    const list = playlist("p", ["a", "b", "c"]);
    const shuffled = { ...list, items: [...list.items].reverse() };
    expect(loopOf({ schedules: [schedule("p")], playlists: [shuffled] })).toBe("a b c");
  });

  test("shows an item of weight n n times, evenly spread", () => {
    const loop = (...shapes: [string, number][]) => loopOf({ schedules: [schedule("p")], playlists: [playlist("p", shapes)] });
    expect(loop(["a", 2], ["b", 1], ["c", 1])).toBe("a b a c");
    expect(loop(["a", 2], ["b", 2])).toBe("a b a b");
    expect(loop(["a", 5], ["b", 3], ["c", 2])).toBe("a b a c a b a b a c");
    expect(loop(["a", 3])).toBe("a a a");
  });

  test("goes on without an item whose file is not known", () => {
    expect(
      loopOf({ schedules: [schedule("p")], playlists: [playlist("p", ["a", "gone", "b"])], versions: [version("a"), version("b")] }),
    ).toBe("a b");
  });
});

describe("equals of the highest priority", () => {
  test("share the loop by weight, and each goes on where it was", () => {
    const schedules = [schedule("p", { weight: 2 }), schedule("q", { weight: 1 })];
    expect(loopOf({ schedules, playlists: [playlist("p", ["a", "b", "c"]), playlist("q", ["x"])] })).toBe("a b x c a x b c x");
  });

  test("of the same weight take turns, whatever that weight is", () => {
    const schedules = [schedule("p", { weight: 7 }), schedule("q", { weight: 7 })];
    expect(loopOf({ schedules, playlists: [playlist("p", ["a", "b"]), playlist("q", ["x", "y"])] })).toBe("a x b y");
  });

  test("show every item where the loop cannot come out even in reasonable length", () => {
    // 23 and 29 items, one after the other: even after 667 turns each.
    const letters = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    const playlists = [playlist("p", letters("a", 23)), playlist("q", letters("x", 29))];
    const loop = loopOf({ schedules: [schedule("p"), schedule("q")], playlists }).split(" ");
    expect(loop.length).toBe(360);
    expect(new Set(loop).size).toBe(52);
    expect(loop.filter((item) => item.startsWith("a")).length).toBe(180);
  });

  test("show every item where the weights leave a long playlist next to nothing", () => {
    const long = Array.from({ length: 300 }, (_, index) => `x${index}`);
    const schedules = [schedule("p", { weight: 99 }), schedule("q", { weight: 1 })];
    const loop = loopOf({ schedules, playlists: [playlist("p", ["a"]), playlist("q", long)] }).split(" ");
    // 30,000 slots would keep the weights; 2,000 is the limit: 1,980 of them for p, and each item of q once.
    expect(loop.length).toBe(2280);
    expect(loop.filter((item) => item === "a").length).toBe(1980);
    expect(new Set(loop).size).toBe(301);
  });

  test("without anything to play leave it to the others", () => {
    const schedules = [schedule("p", { weight: 9 }), schedule("q")];
    expect(loopOf({ schedules, playlists: [playlist("p", []), playlist("q", ["x"])] })).toBe("x");
  });
});

describe("share of voice", () => {
  const quarter = schedule("v", { share_of_voice_s_per_hour: 900 });

  test("has its seconds of the hour among those of its priority", () => {
    expect(loopOf({ schedules: [quarter, schedule("p")], playlists: [playlist("v", ["v"]), playlist("p", ["a", "b", "c"])] })).toBe(
      "a b v c",
    );
  });

  test("leaves the rest to the default playlist, by the length of what it shows", () => {
    // v: 600 s of 20 s each; i: 1,200 s of 10 s; d and e, 20 s on average, have the 1,800 s that are left: 1 : 4 : 3.
    const plan = planOf({
      schedules: [schedule("v", { share_of_voice_s_per_hour: 600 }), schedule("i", { share_of_voice_s_per_hour: 1200 })],
      playlists: [
        playlist("v", [["v", 1, 20_000]]),
        playlist("i", [["i", 1, 10_000]]),
        playlist("d", [
          ["d", 1, 10_000],
          ["e", 1, 30_000],
        ]),
      ],
      default_playlist_id: "d",
    });
    expect(shown(plan.segments[0])).toBe("i d i e i v i d i e i d i v i e");
  });

  test("fills the hour in its ratio where there is nothing else", () => {
    const schedules = [schedule("v", { share_of_voice_s_per_hour: 900 }), schedule("w", { share_of_voice_s_per_hour: 300 })];
    expect(loopOf({ schedules, playlists: [playlist("v", ["v"]), playlist("w", ["w"])] })).toBe("v v v w");
  });

  test("of more than an hour is cut in its ratio, and leaves nothing", () => {
    const schedules = [
      schedule("p", { weight: 5 }),
      schedule("v", { share_of_voice_s_per_hour: 3600 }),
      schedule("w", { share_of_voice_s_per_hour: 3600 }),
    ];
    expect(loopOf({ schedules, playlists: [playlist("p", ["a"]), playlist("v", ["v"]), playlist("w", ["w"])] })).toBe("v w");
  });

  test("plays once an hour where it is less than half a play", () => {
    const schedules = [schedule("v", { share_of_voice_s_per_hour: 1 }), schedule("p")];
    const loop = loopOf({ schedules, playlists: [playlist("v", ["v"]), playlist("p", ["a"])] }).split(" ");
    expect([loop.length, loop.filter((item) => item === "v").length]).toEqual([240, 1]);
  });

  test("takes more than an hour's loop where its playlist needs more turns than an hour has", () => {
    // 30 s an hour: 2 of 240 slots. Its 6 items take 3 hours.
    const schedules = [schedule("v", { share_of_voice_s_per_hour: 30 }), schedule("p")];
    const loop = loopOf({ schedules, playlists: [playlist("v", ["t", "u", "v", "w", "x", "y"]), playlist("p", ["a"])] }).split(" ");
    expect([loop.length, new Set(loop).size, loop.filter((item) => item === "a").length]).toEqual([720, 7, 714]);
  });
});

describe("the default playlist", () => {
  const lunch = { dayparts: [{ from: "11:00", to: "13:00" }] };

  test("plays where no schedule is on", () => {
    const plan = planOf({
      schedules: [schedule("p", lunch)],
      playlists: [playlist("p", ["a"]), playlist("d", ["d", "e"])],
      default_playlist_id: "d",
    });
    expect(plan.segments.slice(0, 3).map((segment) => [segment.from, segment.schedule_ids, shown(segment)])).toEqual([
      ["2026-11-19T17:00:00.000Z", [], "d e"],
      ["2026-11-20T04:00:00.000Z", ["p"], "a"],
      ["2026-11-20T06:00:00.000Z", [], "d e"],
    ]);
  });

  test("plays for a schedule that has nothing to play", () => {
    expect(loopOf({ schedules: [schedule("p")], playlists: [playlist("d", ["d"])], default_playlist_id: "d" })).toBe("d");
  });

  test("that there is not leaves an empty loop, no hole", () => {
    const plan = planOf({});
    expect(plan.segments).toEqual([{ from: "2026-11-19T17:00:00.000Z", to: "2026-11-23T17:00:00.000Z", schedule_ids: [], loop: [] }]);
    expect(plan.items).toEqual({});
  });

  test("stands by where every slot of a loop is capped", () => {
    const schedules = [schedule("p", { frequency_cap: { max_plays_per_hour: 6 } }), schedule("q", { priority: -1 })];
    const playlists = [playlist("p", ["a"]), playlist("q", ["b"]), playlist("d", ["d", "e"])];
    const capped = planOf({ schedules, playlists, default_playlist_id: "d" }).segments[0];
    expect([shown(capped), capped?.fallback?.map(({ item }) => item)]).toEqual(["a", ["d", "e"]]);
    const mixed = planOf({
      schedules: [...schedules, schedule("r")],
      playlists: [...playlists, playlist("r", ["c"])],
      default_playlist_id: "d",
    });
    expect([shown(mixed.segments[0]), mixed.segments[0]?.fallback]).toEqual(["a c", undefined]);
  });
});

describe("items", () => {
  test("carry what they are, for whom, and how often at most", () => {
    const frequency_cap = { max_plays_per_hour: 6, max_plays_per_day: 100 };
    const plan = planOf({ schedules: [schedule("p", { frequency_cap })], playlists: [playlist("p", ["a"], "campaign")] });
    expect(plan.items).toEqual({
      a: {
        content_id: "content-a",
        type: "video",
        sha256: "sha-a",
        url: "https://files/a",
        bytes: 1000,
        duration_ms: 15_000,
        campaign_id: "campaign",
        ad_group_id: "campaign-group",
        caps: frequency_cap,
      },
    });
  });

  test("last as long as the item says, else the version, else 10 s; a video else to its end", () => {
    const image = (id: string, duration_ms: number | null) => version(id, { type: "image", duration_ms });
    const plan = planOf({
      schedules: [schedule("p")],
      playlists: [playlist("p", [["own", 1, 7000], "version", "neither", "page", "film", ["cut", 1, 5000]])],
      versions: [
        image("own", 8000),
        image("version", 8000),
        image("neither", null),
        version("page", { type: "web", duration_ms: null }),
        version("film", { duration_ms: null }),
        version("cut"),
      ],
    });
    const durations = Object.fromEntries(Object.entries(plan.items).map(([id, { duration_ms }]) => [id, duration_ms]));
    expect(durations).toEqual({ own: 7000, version: 8000, neither: 10_000, page: 10_000, film: null, cut: 5000 });
  });

  test("on other terms elsewhere say so at the slot, and what is for nobody stays for nobody", () => {
    const plan = planOf({
      schedules: [schedule("p", { frequency_cap: { max_plays_per_day: 3 } }), schedule("q")],
      playlists: [playlist("p", ["a"], "campaign"), playlist("q", [["a", 1, 9000]])],
    });
    expect(plan.items.a).toMatchObject({ campaign_id: null, ad_group_id: null, duration_ms: 9000, caps: {} });
    const key = plan.segments[0]?.loop[0]?.slot_id.split("-")[0];
    expect(plan.segments[0]?.loop).toEqual([
      {
        slot_id: `${key}-0`,
        item: "a",
        playlist_id: "p",
        duration_ms: 15_000,
        campaign_id: "campaign",
        ad_group_id: "campaign-group",
        caps: { max_plays_per_day: 3 },
      },
      { slot_id: `${key}-1`, item: "a", playlist_id: "q" },
    ]);
  });
});

describe("a takeover", () => {
  const message = (id: string, from: string, to: string | null, version: string) => ({
    id,
    from: Date.parse(from),
    to: to === null ? null : Date.parse(to),
    items: items([[version, 1, 20_000]]),
  });
  const base = { schedules: [schedule("p", { priority: 1000 })], playlists: [playlist("p", ["a", "fire"], "campaign")] };

  test("stands in place of everything from its beginning until it is lifted, for nobody's account", () => {
    const plan = planOf({ ...base, takeovers: [message("t", "2026-11-20T05:00:30Z", "2026-11-20T06:00:00Z", "fire")] });
    expect(plan.segments.map((segment) => [segment.from, segment.to, segment.schedule_ids, segment.takeover_id, shown(segment)])).toEqual([
      ["2026-11-19T17:00:00.000Z", "2026-11-20T05:00:30.000Z", ["p"], undefined, "a fire"],
      ["2026-11-20T05:00:30.000Z", "2026-11-20T06:00:00.000Z", [], "t", "fire"],
      ["2026-11-20T06:00:00.000Z", "2026-11-23T17:00:00.000Z", ["p"], undefined, "a fire"],
    ]);
    expect(plan.items.fire).toMatchObject({ campaign_id: null, ad_group_id: null, duration_ms: 20_000, caps: {} });
    expect(plan.segments[1]?.loop).toEqual([{ slot_id: expect.stringMatching(/^[0-9a-f]{16}-0$/), item: "fire", playlist_id: null }]);
    expect(plan.segments[0]?.loop[1]).toMatchObject({ item: "fire", campaign_id: "campaign", duration_ms: 15_000 });
  });

  test("that is not lifted stands to the plan's end; of two the later one stands, and the other again behind it", () => {
    const takeovers = [
      message("storm", "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "storm"),
      message("fire", "2026-11-18T00:00:00Z", null, "fire"),
    ];
    const plan = planOf({ ...base, versions: ["a", "fire", "storm"].map((id) => version(id)), takeovers });
    expect(plan.segments.map(({ from, takeover_id }) => [from, takeover_id])).toEqual([
      ["2026-11-19T17:00:00.000Z", "fire"],
      ["2026-11-20T08:00:00.000Z", "storm"],
      ["2026-11-20T09:00:00.000Z", "fire"],
    ]);
  });

  test("with nothing to show leaves the screens as they are", () => {
    const takeovers = [message("t", "2026-11-20T05:00:00Z", null, "gone")];
    expect(loopOf({ ...base, versions: [version("a")], takeovers })).toBe("a");
  });
});

test("the whole plan of a device, as it goes out", () => {
  const plan = planOf({
    schedules: [schedule("p", { dayparts: [{ days: ["fri"], from: "22:00", to: "02:00" }] })],
    playlists: [playlist("p", [["a", 2], "b"], "campaign"), playlist("d", ["d"])],
    default_playlist_id: "d",
  });
  const [, evening] = plan.segments;
  const key = evening?.loop[0]?.slot_id.slice(0, 16);
  const other = plan.segments[0]?.loop[0]?.slot_id.slice(0, 16);
  expect(key).not.toBe(other);
  const filler = [{ slot_id: `${other}-0`, item: "d", playlist_id: "d" }];
  const bought = { campaign_id: "campaign", ad_group_id: "campaign-group", caps: {}, bytes: 1000, duration_ms: 15_000, type: "video" };
  expect(plan).toEqual({
    device_id: "device",
    store_id: "store",
    timezone: "Asia/Ho_Chi_Minh",
    valid_from: "2026-11-19T17:00:00.000Z",
    valid_to: "2026-11-23T17:00:00.000Z",
    etag: expect.stringMatching(/^1-[0-9a-f]{32}$/),
    segments: [
      { from: "2026-11-19T17:00:00.000Z", to: "2026-11-20T15:00:00.000Z", schedule_ids: [], loop: filler },
      {
        from: "2026-11-20T15:00:00.000Z",
        to: "2026-11-20T19:00:00.000Z",
        schedule_ids: ["p"],
        loop: ["a", "a", "b"].map((item, place) => ({ slot_id: `${key}-${place}`, item, playlist_id: "p" })),
      },
      { from: "2026-11-20T19:00:00.000Z", to: "2026-11-23T17:00:00.000Z", schedule_ids: [], loop: filler },
    ],
    items: {
      a: { content_id: "content-a", sha256: "sha-a", url: "https://files/a", ...bought },
      b: { content_id: "content-b", sha256: "sha-b", url: "https://files/b", ...bought },
      d: { content_id: "content-d", sha256: "sha-d", url: "https://files/d", ...bought, campaign_id: null, ad_group_id: null },
    },
  });
});

test("a device without a store lives by UTC", () => {
  const plan = planOf({ store: null });
  expect([plan.store_id, plan.timezone, plan.valid_from]).toEqual([null, "UTC", "2026-11-20T00:00:00.000Z"]);
});
