import { tracing } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { logs, setLogLevel } from "../../../src/platform/log.ts";
import { inSpan, traceBy } from "../../../src/platform/spans.ts";
import { makeDevice, playLog, post, signedLogs } from "../../support/device.ts";
import { CaughtQueue, deliver, drain, runAlarm } from "../../support/pipeline.ts";
import { playOnGroup, sentEvent } from "../../support/telemetry.ts";

interface Line {
  level: string;
  message: string;
  [field: string]: unknown;
}

let lines: Line[] = [];

beforeEach(() => {
  lines = [];
  for (const level of ["debug", "info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: unknown) => {
      lines.push(JSON.parse(String(text)) as Line);
    });
});

afterEach(() => {
  setLogLevel("info");
  traceBy(tracing);
  vi.restoreAllMocks();
});

async function caughtDevice() {
  const device = await makeDevice();
  const queue = new CaughtQueue();
  await queue.attach(device.id);
  return { device, queue };
}

const CORRELATION_ID = "trace-of-one-request-0001";

describe("log lines", () => {
  test("a correlation id leads from the request to the consumer, and no line names the device", async () => {
    setLogLevel("debug");
    const { device, queue } = await caughtDevice();
    const sent = await signedLogs(device, 3, (index) => (index === 1 ? { duration_actual: -1 } : {}));
    const answer = await post(device, "/api/v1/playback-logs/batch", { logs: sent }, { "X-Correlation-Id": CORRELATION_ID });
    expect(await answer.json()).toMatchObject({ processed: 2, failed: 1, correlation_id: CORRELATION_ID });
    await drain(device.id, queue);

    const hashed = /^[0-9a-f]{16}$/;
    const own = lines.filter((line) => JSON.stringify(line).includes(CORRELATION_ID));
    const known = { correlation_id: CORRELATION_ID, door: "playback-log" };
    expect(own).toEqual([
      { level: "info", message: "batch processed", ...known, accepted: 2, duplicates: 0, rejected: 1 },
      { level: "warn", message: "event rejected", ...known, device: expect.stringMatching(hashed), reason: "INVALID_DURATION", count: 1 },
      {
        level: "debug",
        message: "event ingested",
        ...known,
        device: expect.stringMatching(hashed),
        index: 0,
        status: "accepted",
        event_type: "play",
      },
      {
        level: "debug",
        message: "event ingested",
        ...known,
        device: expect.stringMatching(hashed),
        index: 2,
        status: "accepted",
        event_type: "play",
      },
      { level: "debug", message: "consumer processed", chunks: 1, plays: 2, correlation_ids: [CORRELATION_ID] },
    ]);
    const bucket = new Date(Math.floor(Date.parse(String(sent[0]?.started_at)) / 3_600_000) * 3_600_000).toISOString();
    expect(lines).toContainEqual({ level: "debug", message: "aggregate updated", type: "hourly", bucket, plays: 2 });
    expect(JSON.stringify(lines)).not.toContain(device.id);
  });

  test("that of telemetry leads there as well", async () => {
    setLogLevel("debug");
    const { device, queue } = await caughtDevice();
    await playOnGroup(device);
    await post(device, "/telemetry/playback", sentEvent(device.contentId), { "X-Correlation-Id": CORRELATION_ID });
    await drain(device.id, queue);
    expect(lines).toContainEqual({
      level: "debug",
      message: "consumer processed",
      chunks: 1,
      plays: 0,
      telemetry_events: 1,
      correlation_ids: [CORRELATION_ID],
    });
  });

  test("what is only of use to who debugs is not written otherwise", async () => {
    const { device, queue } = await caughtDevice();
    await post(device, "/api/v1/playback-logs/batch", { logs: await signedLogs(device, 2) }, { "X-Correlation-Id": CORRELATION_ID });
    await post(device, "/api/v1/playback-logs", await device.sign(playLog(device)), { "X-Correlation-Id": CORRELATION_ID });
    await drain(device.id, queue);
    expect(lines.map(({ message }) => message)).toEqual(["batch processed"]);
  });

  test("a level that is none of them is info", () => {
    setLogLevel("loud");
    expect((["debug", "info", "warn", "error"] as const).map((level) => [level, logs(level)])).toEqual([
      ["debug", false],
      ["info", true],
      ["warn", true],
      ["error", true],
    ]);
  });
});

test("the way of a play, and of telemetry, is spanned, and spans nest", async () => {
  const seen: string[] = [];
  traceBy({
    enterSpan: (name, work) => {
      seen.push(`${name} {`);
      // The runtime's own spans, too.
      const result = tracing.enterSpan(name, work);
      void Promise.resolve(result)
        .catch(() => {})
        .then(() => seen.push(`} ${name}`));
      return result;
    },
  });
  const { device, queue } = await caughtDevice();
  expect((await post(device, "/api/v1/playback-logs", await device.sign(playLog(device)))).status).toBe(202);
  const ingested = ["telemetry.ingest {", "telemetry.validate {", "} telemetry.validate", "} telemetry.ingest"];
  expect(seen.splice(0)).toEqual(ingested);
  await post(device, "/telemetry/playback", sentEvent(device.contentId));
  expect(seen.splice(0)).toEqual(ingested);
  while (queue.bodies.length === 0) expect(await runAlarm(device.id)).toBe(true);
  expect(seen.splice(0)).toEqual(["queue.send {", "} queue.send"]);
  await deliver(queue.take());
  expect(seen.splice(0)).toEqual([
    "telemetry.aggregate {",
    "db.load_aggregate {",
    "} db.load_aggregate",
    "db.save_changes {",
    "} db.save_changes",
    "} telemetry.aggregate",
  ]);
});

test("what fails within a span fails as it would without one", async () => {
  await expect(inSpan("telemetry.ingest", () => Promise.reject(new Error("as it was")))).rejects.toThrow("as it was");
  expect(await inSpan("telemetry.ingest", async () => 7)).toBe(7);
  traceBy(null);
  expect(inSpan("telemetry.ingest", () => 8)).toBe(8);
});
