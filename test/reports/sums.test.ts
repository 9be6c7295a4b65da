import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { csvLines } from "../../src/platform/csv.ts";
import { mergePending } from "../../src/plays/ledger/daily-sums.ts";
import { rollUp } from "../../src/plays/ledger/rollup.ts";
import { AGGREGATE_COUNTERS } from "../../src/plays/tables.ts";
import { reportCsv, TOTALS_OF_ONE_STATE } from "../../src/reports/csv.ts";
import { type ReportRow, readReport } from "../../src/reports/proof-of-play.ts";
import {
  addDays,
  GROUP_COLUMNS,
  type GroupKey,
  type ReportFilters,
  type ReportPageQuery,
  type ReportQuery,
  reportPageParameters,
  reportPageQuery,
} from "../../src/reports/query.ts";
import { chooseSource, type ReportSource } from "../../src/reports/source.ts";
import {
  addFigures,
  clearPlays,
  commitPlays,
  type Figures,
  figuresOf,
  NO_FIGURES,
  type RecordedPlay,
  recordedPlay,
  testId,
} from "../support/aggregates.ts";
import { parseCsv } from "../support/csv.ts";
import fc from "../support/property.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const FIRST_DAY = "2026-03-01";
const DAYS = 12;
const KEYS = Object.keys(GROUP_COLUMNS) as GroupKey[];

/** A report worked out play by play, with no table in between. */
function naiveReport(plays: RecordedPlay[], query: ReportQuery, source: ReportSource): { rows: ReportRow[]; totals: Figures } {
  const inside = plays.filter(
    (play) =>
      play.day >= query.from &&
      play.day <= query.to &&
      Object.entries(query.filters).every(([column, ids]) => ids.includes(play[column as keyof ReportFilters])),
  );
  const byStatus = query.groupBy.includes("status");
  const groups = new Map<string, Figures>();
  for (const play of inside) {
    if (byStatus && play.type === "PLAY_START") continue;
    const key = JSON.stringify(
      query.groupBy.map((group) => (group === "status" ? play.result : play[GROUP_COLUMNS[group] as keyof RecordedPlay])),
    );
    groups.set(key, addFigures(groups.get(key) ?? NO_FIGURES, figuresOf(play)));
  }
  const sorted = [...groups].map(([key, figures]) => ({ key: JSON.parse(key) as string[], figures }));
  sorted.sort((a, b) => compareKeys(a.key, b.key));
  const counters = byStatus ? (["plays_count", "billable_count", "total_duration_ms"] as const) : AGGREGATE_COUNTERS;
  const rows = sorted.map(({ key, figures }) => ({
    ...Object.fromEntries(query.groupBy.map((group, index) => [GROUP_COLUMNS[group], key[index] || null])),
    ...Object.fromEntries(counters.map((c) => [c, byStatus && source === "aggregates" && c === "total_duration_ms" ? null : figures[c]])),
  }));
  return { rows, totals: inside.map(figuresOf).reduce(addFigures, NO_FIGURES) };
}

function compareKeys(a: string[], b: string[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** More than the rows of any report here, were each a page of its own. */
const PAGES_MAX = 200;

/** All pages of a report, read by cursor, and the totals that every page agreed on. */
async function allPages(query: ReportQuery, source: ReportSource, limit: number): Promise<{ rows: ReportRow[]; totals: unknown }> {
  const rows: ReportRow[] = [];
  const parameters = reportPageParameters.parse({ from: query.from, to: query.to, group_by: query.groupBy.join(","), totals: "true" });
  let page: ReportPageQuery = { ...query, totals: true, limit, after: null };
  let totals: unknown;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const report = await readReport(env.DB, page, source, NOW);
    expect(report.items.length).toBeLessThanOrEqual(limit);
    if (totals !== undefined) expect(report.totals).toEqual(totals);
    totals = report.totals;
    rows.push(...report.items.map(({ campaign_name, ad_group_name, store_name, supplier_name, content_name, device_name, ...row }) => row));
    if (report.next_cursor === null) return { rows, totals };
    const next = reportPageQuery({ ...parameters, cursor: report.next_cursor }, NOW);
    if (!next.ok) throw new Error(next.detail);
    page = { ...next.query, filters: query.filters, limit };
  }
  throw new Error("the pages have no end");
}

const oneOf = (kind: Parameters<typeof testId>[0]) => fc.integer({ min: 0, max: 2 }).map((n) => (n === 0 ? "" : testId(kind, n)));
const dayArbitrary = fc.integer({ min: 0, max: DAYS - 1 }).map((n) => addDays(FIRST_DAY, n));
const playArbitrary = fc
  .record({
    day: dayArbitrary,
    hour: fc.integer({ min: 0, max: 23 }),
    device_id: fc.integer({ min: 1, max: 3 }).map((n) => testId("device", n)),
    campaign_id: oneOf("campaign"),
    ad_group_id: oneOf("ad_group"),
    supplier_id: oneOf("supplier"),
    store_id: oneOf("store"),
    content_id: fc.integer({ min: 1, max: 3 }).map((n) => testId("content", n)),
    end: fc.constantFrom("COMPLETED", "COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR", "start" as const),
    billable: fc.boolean(),
    duration_ms: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ hour, end, billable, ...play }) =>
    recordedPlay({
      ...play,
      started_at: Date.parse(play.day) + hour * 3_600_000,
      type: end === "start" ? "PLAY_START" : "PLAY",
      result: end === "start" ? "" : (end as RecordedPlay["result"]),
      billable: billable && end === "COMPLETED" ? 1 : 0,
    }),
  );
