import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sumPlanned } from "../../src/plans/planned-upkeep.ts";
import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { addDays } from "../../src/reports/query.ts";
import { clearPlays, commitPlays, type RecordedPlay, recordedPlay, registerNetwork, testId } from "../support/aggregates.ts";
import { parseCsv } from "../support/csv.ts";
import { clearPlanned, notePlans } from "../support/planned.ts";
import { bearer, makeToken } from "../support/tokens.ts";

const PATH = "/v1/admin/reports/planned";
/** Far behind the hot window of thirty days, whenever this runs. */
const OLD_DAY = "2025-03-08";
const DAY = utcDay(Date.now() - 5 * DAY_MS);
const [DAY_2, DAY_3] = [addDays(DAY, 1), addDays(DAY, 2)];
const RANGE = `from=${DAY}&to=${DAY_3}`;

async function get(path: string): Promise<Response> {
  return await exports.default.fetch(`http://localhost${path}`, { headers: { Authorization: "Bearer test-admin-token" } });
}

interface Report {
  source: string;
  items: Record<string, string | number | null>[];
  next_cursor: string | null;
  totals?: Record<string, number | null>;
}

async function report(query: string): Promise<Report> {
  const answer = await get(`${PATH}?${query}`);
  expect(answer.status, query).toBe(200);
  return await answer.json();
}

async function problem(query: string, path = PATH): Promise<Record<string, unknown>> {
  const answer = await get(`${path}?${query}`);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  return await answer.json();
}

/** The values of some columns, row by row. */
function columns(items: Report["items"], ...names: string[]) {
  return items.map((row) => names.map((name) => row[name]));
}

/** `count` plays. */
function plays(count: number, given: Partial<RecordedPlay> & { day: string }): RecordedPlay[] {
  return Array.from({ length: count }, () => recordedPlay(given));
}

beforeAll(async () => await registerNetwork(env.DB, 12));
beforeEach(async () => {
  await clearPlays(env.DB);
  await clearPlanned(env.DB);
});

