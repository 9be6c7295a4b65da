import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { rollUp } from "../../src/plays/ledger/rollup.ts";
import { clearPlays, commitPlays, recordedPlay, registerNetwork, testId } from "../support/aggregates.ts";
import { parseCsv } from "../support/csv.ts";

const PATH = "/v1/admin/reports/proof-of-play";
const ADMIN = { Authorization: "Bearer test-admin-token" };
/** Far behind the hot window of thirty days, whenever this runs. */
const OLD_DAY = "2025-03-08";
const RECENT_DAY = utcDay(Date.now() - 3 * DAY_MS);

async function get(path: string): Promise<Response> {
  return await exports.default.fetch(`http://localhost${path}`, { headers: ADMIN });
}

async function report(query: string): Promise<Record<string, unknown>> {
  const answer = await get(`${PATH}?${query}`);
  expect(answer.status, query).toBe(200);
  return await answer.json();
}

async function problem(query: string, path = PATH): Promise<Record<string, unknown>> {
  const answer = await get(`${path}?${query}`);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  return await answer.json();
}

const NOTHING = { completed_count: 0, partial_count: 0, skipped_count: 0, interrupted_count: 0, error_count: 0, starts_count: 0 };

beforeAll(async () => await registerNetwork(env.DB, 2));
beforeEach(async () => await clearPlays(env.DB));

