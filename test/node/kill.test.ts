import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeNetwork, type PairedDevice, signedLog } from "../stack/network.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

// The whole Worker in a process that is killed with -9 under load: whatever was answered as accepted is recorded once, and what was
// not answered is sent again by its device, as devices do.

const DEVICES = 4;
const BATCHES = 12;
const PER_BATCH = 25;
/** How often it is killed; `KILLS=20 bun test ./test/node/kill.test.ts` for a hard night. */
const KILLS = Number(process.env.KILLS ?? 3);

let persistTo: string;
let bundle: string;
let stack: Stack;
beforeAll(async () => {
  persistTo = mkdtempSync(join(tmpdir(), "alive-kill-"));
  bundle = await buildBundle();
  stack = await startStack(bundle, { persistTo, port: 0 });
}, 300_000);
afterAll(async () => {
  await stack.kill();
  rmSync(persistTo, { recursive: true, force: true });
});

/** A device that sends its batches in order, each again until it was answered. */
async function sendAll(device: PairedDevice, batches: Record<string, unknown>[][], onAnswer: () => void): Promise<void> {
  for (const logs of batches) {
    for (let tries = 0; ; tries++) {
      if (tries > 600) throw new Error("no answer in a minute");
      const answer = await fetch(`${stack.url}/api/v1/playback-logs/batch`, {
        method: "POST",
        headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
        body: JSON.stringify({ logs }),
      }).catch(() => null);
      const body = answer?.status === 202 ? await answer.json().catch(() => null) : null;
      if (body) {
        expect(body).toMatchObject({ processed: logs.length, failed: 0 });
        onAnswer();
        break;
      }
      await Bun.sleep(100);
    }
  }
}

test(`killed with -9 ${KILLS} times under load, and every play is recorded once`, async () => {
  const devices = await makeNetwork(stack.url, { devices: DEVICES });
  let answered = 0;
  const killsAt = Array.from({ length: KILLS }, (_, index) => Math.floor(((index + 0.5) / KILLS) * DEVICES * BATCHES));
  const killing = (async () => {
    for (const at of killsAt) {
      while (answered < at) await Bun.sleep(5);
      await stack.kill();
      stack = await startStack(bundle, { persistTo, port: 0 });
    }
  })();
  await Promise.all(
    devices.map(async (device) => {
      const batches = await Promise.all(
        Array.from({ length: BATCHES }, (_, batch) =>
          Promise.all(Array.from({ length: PER_BATCH }, (_, index) => signedLog(device, batch * PER_BATCH + index, 60_000))),
        ),
      );
      await sendAll(device, batches, () => {
        answered += 1;
      });
    }),
  );
  await killing;
  const sent = DEVICES * BATCHES * PER_BATCH;
  const recorded = async () => (await stack.sql<{ n: number }>("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger"))[0]?.n;
  for (let look = 0; look < 300 && (await recorded()) !== sent; look++) await Bun.sleep(200);
  expect(await recorded()).toBe(sent);
  const one = async (sql: string) => (await stack.sql<{ n: number }>(sql))[0]?.n;
  expect(await one("SELECT count(*) AS n FROM proof_of_play_events")).toBe(sent);
  expect(await one("SELECT count(DISTINCT device_id || event_id) AS n FROM proof_of_play_events")).toBe(sent);
  expect(await one("SELECT sum(plays_count) AS n FROM plays_hourly")).toBe(sent);
  expect(await one("SELECT count(*) AS n FROM dead_letters")).toBe(0);
  for (const device of devices) {
    const status = await fetch(`${stack.url}/v1/admin/devices/${device.id}/sequencer`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(await status.json()).toMatchObject({ accepted: BATCHES * PER_BATCH, waiting_plays: 0, epochs: [{ missing: [] }] });
  }
}, 900_000);
