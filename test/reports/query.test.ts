import { describe, expect, test } from "vitest";
import {
  encodeCursor,
  type ReportPageQuery,
  type ReportQuery,
  reportPageParameters,
  reportPageQuery,
  wholeReportParameters,
  wholeReportQuery,
} from "../../src/reports/query.ts";
import { chooseSource, hotWindowStart } from "../../src/reports/source.ts";
import { testId } from "../support/aggregates.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");

function whole(parameters: Record<string, unknown>): ReportQuery {
  const asked = wholeReportQuery(wholeReportParameters.parse(parameters), NOW);
  if (!asked.ok) throw new Error(asked.detail);
  return asked.query;
}

function page(parameters: Record<string, unknown>, now = NOW): ReportPageQuery {
  const asked = reportPageQuery(reportPageParameters.parse(parameters), now);
  if (!asked.ok) throw new Error(`${asked.parameter}: ${asked.detail}`);
  return asked.query;
}

describe("parameters", () => {
  test("nothing given asks for the last seven days by day, without totals", () => {
    expect(page({})).toEqual({
      from: "2026-03-04",
      // There are stores where the next day has begun.
      to: "2026-03-11",
      groupBy: ["day"],
      filters: {},
      totals: false,
      limit: 100,
      after: null,
    });
  });

  test("from alone runs to today; to alone reaches six days back", () => {
    expect(whole({ from: "2026-01-01" })).toMatchObject({ from: "2026-01-01", to: "2026-03-11" });
    expect(whole({ to: "2026-01-10" })).toMatchObject({ from: "2026-01-04", to: "2026-01-10" });
  });

  test("the last day by default is the latest that has begun anywhere, fourteen hours before UTC", () => {
    const at = (time: string) => wholeReportQuery(wholeReportParameters.parse({}), Date.parse(`2026-03-10T${time}Z`));
    expect(at("09:59:59")).toMatchObject({ query: { from: "2026-03-04", to: "2026-03-10" } });
    expect(at("10:00:00")).toMatchObject({ query: { from: "2026-03-04", to: "2026-03-11" } });
  });

  test("ids may repeat, are taken once, and none is the absent one", () => {
    const id = testId("campaign", 10);
    expect(whole({ campaign_id: [id.toUpperCase(), id, "none"], store_id: testId("store", 1) }).filters).toEqual({
      campaign_id: [id, ""],
      store_id: [testId("store", 1)],
    });
  });

  test("400 days are a report, 401 are not", () => {
    expect(whole({ from: "2025-01-01", to: "2026-02-04" })).toMatchObject({ from: "2025-01-01" });
    expect(wholeReportQuery(wholeReportParameters.parse({ from: "2025-01-01", to: "2026-02-05" }), NOW)).toEqual({
      ok: false,
      parameter: "from",
      detail: "a report covers 400 days at most",
    });
  });
});

describe("cursor", () => {
  const query = whole({ from: "2026-03-01", to: "2026-03-05", group_by: "day,campaign" });
  const cursor = encodeCursor(query, ["2026-03-02", ""]);

  test("it goes on behind its row", () => {
    expect(page({ from: "2026-03-01", to: "2026-03-05", group_by: "day,campaign", cursor }).after).toEqual(["2026-03-02", ""]);
  });

  test("it keeps the range that was defaulted to, also a day later", () => {
    const first = page({});
    const next = page({ cursor: encodeCursor(first, ["2026-03-06"]) }, NOW + 24 * 3_600_000);
    expect(next).toMatchObject({ from: "2026-03-04", to: "2026-03-11", after: ["2026-03-06"] });
  });

  test.each([
    ["other groups", { from: "2026-03-01", to: "2026-03-05", group_by: "campaign,day" }],
    ["another range", { from: "2026-03-01", to: "2026-03-06", group_by: "day,campaign" }],
  ])("it is refused with %s", (_, parameters) => {
    expect(() => page({ ...parameters, cursor })).toThrow("cursor: belongs to a report with another range or other groups");
  });

  test.each(["", "x", "AAAA", btoa("[1]"), btoa('["2026-03-01","2026-03-05","day,campaign",["2026-03-02"]]').replaceAll("=", "")])(
    "what is no cursor is refused: %s",
    (text) => {
      expect(() => page({ from: "2026-03-01", to: "2026-03-05", group_by: "day,campaign", cursor: text })).toThrow(
        "cursor: is not one of ours",
      );
    },
  );
});

describe("source", () => {
  const id = testId("device", 1);

  test("thirty days of single plays begin 29 days before today; none are kept at zero", () => {
    expect(hotWindowStart(NOW, 30)).toBe("2026-02-09");
    expect(hotWindowStart(NOW, 1)).toBe("2026-03-10");
    expect(hotWindowStart(NOW, 0)).toBeNull();
  });

  test.each([
    [
      "no device asked: aggregates, however old",
      { from: "2025-03-01", to: "2025-03-02", group_by: "store,status" },
      { ok: true, source: "aggregates" },
    ],
    ["devices in the hot window: events", { from: "2026-02-09", group_by: "device,status" }, { ok: true, source: "events" }],
    [
      "a device's plays in the hot window: events",
      { from: "2026-02-09", device_id: id, group_by: "campaign" },
      { ok: true, source: "events" },
    ],
    [
      "a day beyond it, by device and day: activity",
      { from: "2026-02-08", group_by: "day,device" },
      { ok: true, source: "device_activity" },
    ],
    ["a day beyond it, one device by day: activity", { from: "2026-02-08", device_id: id }, { ok: true, source: "device_activity" }],
    ["a day beyond it, finer group: none", { from: "2026-02-08", group_by: "device,campaign" }, { ok: false, hotFrom: "2026-02-09" }],
    ["a day beyond it, other filter: none", { from: "2026-02-08", group_by: "device", store_id: id }, { ok: false, hotFrom: "2026-02-09" }],
    ["a day beyond it, by status: none", { from: "2026-02-08", group_by: "device,status" }, { ok: false, hotFrom: "2026-02-09" }],
  ])("%s", (_, parameters, choice) => {
    expect(chooseSource(whole(parameters), NOW, 30)).toEqual(choice);
  });

  test("without single plays in the database even today has none", () => {
    expect(chooseSource(whole({ from: "2026-03-10", group_by: "device,campaign" }), NOW, 0)).toEqual({ ok: false, hotFrom: null });
  });
});