describe("the report", () => {
  test("it names its groups, shows filler as null, and says where and when it read", async () => {
    await commitPlays(
      env.DB,
      [recordedPlay({ day: OLD_DAY }), recordedPlay({ day: OLD_DAY, campaign_id: "", ad_group_id: "", billable: 0 })],
      1,
    );
    const before = Date.now();
    const { generated_at, ...rest } = await report(
      `from=${OLD_DAY}&to=${OLD_DAY}&group_by=day,campaign,ad_group,store,supplier,content&totals=true`,
    );
    expect(Date.parse(String(generated_at))).toBeGreaterThanOrEqual(before);
    const place = {
      store_id: testId("store", 1),
      store_name: "Store 1",
      supplier_id: testId("supplier", 1),
      supplier_name: "Supplier 1",
      content_id: testId("content", 1),
      content_name: "Content 1",
    };
    const played = { ...NOTHING, plays_count: 1, completed_count: 1, total_duration_ms: 10_000 };
    expect(rest).toEqual({
      source: "aggregates",
      from: OLD_DAY,
      to: OLD_DAY,
      group_by: ["day", "campaign", "ad_group", "store", "supplier", "content"],
      items: [
        {
          day: OLD_DAY,
          campaign_id: null,
          campaign_name: null,
          ad_group_id: null,
          ad_group_name: null,
          ...place,
          ...played,
          billable_count: 0,
        },
        {
          day: OLD_DAY,
          campaign_id: testId("campaign", 1),
          campaign_name: "Campaign 1",
          ad_group_id: testId("ad_group", 1),
          ad_group_name: "Ad group 1",
          ...place,
          ...played,
          billable_count: 1,
        },
      ],
      next_cursor: null,
      totals: { ...NOTHING, plays_count: 2, completed_count: 2, billable_count: 1, total_duration_ms: 20_000 },
    });
  });

  test("plays of what no register knows are counted, without a name", async () => {
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY, campaign_id: testId("campaign", 99) })], 1);
    const { items } = await report(`from=${OLD_DAY}&to=${OLD_DAY}&group_by=campaign`);
    expect(items).toMatchObject([{ campaign_id: testId("campaign", 99), campaign_name: null, plays_count: 1 }]);
  });

  test("a commit shows at once, and rolling up changes nothing", async () => {
    const query = `from=${OLD_DAY}&to=${OLD_DAY}&totals=true`;
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY })], 1);
    await rollUp(env.DB, 2);
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY, result: "ERROR", billable: 0, duration_ms: 0 })], 3);
    const marked = await report(query);
    expect(marked.totals).toMatchObject({
      plays_count: 2,
      completed_count: 1,
      error_count: 1,
      billable_count: 1,
      total_duration_ms: 10_000,
    });
    await rollUp(env.DB, 4);
    expect(await report(query)).toEqual({ ...marked, generated_at: expect.any(String) });
  });

  test("a marked day is read from its hours alone, and a clean one from its daily row alone, with and without a campaign", async () => {
    const queries = ["", `&campaign_id=${testId("campaign", 1)}`].map((filter) => `from=${OLD_DAY}&to=${OLD_DAY}&totals=true${filter}`);
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY })], 1);
    await rollUp(env.DB, 2);
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY })], 3);
    for (const query of queries) expect((await report(query)).totals, query).toMatchObject({ plays_count: 2 });
    await rollUp(env.DB, 4);
    await env.DB.prepare("DELETE FROM plays_hourly").run();
    for (const query of queries) expect((await report(query)).totals, query).toMatchObject({ plays_count: 2 });
  });

  test("a day whose hourly rows are retired is read from its daily row, marked or not", async () => {
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY })], 1);
    await rollUp(env.DB, 2);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM plays_hourly"),
      env.DB.prepare("UPDATE aggregate_days SET hourly_retired_at = 3, dirty = 1"),
    ]);
    expect((await report(`from=${OLD_DAY}&to=${OLD_DAY}&totals=true`)).totals).toMatchObject({ plays_count: 1 });
  });

  test("it reads the generation that is live, and no other", async () => {
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY })], 1);
    await env.DB.prepare("INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (2, 0, 1, 0)").run();
    const rebuilt = [recordedPlay({ day: OLD_DAY }), recordedPlay({ day: OLD_DAY }), recordedPlay({ day: OLD_DAY })];
    await commitPlays(env.DB, rebuilt, 1, 2);
    const query = `from=${OLD_DAY}&to=${OLD_DAY}&totals=true`;
    expect((await report(query)).totals).toMatchObject({ plays_count: 1 });
    await env.DB.batch([
      env.DB.prepare("UPDATE aggregate_generations SET live = 0 WHERE id = 1"),
      env.DB.prepare("UPDATE aggregate_generations SET live = 1 WHERE id = 2"),
    ]);
    expect((await report(query)).totals).toMatchObject({ plays_count: 3 });
  });

  test("filters mean any within one and all of them together; none is filler", async () => {
    const [one, two] = [testId("campaign", 1), testId("campaign", 2)];
    await commitPlays(
      env.DB,
      [
        recordedPlay({ day: OLD_DAY, campaign_id: one }),
        recordedPlay({ day: OLD_DAY, campaign_id: two }),
        recordedPlay({ day: OLD_DAY, campaign_id: two, store_id: testId("store", 2) }),
        recordedPlay({ day: OLD_DAY, campaign_id: "" }),
      ],
      1,
    );
    const plays = async (filters: string) =>
      ((await report(`from=${OLD_DAY}&to=${OLD_DAY}&totals=true${filters}`)).totals as { plays_count: number }).plays_count;
    expect(await plays("")).toBe(4);
    expect(await plays(`&campaign_id=${one}&campaign_id=${two}`)).toBe(3);
    expect(await plays(`&campaign_id=${one}&campaign_id=${two}&store_id=${testId("store", 1)}`)).toBe(2);
    expect(await plays("&campaign_id=none")).toBe(1);
    expect(await plays(`&content_id=${testId("content", 2)}`)).toBe(0);
  });

  test("pages follow each other through equal days without a gap or a repeat", async () => {
    const plays = [1, 2].flatMap((campaign) =>
      ["2025-03-07", OLD_DAY].flatMap((day) =>
        [1, 2].map((content) => recordedPlay({ day, campaign_id: testId("campaign", campaign), content_id: testId("content", content) })),
      ),
    );
    await commitPlays(env.DB, plays, 1);
    const query = `from=2025-03-01&to=2025-03-31&group_by=campaign,day,content&limit=3&totals=true`;
    const seen: unknown[] = [];
    let cursor = "";
    for (let pages = 0; pages < 3; pages += 1) {
      const page = await report(query + cursor);
      expect(page.totals).toMatchObject({ plays_count: 8 });
      seen.push(
        ...(page.items as { campaign_id: string; day: string; content_id: string }[]).map(
          (row) => `${row.campaign_id} ${row.day} ${row.content_id}`,
        ),
      );
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(cursor).toBe("&cursor=null");
    expect(seen).toEqual([...new Set(plays.map((play) => `${play.campaign_id} ${play.day} ${play.content_id}`))].toSorted());
  });

  test("by status, only completed plays bill, and the aggregates do not tell a status's duration", async () => {
    await commitPlays(
      env.DB,
      [
        recordedPlay({ day: OLD_DAY }),
        recordedPlay({ day: OLD_DAY, billable: 0 }),
        recordedPlay({ day: OLD_DAY, result: "SKIPPED", billable: 0, duration_ms: 2_000 }),
        recordedPlay({ day: OLD_DAY, type: "PLAY_START", result: "", billable: 0, duration_ms: 0 }),
      ],
      1,
    );
    const { items, totals } = await report(`from=${OLD_DAY}&to=${OLD_DAY}&group_by=status&totals=true`);
    expect(items).toEqual([
      { status: "COMPLETED", plays_count: 2, billable_count: 1, total_duration_ms: null },
      { status: "SKIPPED", plays_count: 1, billable_count: 0, total_duration_ms: null },
    ]);
    expect(totals).toEqual({
      ...NOTHING,
      plays_count: 3,
      completed_count: 2,
      skipped_count: 1,
      billable_count: 1,
      starts_count: 1,
      total_duration_ms: 22_000,
    });
  });
});

