import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { daysAround, makeNetwork, signedLog } from "../stack/network.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

// The compacted archive read by somebody else's program: DuckDB counts what the manifests list, and the report agrees.

const DEVICES = 3;
const LOGS = 40;

let dir: string;
let stack: Stack;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "alive-compact-"));
  stack = await startStack(await buildBundle(), { persistTo: join(dir, "state"), port: 0 });
}, 300_000);
afterAll(async () => {
  await stack.kill();
  rmSync(dir, { recursive: true, force: true });
});

interface Manifest {
  plays_count: number;
  parts: { key: string; sha256: string; bytes: number; plays_count: number; segments: string[] }[];
}

async function recordAll(): Promise<void> {
  const devices = await makeNetwork(stack.url, { devices: DEVICES, contents: 2, campaigns: 2 });
  for (const device of devices) {
    const logs = await Promise.all(Array.from({ length: LOGS }, (_, index) => signedLog(device, index, 60_000)));
    const answer = await fetch(`${stack.url}/api/v1/playback-logs/batch`, {
      method: "POST",
      headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
      body: JSON.stringify({ logs }),
    });
    expect(await answer.json()).toMatchObject({ processed: LOGS, failed: 0 });
  }
  for (let look = 0; look < 150; look++) {
    const [row] = await stack.sql<{ n: number }>("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger");
    if (row?.n === DEVICES * LOGS) return;
    await Bun.sleep(200);
  }
  throw new Error("the plays were not recorded");
}

test("DuckDB counts the same plays from the parts that the manifests list as the report shows", async () => {
  await recordAll();
  // An hour and more passes.
  await stack.sql("UPDATE segments SET recorded_at = recorded_at - 7200000");
  await stack.cron("7 * * * *");
  expect(await stack.sql("SELECT count(*) AS n FROM segments WHERE compacted_at IS NULL")).toEqual([{ n: 0 }]);

  const files: string[] = [];
  let listed = 0;
  for (const key of (await stack.keys("plays/")).filter((key) => key.endsWith("manifest.json"))) {
    const manifest = JSON.parse(new TextDecoder().decode(await stack.object(key))) as Manifest;
    for (const part of manifest.parts) {
      const bytes = await stack.object(part.key);
      expect({ sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"), bytes: bytes.length }).toEqual({
        sha256: part.sha256,
        bytes: part.bytes,
      });
      const file = join(dir, `${files.length}.parquet`);
      writeFileSync(file, bytes);
      files.push(file);
    }
    listed += manifest.plays_count;
  }
  expect(listed).toBe(DEVICES * LOGS);

  const duck = await (await DuckDBInstance.create()).connect();
  const from = `FROM read_parquet([${files.map((file) => `'${file}'`).join(",")}])`;
  const rows = async (sql: string) => (await duck.runAndReadAll(sql)).getRowObjectsJson();
  const counted = await rows(
    `SELECT campaign_id, content_id, count(*)::INT AS plays_count, sum(billable::INT)::INT AS billable_count, sum(duration_ms)::INT AS total_duration_ms
     ${from} GROUP BY ALL ORDER BY campaign_id, content_id`,
  );
  const report = await fetch(`${stack.url}/v1/admin/reports/proof-of-play?${daysAround(Date.now())}&group_by=campaign,content`, {
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const { items } = (await report.json()) as { items: Record<string, unknown>[] };
  expect(counted).toEqual(
    items.map(({ campaign_id, content_id, plays_count, billable_count, total_duration_ms }) => ({
      campaign_id,
      content_id,
      plays_count,
      billable_count,
      total_duration_ms,
    })) as never,
  );
  expect(counted.length).toBe(2);
  const proofs = await rows(
    `SELECT count(DISTINCT event_id)::INT AS plays, bool_and(sha256(record) = record_hash) AS hashed, min(octet_length(signature))::INT AS bytes ${from}`,
  );
  expect(proofs).toEqual([{ plays: DEVICES * LOGS, hashed: true, bytes: 64 }]);
}, 300_000);