const FILTERS: fc.Arbitrary<ReportFilters>[] = [
  fc.uniqueArray(oneOf("campaign"), { minLength: 1, maxLength: 2 }).map((campaign_id) => ({ campaign_id })),
  fc.uniqueArray(oneOf("ad_group"), { minLength: 1, maxLength: 2 }).map((ad_group_id) => ({ ad_group_id })),
  fc.uniqueArray(oneOf("store"), { minLength: 1, maxLength: 2 }).map((store_id) => ({ store_id })),
  fc.uniqueArray(oneOf("supplier"), { minLength: 1, maxLength: 2 }).map((supplier_id) => ({ supplier_id })),
  fc.constant({ content_id: [testId("content", 1), testId("content", 2)] }),
];
const placeFilterArbitrary = fc
  .array(fc.oneof(...FILTERS), { maxLength: 2 })
  .map((filters): ReportFilters => Object.assign({}, ...filters));
const rangeArbitrary = fc.tuple(dayArbitrary, dayArbitrary).map((ends) => ends.toSorted() as [string, string]);
/** Half of the reports are answered by the aggregates, half by single plays. */
const queryArbitrary: fc.Arbitrary<ReportQuery> = fc
  .record({
    range: rangeArbitrary,
    byDevice: fc.boolean(),
    groups: fc.shuffledSubarray(KEYS, { minLength: 1, maxLength: 4 }),
    filters: placeFilterArbitrary,
    devices: fc.constantFrom([1], [1, 2], [1, 2, 3]),
  })
  .map(({ range: [from, to], byDevice, groups, filters, devices }): ReportQuery => {
    const groupBy = byDevice ? groups : groups.filter((key) => key !== "device");
    const device = byDevice ? { device_id: devices.map((n) => testId("device", n)) } : {};
    return { from, to, groupBy: groupBy.length > 0 ? groupBy : ["day"], filters: { ...filters, ...device }, totals: true };
  });

/** What happens to the tables between two reports. None of it may change a figure. */
async function disturb(kind: "nothing" | "roll up" | "roll up one" | "merge" | "mark" | "retire"): Promise<void> {
  if (kind === "merge") await mergePending(env.DB, 0);
  if (kind === "roll up" || kind === "retire") await rollUp(env.DB, NOW);
  if (kind === "roll up one") await rollUp(env.DB, NOW, { maxDays: 1 });
  if (kind === "mark") await env.DB.prepare("UPDATE aggregate_days SET dirty = 1 WHERE hourly_retired_at IS NULL").run();
  if (kind !== "retire") return;
  await env.DB.batch([
    env.DB.prepare("UPDATE aggregate_days SET hourly_retired_at = 1 WHERE day <= ?").bind(addDays(FIRST_DAY, 4)),
    env.DB.prepare("DELETE FROM plays_hourly WHERE day IN (SELECT day FROM aggregate_days WHERE hourly_retired_at IS NOT NULL)"),
  ]);
}

test("for any plays, any report's rows and totals equal the sums of the plays, whatever is marked or rolled up", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          plays: fc.array(playArbitrary, { minLength: 1, maxLength: 40 }),
          disturbance: fc.constantFrom("nothing", "roll up", "roll up one", "merge", "mark", "retire" as const),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      fc.array(queryArbitrary, { minLength: 3, maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      async (commits, queries, limit) => {
        await clearPlays(env.DB);
        const recorded: RecordedPlay[] = [];
        for (const { plays, disturbance } of commits) {
          // Shrinking hands the same play out twice; the database takes each once.
          const fresh = plays.map((play, index) => ({ ...play, event_id: testId("event", recorded.length + index) }));
          await commitPlays(env.DB, fresh, NOW);
          recorded.push(...fresh);
          await disturb(disturbance);
        }
        for (const query of queries) {
          const choice = chooseSource(query, NOW, 30);
          if (!choice.ok) throw new Error("all days are hot");
          const expected = naiveReport(recorded, query, choice.source);
          expect(await allPages(query, choice.source, limit)).toEqual(expected);
          await sameAsCsv(query, choice.source, expected.rows, limit);
        }
      },
    ),
    { numRuns: 60, seed: 20260310 },
  );
});

/** The file holds the rows of the report, and its last line their sums, read in pages of any size. */
async function sameAsCsv(query: ReportQuery, source: ReportSource, rows: ReportRow[], pageRows: number): Promise<void> {
  const [header, ...lines] = parseCsv(await new Response(await reportCsv(env.DB, query, source, pageRows)).text());
  const cells = lines.map((line) => Object.fromEntries((header ?? []).map((column, index) => [column, line[index] ?? ""])));
  const last = cells.pop();
  const text = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value === null ? "" : String(value)])),
  );
  expect(cells.map(({ campaign_name, ad_group_name, store_name, supplier_name, content_name, device_name, ...row }) => row)).toEqual(text);
  expect(last?.[header?.[0] ?? ""]).toBe(TOTALS_OF_ONE_STATE);
  for (const counter of AGGREGATE_COUNTERS) {
    const known = rows.every((row) => typeof row[counter] === "number");
    if (header?.includes(counter))
      expect(last?.[counter]).toBe(known ? String(rows.reduce((sum, row) => sum + Number(row[counter]), 0)) : "");
  }
}

test("cells come back as they were, whatever text they hold", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ unit: "binary", maxLength: 8 }), { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      (rows) => {
        const guarded = rows.map((row) => row.map((cell) => (/^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell) ? `'${cell}` : cell)));
        expect(parseCsv(csvLines(rows))).toEqual(guarded);
      },
    ),
    { numRuns: 300 },
  );
});