describe("by device", () => {
  test("inside the hot window single plays answer, as fine as asked", async () => {
    await commitPlays(
      env.DB,
      [
        recordedPlay({ day: RECENT_DAY }),
        recordedPlay({ day: RECENT_DAY, result: "PARTIAL", billable: 0, duration_ms: 3_000 }),
        recordedPlay({ day: RECENT_DAY, device_id: testId("device", 2) }),
      ],
      1,
    );
    const { source, items } = await report(
      `from=${RECENT_DAY}&to=${RECENT_DAY}&group_by=device,status&campaign_id=${testId("campaign", 1)}`,
    );
    expect(source).toBe("events");
    expect(items).toEqual([
      {
        device_id: testId("device", 1),
        device_name: "Screen 1",
        status: "COMPLETED",
        plays_count: 1,
        billable_count: 1,
        total_duration_ms: 10_000,
      },
      {
        device_id: testId("device", 1),
        device_name: "Screen 1",
        status: "PARTIAL",
        plays_count: 1,
        billable_count: 0,
        total_duration_ms: 3_000,
      },
      {
        device_id: testId("device", 2),
        device_name: "Screen 2",
        status: "COMPLETED",
        plays_count: 1,
        billable_count: 1,
        total_duration_ms: 10_000,
      },
    ]);
  });

  test("beyond it devices are known by device and day", async () => {
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY }), recordedPlay({ day: OLD_DAY, device_id: testId("device", 2) })], 1);
    await env.DB.prepare("DELETE FROM chunk_plays").run();
    const { source, items, totals } = await report(
      `from=${OLD_DAY}&to=${OLD_DAY}&group_by=day,device&device_id=${testId("device", 2)}&totals=true`,
    );
    expect(source).toBe("device_activity");
    const figures = { plays_count: 1, billable_count: 1, total_duration_ms: 10_000 };
    expect(items).toEqual([{ day: OLD_DAY, device_id: testId("device", 2), device_name: "Screen 2", ...figures }]);
    expect(totals).toEqual(figures);
  });

  test.each([PATH, `${PATH}.csv`])("anything finer beyond it is refused, naming the archive: %s", async (path) => {
    expect(await problem(`from=${OLD_DAY}&to=${OLD_DAY}&group_by=device,campaign`, path)).toMatchObject({
      status: 422,
      type: "/docs/errors/unprocessable",
      code: "BEYOND_HOT_WINDOW",
      detail: expect.stringContaining("plays/dt=YYYY-MM-DD/"),
      hot_from: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
  });
});