describe("planned against played", () => {
  test("by device, campaign and day has names, figures and the part that was delivered", async () => {
    await notePlans(env.DB, [
      {
        day: DAY,
        campaigns: [
          [1, 3],
          [null, 7],
        ],
      },
    ]);
    await commitPlays(
      env.DB,
      [recordedPlay({ day: DAY }), recordedPlay({ day: DAY, result: "PARTIAL", billable: 0, duration_ms: 4000 })],
      1,
    );
    const { items, ...rest } = await report(`from=${DAY}&to=${DAY}&group_by=day,device,campaign&totals=true`);
    const device = { day: DAY, device_id: testId("device", 1), device_name: "Screen 1" };
    expect(rest).toEqual({
      source: "events",
      generated_at: expect.any(String),
      from: DAY,
      to: DAY,
      group_by: ["day", "device", "campaign"],
      next_cursor: null,
      totals: {
        planned_plays: 10,
        planned_ms: 100_000,
        played_plays: 2,
        completed: 1,
        billable_plays: 1,
        played_ms: 14_000,
        delivery: 0.2,
      },
    });
    expect(items).toEqual([
      {
        ...device,
        campaign_id: null,
        campaign_name: null,
        planned_plays: 7,
        planned_ms: 70_000,
        played_plays: 0,
        completed: 0,
        billable_plays: 0,
        played_ms: 0,
        delivery: 0,
      },
      {
        ...device,
        campaign_id: testId("campaign", 1),
        campaign_name: "Campaign 1",
        planned_plays: 3,
        planned_ms: 30_000,
        played_plays: 2,
        completed: 1,
        billable_plays: 1,
        played_ms: 14_000,
        delivery: 0.6667,
      },
    ]);
  });

  test("tells that no plan stood (null) from a plan that had nothing of it (0), by device and without", async () => {
    await notePlans(env.DB, [
      { day: DAY, campaigns: [[1, 10]] },
      { day: DAY_2, campaigns: [] },
    ]);
    await commitPlays(
      env.DB,
      [DAY, DAY_2, DAY_3].flatMap((day) => plays(2, { day, campaign_id: testId("campaign", 2) })),
      1,
    );
    const expected = [
      [DAY, testId("campaign", 1), 10, 0, 0],
      [DAY, testId("campaign", 2), 0, 2, null],
      [DAY_2, testId("campaign", 2), 0, 2, null],
      [DAY_3, testId("campaign", 2), null, 2, null],
    ];
    const names = ["day", "campaign_id", "planned_plays", "played_plays", "delivery"];
    const both = async () => [
      columns((await report(`${RANGE}&group_by=day,campaign`)).items, ...names),
      columns((await report(`${RANGE}&group_by=day,device,campaign`)).items, ...names),
    ];
    expect(await both()).toEqual([expected, expected]);
    await sumPlanned(env.DB);
    expect(await both()).toEqual([expected, expected]);
    const byDay = [
      [DAY, 10, 2],
      [DAY_2, 0, 2],
      [DAY_3, null, 2],
    ];
    for (const groups of ["day", "day,device"])
      expect(columns((await report(`${RANGE}&group_by=${groups}`)).items, "day", "planned_plays", "played_plays"), groups).toEqual(byDay);
    const ofCampaign = async (query: string) =>
      (await report(`${query}&group_by=day&totals=true&campaign_id=${testId("campaign", 2)}`)).totals;
    expect(await ofCampaign(RANGE)).toMatchObject({ planned_plays: 0, planned_ms: 0, played_plays: 6 });
    expect(await ofCampaign(`from=${DAY_3}&to=${DAY_3}`)).toMatchObject({
      planned_plays: null,
      planned_ms: null,
      played_plays: 2,
      delivery: null,
    });
  });

  test("an empty plan of a device that played nothing is a row of zeros; where neither was, there is none", async () => {
    await notePlans(env.DB, [{ day: DAY, campaigns: [] }]);
    expect(columns((await report(`${RANGE}&group_by=device,day`)).items, "day", "planned_plays", "played_plays", "delivery")).toEqual([
      [DAY, 0, 0, null],
    ]);
    expect((await report(`${RANGE}&group_by=device,campaign`)).items).toEqual([]);
  });

  test("gives the same sums whether days are summed up or not, of plans that change between too", async () => {
    await notePlans(env.DB, [
      {
        day: DAY,
        device: 1,
        campaigns: [
          [1, 10],
          [null, 5],
        ],
      },
      { day: DAY, device: 2, store: 2, campaigns: [[1, 20]] },
      { day: DAY_2, device: 1, campaigns: [[2, 7]] },
    ]);
    const shapes = [
      "day",
      "campaign",
      "day,campaign,store",
      "store",
      "supplier,day",
      `day&store_id=${testId("store", 2)}`,
      `day&campaign_id=none`,
    ];
    const all = async () =>
      await Promise.all(shapes.map(async (shape) => (await report(`${RANGE}&totals=true&group_by=${shape}`)).totals?.planned_plays));
    const rows = async () => (await report(`${RANGE}&group_by=campaign,store`)).items;
    const before = [await all(), await rows()];
    expect(before[0]).toEqual([42, 42, 42, 42, 42, 20, 5]);
    expect(columns(await rows(), "campaign_id", "store_id", "planned_plays")).toEqual([
      [null, testId("store", 1), 5],
      [testId("campaign", 1), testId("store", 1), 10],
      [testId("campaign", 1), testId("store", 2), 20],
      [testId("campaign", 2), testId("store", 1), 7],
    ]);
    expect(await sumPlanned(env.DB)).toEqual({ days: [DAY, DAY_2] });
    expect([await all(), await rows()]).toEqual(before);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM planned_daily WHERE device_id = ?").bind(testId("device", 2)),
      env.DB.prepare("UPDATE planned_days SET dirty = 1 WHERE day = ?").bind(DAY),
    ]);
    const after = await rows();
    expect(columns(after, "planned_plays")).toEqual([[5], [10], [7]]);
    expect(await sumPlanned(env.DB)).toEqual({ days: [DAY] });
    expect(await rows()).toEqual(after);
    expect(await sumPlanned(env.DB)).toEqual({ days: [] });
  });

  test("beyond the hot window knows devices by day, without what was completed; by campaign it names the archive", async () => {
    await notePlans(env.DB, [{ day: OLD_DAY, campaigns: [[1, 4]] }]);
    await env.DB.prepare("UPDATE planned_daily SET campaigns_json = '[]'").run();
    await commitPlays(env.DB, plays(3, { day: OLD_DAY }), 1);
    const range = `from=${OLD_DAY}&to=${OLD_DAY}`;
    const { source, items } = await report(`${range}&group_by=device,day`);
    expect([source, columns(items, "planned_plays", "planned_ms", "played_plays", "completed", "billable_plays", "delivery")]).toEqual([
      "device_activity",
      [[4, 40_000, 3, null, 3, 0.75]],
    ]);
    for (const path of [PATH, `${PATH}.csv`]) {
      expect(await problem(`${range}&group_by=device,campaign`, path)).toMatchObject({
        status: 422,
        code: "BEYOND_HOT_WINDOW",
        detail: expect.stringContaining("plays/dt=YYYY-MM-DD/"),
      });
    }
  });

  test.each([
    ["unknown groups", "group_by=device,content", "/group_by", '"content" is no group; allowed are day, device, campaign, store, supplier'],
    [
      "devices behind other groups",
      "group_by=campaign,device",
      "/group_by",
      "device comes first, or second behind day, unless device_id says which devices",
    ],
    ["filters that a plan does not know", "content_id=none", "/content_id", 'There is no field "content_id" here.'],
    ["reversed days", "from=2026-03-02&to=2026-03-01", "/from", "2026-03-02 is after to (2026-03-01)"],
    [
      "a cursor that goes on nowhere",
      `from=2026-03-01&to=2026-03-02&group_by=day&cursor=${btoa('["2026-03-01","2026-03-02","day",["never"]]').replaceAll("=", "")}`,
      "/cursor",
      "is not one of ours",
    ],
  ])("refuses %s", async (_, query, pointer, detail) => {
    expect(await problem(query)).toMatchObject({ status: 400, errors: [{ pointer, detail }] });
  });

  test("devices may stand anywhere where the report says which", async () => {
    await notePlans(env.DB, [{ day: DAY, campaigns: [[1, 4]] }]);
    const { items } = await report(`${RANGE}&group_by=campaign,device&device_id=${testId("device", 1)}&device_id=${testId("device", 2)}`);
    expect(columns(items, "campaign_id", "device_id", "planned_plays")).toEqual([[testId("campaign", 1), testId("device", 1), 4]]);
  });
});

