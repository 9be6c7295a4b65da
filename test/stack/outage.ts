/**
 * D1 away under load, by hand: `bun test/stack/outage.ts --minutes 5`.
 * Devices go on posting while the ledger's table cannot be found; then it is back, and everything that was accepted must be recorded soon, once,
 * with nothing in the dead letters. Prints what it counts, and exits with 1 where the sums differ.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeNetwork, signedLog } from "./network.ts";
import { buildBundle, startStack } from "./stack.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "5" }, devices: { type: "string", default: "6" } } });
const dir = mkdtempSync(join(tmpdir(), "alive-outage-"));
const stack = await startStack(await buildBundle(), { persistTo: dir, port: 0, consumer: { maxBatchTimeout: 1 } });
const count = async (sql: string) => (await stack.sql<{ n: number }>(sql))[0]?.n ?? 0;
const started = performance.now();
const say = (text: string) => console.log(`${Math.round((performance.now() - started) / 1000)} s: ${text}`);

try {
  const devices = await makeNetwork(stack.url, { devices: Number(values.devices) });
  const until = performance.now() + Number(values.minutes) * 60_000;
  let accepted = 0;
  let refusedRequests = 0;
  await stack.sql("ALTER TABLE chunk_ledger RENAME TO chunk_ledger_away");
  say("D1 is away");
  await Promise.all(
    devices.map(async (device) => {
      for (let index = 0; performance.now() < until; index += 20) {
        const logs = await Promise.all(Array.from({ length: 20 }, (_, at) => signedLog(device, index + at, 60_000)));
        const answer = await fetch(`${stack.url}/api/v1/playback-logs/batch`, {
          method: "POST",
          headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
          body: JSON.stringify({ logs }),
        });
        const { processed = 0 } = (await answer.json()) as { processed?: number };
        if (answer.status === 202) accepted += processed;
        else refusedRequests += 1;
        await Bun.sleep(1000);
      }
    }),
  );
  say(
    `accepted ${accepted} while D1 was away; ${refusedRequests} requests turned away; dead letters ${await count("SELECT count(*) AS n FROM dead_letters")}`,
  );
  await stack.sql("ALTER TABLE chunk_ledger_away RENAME TO chunk_ledger");
  const back = performance.now();
  say("D1 is back");
  const recorded = () => count("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger");
  for (let look = 0; look < 1200 && (await recorded()) < accepted; look++) await Bun.sleep(500);
  const figures = {
    accepted,
    recorded: await recorded(),
    events: await count("SELECT count(*) AS n FROM proof_of_play_events"),
    hourly: await count("SELECT coalesce(sum(plays_count), 0) AS n FROM plays_hourly"),
    dead_letters: await count("SELECT count(*) AS n FROM dead_letters"),
  };
  say(`${JSON.stringify(figures)}, ${Math.round((performance.now() - back) / 1000)} s after it was back`);
  const exact = figures.recorded === accepted && figures.events === accepted && figures.hourly === accepted && figures.dead_letters === 0;
  process.exitCode = exact ? 0 : 1;
} finally {
  await stack.kill();
  rmSync(dir, { recursive: true, force: true });
}
process.exit();
