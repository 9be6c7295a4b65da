import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { GROUP_COLUMNS, type GroupKey, type ReportFilters } from "../../src/reports/query.ts";
import type { Reading, Statement } from "../../src/reports/reading.ts";
import type { ReportSource } from "../../src/reports/source.ts";
import { groupsStatement, totalsStatement } from "../../src/reports/statements.ts";

/** Tables whose rows grow with the plays or with the network; reading one from end to end is a fault. `p` is `plays_daily_pending`. */
const TABLES = [
  "proof_of_play_aggregate_daily",
  "plays_hourly",
  "plays_daily_by_content",
  "plays_daily_by_store",
  "plays_daily_pending",
  "p",
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
/** How the rows of each source are found, once a statement. */
const RANGE = "(generation=? AND day>? AND day<?";
const WAYS = {
  by_content: { plays_daily_by_content: RANGE, p: "(generation=?)" },
  by_store: { plays_daily_by_store: RANGE, p: "(generation=?)" },
  scanned: { proof_of_play_aggregate_daily: RANGE, plays_hourly: "(generation=? AND day=?" },
  sought: {
    proof_of_play_aggregate_daily: "(generation=? AND day=? AND campaign_id=? AND ad_group_id=?",
    plays_hourly: "(generation=? AND day=? AND hour=? AND campaign_id=? AND ad_group_id=?",
  },
  sought_by_store: {
    proof_of_play_aggregate_daily: "(generation=? AND day=? AND campaign_id=? AND ad_group_id=? AND supplier_id=? AND store_id=?",
    plays_hourly: "(generation=? AND day=? AND hour=? AND campaign_id=? AND ad_group_id=? AND supplier_id=? AND store_id=?",
  },
  events: { chunk_plays: "(device_id=? AND last_day>?)" },
  device_activity: { device_activity_daily: "(generation=? AND day" },
} as const;

/** Which way a question should go, from its dimensions alone. */
function wayOf(source: ReportSource, groupBy: readonly GroupKey[], filters: ReportFilters): keyof typeof WAYS {
  if (source !== "aggregates") return source;
  const columns = new Set([
    ...groupBy.filter((key) => key !== "day" && key !== "status").map((key) => GROUP_COLUMNS[key]),
    ...Object.keys(filters),
  ]);
  const has = (...names: string[]) => names.some((name) => columns.has(name));
  if (!has("supplier_id", "store_id")) return "by_content";
  if (!has("campaign_id", "ad_group_id", "content_id")) return "by_store";
  if (filters.store_id) return "sought_by_store";
  return filters.campaign_id || filters.ad_group_id || filters.content_id ? "sought" : "scanned";
}

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
    aggregates: [
      ...PLAIN.map((key) => [key]),
      PLAIN,
      ["day", "campaign"],
      ["day", "store"],
      ["store", "day", "status"],
      ["campaign", "store"],
    ] as GroupKey[][],
    events: [...KEYS.map((key) => [key]), KEYS, ["device", "day"]] as GroupKey[][],
    device_activity: [["day"], ["device"], ["day", "device"], ["device", "day"]] as GroupKey[][],
  }[source];
  const device = { device_id: ["e"] };
  const filters: ReportFilters[] = {
    aggregates: [
      {},
      { campaign_id: ["a"] },
      { content_id: ["f"] },
      { store_id: ["c"] },
      { supplier_id: ["d"] },
      { store_id: ["c"], content_id: ["f"] },
      ALL_FILTERS,
    ],
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
          for (const [asked, statement] of [
            [groupBy, groupsStatement(reading, after, 101)],
            [[], totalsStatement(reading)],
          ] as const) {
            const plan = await planOf(statement);
            const shape = `${groupBy.join()} ${JSON.stringify(filters)}`;
            for (const table of TABLES)
              expect(
                plan.filter((line) => new RegExp(`^SCAN ${table}\\b`).test(line)),
                shape,
              ).toEqual([]);
            for (const [table, way] of Object.entries(WAYS[wayOf(source, asked, filters)])) {
              const searches = plan.filter((line) => line.startsWith(`SEARCH ${table} USING PRIMARY KEY ${way}`));
              expect(searches, `${shape}: ${table}\n${plan.join("\n")}`).toHaveLength(1);
            }
          }
        }
      }
    }
  },
);

test("a device's days are sought by device", async () => {
  const query = { from: "2026-01-01", to: "2026-03-31", groupBy: ["day"] as GroupKey[], filters: { device_id: ["e"] } };
  const plan = await planOf(totalsStatement({ source: "device_activity", query, generation: null }));
  expect(plan).toContain("SEARCH device_activity_daily USING PRIMARY KEY (generation=? AND day=? AND device_id=?)");
});

test("the hours of a marked day are found one by one along the key, not by reading its rows", async () => {
  const query = { from: "2026-01-01", to: "2026-03-31", groupBy: ["store"] as GroupKey[], filters: { campaign_id: ["a"] } };
  const plan = await planOf(groupsStatement({ source: "aggregates", query, generation: null }, null, 101));
  expect(plan).toContain("SEARCH plays_hourly USING PRIMARY KEY (generation=? AND day=?)");
  expect(plan).toContain("SEARCH plays_hourly USING PRIMARY KEY (generation=? AND day=? AND hour>?)");
});

test("groups by campaign and supplier are summed along the key, without sorting every row", async () => {
  const query = { from: "2026-01-01", to: "2026-03-31", groupBy: ["campaign", "supplier"] as GroupKey[], filters: {} };
  const plan = await planOf(groupsStatement({ source: "aggregates", query, generation: null }, null, 101));
  // One for the union's groups, one for the page: none for the rows of the aggregates.
  expect(plan.filter((line) => line === "USE TEMP B-TREE FOR GROUP BY")).toHaveLength(1);
});