describe("who sees only a part", () => {
  beforeEach(async () => {
    await notePlans(
      env.DB,
      [1, 2, 3].map((n) => ({
        day: DAY,
        device: n,
        store: n,
        campaigns: [
          [1, n],
          [2, 10],
        ] as [number, number][],
      })),
    );
    const place = (n: number) => ({ device_id: testId("device", n), store_id: testId("store", n), supplier_id: testId("supplier", n) });
    await commitPlays(
      env.DB,
      [1, 2, 3].flatMap((n) =>
        [1, 2].map((campaign) => recordedPlay({ day: DAY, ...place(n), campaign_id: testId("campaign", campaign) })),
      ),
      1,
    );
    await env.DB.batch([
      ...[1, 2, 3].map((n) =>
        env.DB.prepare("INSERT OR REPLACE INTO device_assignments (device_id, valid_from, store_id, supplier_id) VALUES (?, 0, ?, ?)").bind(
          testId("device", n),
          testId("store", n),
          testId("supplier", n),
        ),
      ),
      env.DB.prepare("UPDATE campaigns SET brand_name = 'Cola' WHERE id = ?").bind(testId("campaign", 1)),
    ]);
  });

  async function seen(token: string, query: string): Promise<Report> {
    const answer = await exports.default.fetch(`http://localhost${PATH}?${RANGE}&${query}`, { headers: bearer(token) });
    expect(answer.status, query).toBe(200);
    return await answer.json();
  }

  test("a supplier's viewer: its stores' plans and plays, whatever is asked for", async () => {
    const { token } = await makeToken("viewer", { supplier_id: testId("supplier", 2) });
    const figures = ["planned_plays", "played_plays"];
    for (const group of ["day", "store", "device", "supplier,day", `day&store_id=${testId("store", 1)}&store_id=${testId("store", 2)}`]) {
      const { items, totals } = await seen(token, `group_by=${group}&totals=true`);
      expect([columns(items, ...figures), columns([totals ?? {}], ...figures)], group).toEqual([[[12, 2]], [[12, 2]]]);
    }
    expect(columns((await seen(token, "group_by=device,campaign")).items, "device_id", ...figures)).toEqual([
      [testId("device", 2), 2, 1],
      [testId("device", 2), 10, 1],
    ]);
    expect((await seen(token, `group_by=device&device_id=${testId("device", 1)}`)).items).toEqual([]);
    const file = await exports.default.fetch(`http://localhost${PATH}.csv?${RANGE}&group_by=device`, { headers: bearer(token) });
    expect(parseCsv(await file.text()).map(([id]) => id)).toEqual(["device_id", testId("device", 2)]);
    const page = await seen(token, "group_by=device,campaign&limit=1");
    expect(atob(page.next_cursor ?? "")).toContain(testId("device", 2));
    expect((await seen(token, `group_by=device,campaign&limit=1&cursor=${page.next_cursor}`)).next_cursor).toBeNull();
  });

  test("a brand's viewer: its campaigns, on all screens", async () => {
    const { token } = await makeToken("viewer", { brand_name: "Cola" });
    for (const group of ["campaign", "day"])
      expect(columns((await seen(token, `group_by=${group}`)).items, "planned_plays", "played_plays"), group).toEqual([[6, 3]]);
    expect(columns((await seen(token, "group_by=device,campaign")).items, "campaign_name", "planned_plays")).toEqual(
      [1, 2, 3].map((n) => ["Campaign 1", n]),
    );
    expect((await seen(token, `group_by=campaign&campaign_id=${testId("campaign", 2)}`)).items).toEqual([]);
  });
});

