import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { GROUP_COLUMNS, type GroupKey, type ReportFilters } from "../../src/reports/query.ts";
import type { ReportSource } from "../../src/reports/source.ts";
import { groupsStatement, type Reading, type Statement, totalsStatement } from "../../src/reports/statements.ts";

/** Tables whose rows grow with the plays or with the network; reading one from end to end is a fault. */
const TABLES = [
  "proof_of_play_aggregate_daily",
  "plays_hourly",
  "device_activity_daily",
  "chunk_plays",
  "aggregate_days",
  "campaigns",
  "ad_groups",
  "stores",
  "suppliers",
  "content",
  "devices",
];
const SOURCE_TABLES: Record<ReportSource, string[]> = {
  aggregates: ["proof_of_play_aggregate_daily", "plays_hourly"],
  events: ["chunk_plays"],
  device_activity: ["device_activity_daily"],
};

const KEYS = Object.keys(GROUP_COLUMNS) as GroupKey[];
const PLAIN = KEYS.filter((key) => key !== "device");
const ALL_FILTERS: ReportFilters = { campaign_id: ["a"], ad_group_id: ["b"], store_id: ["c"], supplier_id: ["d"], content_id: ["f"] };

async function planOf({ sql, values }: Statement): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

function shapesOf(source: ReportSource): { groupBy: GroupKey[]; filters: ReportFilters }[] {
  const groups = {
    aggregates: [...PLAIN.map((key) => [key]), PLAIN, ["day", "campaign"], ["store", "day", "status"]] as GroupKey[][],
    events: [...KEYS.map((key) => [key]), KEYS, ["device", "day"]] as GroupKey[][],
    device_activity: [["day"], ["device"], ["day", "device"], ["device", "day"]] as GroupKey[][],
  }[source];
  const device = { device_id: ["e"] };
  const filters: ReportFilters[] = {
    aggregates: [{}, { campaign_id: ["a"] }, { store_id: ["c"] }, ALL_FILTERS],
    events: [{}, device, { ...ALL_FILTERS, ...device }, { store_id: ["c"] }],
    device_activity: [{}, device],
  }[source];
  return groups.flatMap((groupBy) => filters.map((filter) => ({ groupBy, filters: filter })));
}

test.each(["aggregates", "events", "device_activity"] as const)(
  "no query of %s reads a table from end to end",
  { timeout: 60_000 },
  async (source) => {
    const shapes = shapesOf(source);
    for (const { groupBy, filters } of shapes) {
      for (const generation of [null, 1]) {
        const reading: Reading = { source, query: { from: "2026-01-01", to: "2026-03-31", groupBy, filters }, generation };
        for (const after of [null, groupBy.map(() => "2026-02-01")]) {
          for (const statement of [groupsStatement(reading, after, 101), totalsStatement(reading)]) {
            const plan = await planOf(statement);
            const shape = `${groupBy.join()} ${JSON.stringify(filters)}`;
            for (const table of TABLES)
              expect(
                plan.filter((line) => new RegExp(`^SCAN ${table}\\b`).test(line)),
                shape,
              ).toEqual([]);
            for (const table of SOURCE_TABLES[source]) {
              const searches = plan.filter((line) => line.startsWith(`SEARCH ${table} USING PRIMARY KEY`));
              expect(searches, shape).toHaveLength(1);
              expect(searches[0], shape).toMatch(
                source === "events" ? /\(device_id=\? AND last_day>\?\)/ : /\(generation=\? AND day(=\?|>\? AND day<\?)/,
              );
            }
          }
        }
      }
    }
  },
);

test("a campaign's rows are sought by campaign, a device's days by device", async () => {
  const range = { from: "2026-01-01", to: "2026-03-31", groupBy: ["day"] as GroupKey[] };
  const campaign = await planOf(
    totalsStatement({ source: "aggregates", query: { ...range, filters: { campaign_id: ["a"] } }, generation: null }),
  );
  expect(campaign).toContain("SEARCH proof_of_play_aggregate_daily USING PRIMARY KEY (generation=? AND day=? AND campaign_id=?)");
  const device = await planOf(
    totalsStatement({ source: "device_activity", query: { ...range, filters: { device_id: ["e"] } }, generation: null }),
  );
  expect(device).toContain("SEARCH device_activity_daily USING PRIMARY KEY (generation=? AND day=? AND device_id=?)");
});

test("groups by campaign are summed along the key, without sorting every row", async () => {
  const query = { from: "2026-01-01", to: "2026-03-31", groupBy: ["campaign"] as GroupKey[], filters: {} };
  const plan = await planOf(groupsStatement({ source: "aggregates", query, generation: null }, null, 101));
  // One for the union's groups, one for the page: none for the rows of the aggregates.
  expect(plan.filter((line) => line === "USE TEMP B-TREE FOR GROUP BY")).toHaveLength(1);
});
