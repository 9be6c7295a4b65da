import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { plannedGroupsStatement, plannedTotalsStatement } from "../../src/reports/planned-statements.ts";
import type { GroupKey, ReportFilters } from "../../src/reports/query.ts";
import type { Reading, Statement } from "../../src/reports/reading.ts";

/** Tables whose rows grow with the plans, the plays or the network; `p` is `planned_daily`, or `plays_daily_pending`. */
const TABLES =
  /^SCAN (p|planned_daily|planned_sums_daily|planned_days|chunk_plays|device_activity_daily|plays_\w+|proof_of_play_\w+|aggregate_days|campaigns|stores|suppliers|devices)\b/;
const device: ReportFilters = { device_id: ["e"] };
const shapes: [Reading["source"], GroupKey[], ReportFilters][] = [
  ...(
    [
      ["day"],
      ["campaign"],
      ["day", "campaign"],
      ["store", "day"],
      ["campaign", "store"],
      ["day", "campaign", "store", "supplier"],
    ] as GroupKey[][]
  ).flatMap((groupBy) =>
    [{}, { campaign_id: ["a"] }, { store_id: ["c"], supplier_id: ["d"] }].map((filters): (typeof shapes)[number] => [
      "aggregates",
      groupBy,
      filters,
    ]),
  ),
  ["events", ["device", "campaign"], device],
  ["events", ["day", "device", "campaign"], device],
  ["events", ["campaign", "day"], { ...device, campaign_id: ["a"], store_id: ["c"] }],
  ["device_activity", ["device", "day"], device],
  ["device_activity", ["day"], device],
];

async function planOf({ sql, values }: Statement): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

test.each(shapes)("%s by %j of %j read no table from end to end, and plans by their key", async (source, groupBy, filters) => {
  const reading: Reading = { source, query: { from: "2026-01-01", to: "2026-03-31", groupBy, filters }, generation: null };
  const statements = [null, groupBy.map(() => "2026-02-01")].map((after) => plannedGroupsStatement(reading, after, 101));
  for (const statement of [...statements, plannedTotalsStatement(reading)]) {
    const plan = await planOf(statement);
    const text = plan.join("\n");
    expect(
      plan.filter((line) => TABLES.test(line)),
      text,
    ).toEqual([]);
    const ways = (table: string) =>
      plan.filter((line) => line.startsWith(`SEARCH ${table} USING PRIMARY KEY (day`)).map((line) => line.slice(line.indexOf("(")));
    const all = (table: string, way: RegExp) =>
      expect(
        ways(table).filter((found) => !way.test(found)),
        text,
      ).toEqual([]);
    if (source === "aggregates") {
      expect(ways("planned_sums_daily").length, text).toBeGreaterThan(0);
      all("planned_sums_daily", /^\(day>\? AND day<\?\)$|^\(day=\? AND campaign_id=\?/);
      // Of days that are ahead of their sums alone, which are few.
      expect(ways("p").length, text).toBeGreaterThan(0);
      expect(text).toMatch(
        /SEARCH p USING PRIMARY KEY \(day=\?\)\nLIST SUBQUERY \d+\nSEARCH planned_days USING PRIMARY KEY \(day>\? AND day<\?\)/,
      );
      all("p", /^\(day=\?\)$/);
    } else {
      expect(ways("p").length, text).toBeGreaterThan(0);
      all("p", /^\(day=\? AND device_id=\?/);
      expect(ways("planned_sums_daily"), text).toEqual([]);
    }
  }
});