describe("pages and the file", () => {
  /** Twelve devices: a third planned only, a third played only, a third both; on two days, of two campaigns. */
  async function network() {
    const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
    const days = [DAY, DAY_3];
    await notePlans(
      env.DB,
      numbers
        .filter((n) => n % 3 !== 0)
        .flatMap((device) =>
          days.map((day) => ({
            day,
            device,
            store: device,
            campaigns: [
              [1, device],
              [2, 1],
            ] as [number, number][],
          })),
        ),
    );
    await commitPlays(
      env.DB,
      numbers
        .filter((n) => n % 3 !== 1)
        .flatMap((n) =>
          days.flatMap((day) =>
            plays(1, { day, device_id: testId("device", n), store_id: testId("store", n), supplier_id: testId("supplier", n) }),
          ),
        ),
      1,
    );
  }

  async function paged(query: string, limit: number) {
    const items: Report["items"] = [];
    let [cursor, pages] = ["", 0];
    do {
      const page = await report(`${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      cursor = page.next_cursor ?? "";
      pages += 1;
    } while (cursor !== "" && pages < 100);
    expect(pages).toBeLessThan(100);
    return items;
  }

  const shapes = [
    ["device", 12],
    ["device,day", 24],
    ["device,campaign,day", 40],
    ["day,device", 24],
    ["day,device,campaign", 40],
    ["campaign,day", 4],
    ["day,campaign,store", 40],
    ["day,store", 24],
    [`device,day&device_id=${testId("device", 2)}&device_id=${testId("device", 1)}`, 4],
  ] as const;

  test.each(shapes)("of %s hold every row once, in order, whatever their size, and so does the file", async (shape, count) => {
    await network();
    const query = `${RANGE}&group_by=${shape}`;
    const whole = (await report(`${query}&limit=1000`)).items;
    expect(whole.length).toBe(count);
    const keys = whole.map((row) =>
      JSON.stringify(
        shape
          .split("&")[0]
          ?.split(",")
          .map((key) => row[key === "day" ? "day" : `${key}_id`] ?? ""),
      ),
    );
    expect(keys).toEqual([...new Set(keys)].sort());
    for (const limit of [1, 3, 7]) expect(await paged(query, limit), String(limit)).toEqual(whole);
    const [header = [], ...lines] = parseCsv(await (await get(`${PATH}.csv?${query}`)).text());
    expect(lines).toEqual(whole.map((row) => header.map((name) => String(row[name] ?? ""))));
  });

  test("a page that looked at many devices without a row ends with a cursor, which goes on", async () => {
    await env.DB.batch(
      Array.from({ length: 600 }, (_, index) =>
        env.DB.prepare("INSERT INTO devices (id, external_name, status, created_at, updated_at) VALUES (?, 'Silent', 'active', 0, 0)").bind(
          `00000001-0000-7000-8000-${String(index).padStart(12, "0")}`,
        ),
      ),
    );
    await notePlans(env.DB, [{ day: DAY, campaigns: [[1, 4]] }]);
    const query = `${RANGE}&group_by=device`;
    const first = await report(`${query}&limit=1`);
    expect(first.items).toEqual([]);
    expect(first.next_cursor).not.toBeNull();
    expect(columns(await paged(query, 1), "device_id")).toEqual([[testId("device", 1)]]);
    await env.DB.prepare("DELETE FROM devices WHERE id LIKE '00000001-%'").run();
  });

  test("the file is named by its range, and its last line sums up its own rows", async () => {
    await notePlans(env.DB, [{ day: DAY, campaigns: [[1, 4]] }]);
    await commitPlays(env.DB, [...plays(3, { day: DAY }), ...plays(1, { day: DAY_3 })], 1);
    const answer = await get(`${PATH}.csv?${RANGE}&group_by=day,campaign&totals=true`);
    expect(answer.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers.get("Content-Disposition")).toBe(`attachment; filename="planned_${DAY}_${DAY_3}.csv"`);
    const campaign = `${testId("campaign", 1)},Campaign 1`;
    expect(await answer.text()).toBe(
      [
        "day,campaign_id,campaign_name,planned_plays,planned_ms,played_plays,completed,billable_plays,played_ms,delivery",
        `${DAY},${campaign},4,40000,3,3,3,30000,0.75`,
        `${DAY_3},${campaign},,,1,1,1,10000,`,
        "total,,,4,40000,4,4,4,40000,1",
        "",
      ].join("\r\n"),
    );
    expect((await get(`${PATH}.csv?${RANGE}&limit=5`)).status).toBe(400);
  });
});
