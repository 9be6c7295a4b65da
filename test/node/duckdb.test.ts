import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { daysAround, makeNetwork, signedLog } from "../stack/network.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

// The archive read by somebody else's program: DuckDB counts the plays of the segments that the ledger names, and the report agrees.

let dir: string;
let stack: Stack;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "alive-duckdb-"));
  stack = await startStack(await buildBundle(), { persistTo: join(dir, "state"), port: 0 });
}, 300_000);
afterAll(async () => {
  await stack.kill();
  rmSync(dir, { recursive: true, force: true });
});

test("DuckDB counts the same plays from the segments as the report shows, and the archived record is what was signed", async () => {
  const devices = await makeNetwork(stack.url, { devices: 3, contents: 2, campaigns: 2 });
  for (const device of devices) {
    const logs = await Promise.all(Array.from({ length: 40 }, (_, index) => signedLog(device, index, 60_000)));
    const answer = await fetch(`${stack.url}/api/v1/playback-logs/batch`, {
      method: "POST",
      headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
      body: JSON.stringify({ logs }),
    });
    expect(await answer.json()).toMatchObject({ processed: 40, failed: 0 });
  }
  for (let look = 0; look < 150; look++) {
    const [row] = await stack.sql<{ n: number }>("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger");
    if (row?.n === 120) break;
    await Bun.sleep(200);
  }
  const report = await fetch(
    `${stack.url}/v1/admin/reports/proof-of-play?${daysAround(Date.now())}&group_by=campaign,content&totals=true`,
    {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    },
  );
  const shown = (await report.json()) as {
    items: Record<string, unknown>[];
    totals: { plays_count: number; billable_count: number; total_duration_ms: number };
  };

  const ledger = await stack.sql<{ chunk: string; r2_key: string }>(
    "SELECT l.device_id || '.' || l.incarnation || '.' || l.number AS chunk, s.r2_key FROM chunk_ledger l JOIN segments s ON s.id = l.segment_id",
  );
  const files: string[] = [];
  for (const key of new Set(ledger.map((row) => row.r2_key))) {
    const file = join(dir, `${files.length}.parquet`);
    writeFileSync(file, await stack.object(key));
    files.push(file);
  }
  const duck = await (await DuckDBInstance.create()).connect();
  const chunks = ledger.map((row) => `'${row.chunk}'`).join(",");
  const from = `FROM read_parquet([${files.map((file) => `'${file}'`).join(",")}]) WHERE chunk_id IN (${chunks})`;
  const rows = async (sql: string) => (await duck.runAndReadAll(sql)).getRowObjectsJson();
  const [totals] = await rows(`SELECT count(*)::INT AS plays, sum(billable::INT)::INT AS billable, sum(duration_ms)::INT AS ms ${from}`);
  expect(totals).toEqual({ plays: 120, billable: 120, ms: 120 * 15_000 });
  expect(totals).toEqual({ plays: shown.totals.plays_count, billable: shown.totals.billable_count, ms: shown.totals.total_duration_ms });
  const groups = await rows(`SELECT campaign_id, content_id, count(*)::INT AS plays_count ${from} GROUP BY ALL ORDER BY ALL`);
  const byKey = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    `${a.campaign_id}${a.content_id}` < `${b.campaign_id}${b.content_id}` ? -1 : 1;
  expect(groups.toSorted(byKey)).toEqual(
    shown.items.map(({ campaign_id, content_id, plays_count }) => ({ campaign_id, content_id, plays_count })).toSorted(byKey) as never,
  );
  const [proof] = await rows(
    `SELECT record, octet_length(signature)::INT AS bytes, sha256(record) = record_hash AS hashed, signed_by ${from} LIMIT 1`,
  );
  expect(proof).toMatchObject({ bytes: 64, hashed: true, signed_by: "record" });
  expect(JSON.parse(String(proof?.record))).toMatchObject({ status: "COMPLETED", duration_actual: 15 });
}, 300_000);