describe("what is refused", () => {
  test.each([
    ["an unknown parameter, by name", "campagne_id=x", "/campagne_id", 'There is no field "campagne_id" here.'],
    ["from after to", "from=2026-03-02&to=2026-03-01", "/from", "2026-03-02 is after to (2026-03-01)"],
    ["a day that no calendar has", "from=2026-02-30", "/from", "must be a day, as YYYY-MM-DD"],
    ["a parameter given twice that may not", "from=2026-03-02&from=2026-03-01", "/from", "must be a day, as YYYY-MM-DD"],
    [
      "an unknown group, naming the allowed ones",
      "group_by=day,brand",
      "/group_by",
      '"brand" is no group; allowed are day, campaign, ad_group, store, supplier, content, device, status',
    ],
    ["a group twice", "group_by=day,day", "/group_by", "names a group twice"],
    [
      "a group that is an inherited name",
      "group_by=constructor",
      "/group_by",
      '"constructor" is no group; allowed are day, campaign, ad_group, store, supplier, content, device, status',
    ],
    ["an id that is none", "store_id=1", "/store_id/0", "must be a UUID, or none"],
    ["a cursor that is none", "cursor=zzz", "/cursor", "is not one of ours"],
  ])("%s", async (_, query, pointer, detail) => {
    expect(await problem(query)).toMatchObject({
      status: 400,
      type: "/docs/errors/validation-error",
      detail: `${pointer}: ${detail}`,
      errors: [{ pointer, detail }],
    });
  });

  test.each(["limit=0", "limit=1001", "limit=x", "totals=yes", "from=2025-01-01&to=2026-02-05"])(
    "a value out of its range: %s",
    async (query) => {
      expect(await problem(query)).toMatchObject({ status: 400, type: "/docs/errors/validation-error" });
    },
  );

  test.each(["limit=10", "cursor=x"])("the file has no pages: %s", async (query) => {
    expect(await problem(query, `${PATH}.csv`)).toMatchObject({ status: 400, detail: expect.stringContaining("There is no field") });
  });

  test.each([PATH, `${PATH}.csv`])("nobody without an administrator's token reads %s", async (path) => {
    expect((await exports.default.fetch(`http://localhost${path}`)).status).toBe(401);
  });
});

describe("the file", () => {
  test("it is named by its range and holds the API's rows and totals", async () => {
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY }), recordedPlay({ day: OLD_DAY, campaign_id: "", billable: 0 })], 1);
    const answer = await get(`${PATH}.csv?from=${OLD_DAY}&to=2025-03-09&group_by=day,campaign&totals=true`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers.get("Content-Disposition")).toBe(`attachment; filename="proof-of-play_${OLD_DAY}_2025-03-09.csv"`);
    expect(await answer.text()).toBe(
      [
        "day,campaign_id,campaign_name,plays_count,completed_count,partial_count,skipped_count,interrupted_count,error_count,billable_count,starts_count,total_duration_ms",
        `${OLD_DAY},,,1,1,0,0,0,0,0,0,10000`,
        `${OLD_DAY},${testId("campaign", 1)},Campaign 1,1,1,0,0,0,0,1,0,10000`,
        "total,,,2,2,0,0,0,0,1,0,20000",
        "",
      ].join("\r\n"),
    );
  });

  test("an empty report is a header", async () => {
    const rows = parseCsv(await (await get(`${PATH}.csv?from=${OLD_DAY}&to=${OLD_DAY}&group_by=store,status`)).text());
    expect(rows).toEqual([["store_id", "store_name", "status", "plays_count", "billable_count", "total_duration_ms"]]);
  });

  test("a name with commas, quotes and lines stays a cell, and one that looks like a formula is text", async () => {
    const name = '=HYPERLINK("http://x","a,\r\nb")';
    await env.DB.prepare("INSERT INTO campaigns (id, brand_name, name, created_at, updated_at) VALUES (?, 'Brand', ?, 0, 0)")
      .bind(testId("campaign", 50), name)
      .run();
    await commitPlays(env.DB, [recordedPlay({ day: OLD_DAY, campaign_id: testId("campaign", 50) })], 1);
    const text = await (await get(`${PATH}.csv?from=${OLD_DAY}&to=${OLD_DAY}&group_by=campaign`)).text();
    expect(text).toContain(`,"'=HYPERLINK(""http://x"",""a,\r\nb"")",1,`);
    expect(parseCsv(text)[1]?.[1]).toBe(`'${name}`);
  });
});
