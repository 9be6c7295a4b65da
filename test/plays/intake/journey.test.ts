import { beforeAll, describe, expect, test } from "vitest";
import { makeDevice, playLog, postBatch, postOne, signedLogs, type TestDevice } from "../../support/device.ts";

let device: TestDevice;
beforeAll(async () => {
  device = await makeDevice();
});

describe("a play log at the door", () => {
  test("is accepted, and a retry gets the first verdict again", async () => {
    const log = await device.sign(playLog(device, { sequence: 1 }));
    const first = await postOne(device, log);
    expect(first.status).toBe(202);
    const body = await first.json<Record<string, unknown>>();
    expect(body).toMatchObject({
      log_id: log.log_id,
      status: "accepted",
      billable: true,
      quality_score: 100,
      flags: [],
      epoch: "0",
      expected_sequence: 2,
    });
    expect(first.headers.get("RateLimit-Policy")).toBe('"device";q=120;w=60');
    const retry = await postOne(device, log);
    expect(await retry.json()).toMatchObject({ log_id: log.log_id, status: "duplicate", billable: true, quality_score: 100, flags: [] });
  });

  test("one bad log in a batch of 100 costs only itself", async () => {
    const logs = await signedLogs(device, 100, (index) => (index === 41 ? { duration_actual: -1 } : {}));
    const answer = await postBatch(device, logs);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({
      processed: 99,
      duplicates: 0,
      failed: 1,
      errors: [{ index: 41, log_id: logs[41]?.log_id, code: "INVALID_DURATION", retryable: false }],
    });
  });
});
