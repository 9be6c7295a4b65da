import { env } from "cloudflare:workers";
import canonicalize from "canonicalize";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/platform/encoding.ts";
import { decodeChunk } from "../../../src/plays/chunk.ts";
import { makeDevice, playLog, post, postBatch, postOne, signedLogs, type TestDevice } from "../../support/device.ts";
import { CaughtQueue, deliver, runAlarm, statusOf } from "../../support/pipeline.ts";

interface Verdict {
  status: string;
  billable: boolean;
  quality_score: number;
  flags: string[];
  expected_sequence: number;
  epoch: string;
}

async function verdictOf(device: TestDevice, log: Record<string, unknown>, headers?: Record<string, string>): Promise<Verdict> {
  const answer = await postOne(device, log, headers);
  expect(answer.status).toBe(202);
  return await answer.json<Verdict>();
}

describe("signatures by the group's policy", () => {
  test("where they are optional, an unsigned play is kept and not billed, and a wrong signature is still refused", async () => {
    const device = await makeDevice({ policy: { signature: "optional" } });
    expect(await verdictOf(device, playLog(device))).toMatchObject({ billable: false, quality_score: 100, flags: ["UNSIGNED"] });
    expect(await (await postOne(device, { ...playLog(device), signature: "AAAA" })).json()).toMatchObject({ code: "INVALID_SIGNATURE" });
  });

  test("the policy may let unsigned plays be billed", async () => {
    const device = await makeDevice({ policy: { signature: "optional", unsigned_billable: true } });
    expect(await verdictOf(device, playLog(device))).toMatchObject({ billable: true, flags: ["UNSIGNED"] });
  });

  test("a device without a key: SIGNATURE_REQUIRED where one is needed, INVALID_SIGNATURE where it sends one", async () => {
    const device = await makeDevice({ withoutKey: true });
    expect(await (await postOne(device, playLog(device))).json()).toMatchObject({ code: "SIGNATURE_REQUIRED" });
    expect(await (await postOne(device, await device.sign(playLog(device)))).json()).toMatchObject({ code: "INVALID_SIGNATURE" });
  });
});

test("a retry gets its first verdict though the policy asks for a signature since", async () => {
  const device = await makeDevice({ policy: { signature: "optional" } });
  const log = playLog(device);
  expect(await verdictOf(device, log)).toMatchObject({ status: "accepted" });
  await env.DB.prepare("UPDATE device_groups SET policy_json = '{}' WHERE id = ?").bind(device.groupId).run();
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  expect(await verdictOf(device, log)).toMatchObject({ status: "duplicate", flags: ["UNSIGNED"] });
  expect(await (await postOne(device, playLog(device))).json()).toMatchObject({ code: "SIGNATURE_REQUIRED" });
});

describe("a batch that is signed as a whole", () => {
  async function signBatch(device: TestDevice, logs: Record<string, unknown>[], sentAt: string): Promise<string> {
    const hashes = await Promise.all(logs.map(({ signature: _, ...log }) => sha256Hex(canonicalize(log) ?? "")));
    return await device.signText(["alive-batch-v1", device.id, sentAt, ...hashes].join("\n"));
  }

  test("is let in where the policy allows it, and its lines are archived with the plays", async () => {
    const device = await makeDevice({ policy: { batch_signature: true } });
    const queue = new CaughtQueue();
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    await queue.attach(device.id);
    const logs = [playLog(device), playLog(device)];
    const sentAt = new Date().toISOString();
    const signature = await signBatch(device, logs, sentAt);
    const answer = await postBatch(device, logs, { "Sent-At": sentAt, "Batch-Signature": signature });
    expect(await answer.json()).toMatchObject({ processed: 2, failed: 0 });
    await runAlarm(device.id);
    const [body] = queue.bodies;
    const { plays } = decodeChunk(body ?? new Uint8Array());
    expect(plays.batch.map((batch) => batch?.signature)).toEqual([signature, signature]);
    expect(plays.batch.map((batch) => batch?.lines.split("\n").slice(0, 3))).toEqual(Array(2).fill(["alive-batch-v1", device.id, sentAt]));
    await deliver(queue.take());
  });

  test("is SIGNATURE_REQUIRED where the policy does not allow it", async () => {
    const device = await makeDevice();
    const logs = [playLog(device)];
    const sentAt = new Date().toISOString();
    const answer = await postBatch(device, logs, { "Sent-At": sentAt, "Batch-Signature": await signBatch(device, logs, sentAt) });
    expect(await answer.json()).toMatchObject({ errors: [{ code: "SIGNATURE_REQUIRED" }] });
  });

  test("bills nothing where signatures are optional and the policy allows no batch's", async () => {
    const device = await makeDevice({ policy: { signature: "optional" } });
    const logs = [playLog(device)];
    const sentAt = new Date().toISOString();
    await postBatch(device, logs, { "Sent-At": sentAt, "Batch-Signature": await signBatch(device, logs, sentAt) });
    expect(await verdictOf(device, logs[0] ?? {})).toMatchObject({ status: "duplicate", billable: false, flags: ["UNSIGNED"] });
  });

  test("with a signature over other records, no unsigned record is let in; one with a signature of its own is", async () => {
    const device = await makeDevice({ policy: { batch_signature: true } });
    const sentAt = new Date().toISOString();
    const signature = await signBatch(device, [playLog(device)], sentAt);
    const answer = await postBatch(device, [playLog(device), await device.sign(playLog(device))], {
      "Sent-At": sentAt,
      "Batch-Signature": signature,
    });
    expect(await answer.json()).toMatchObject({ processed: 1, errors: [{ index: 0, code: "INVALID_SIGNATURE" }] });
  });
});

describe("the rate", () => {
  test("is the group's, over single logs and batches together; refused requests keep nothing and say when to come again", async () => {
    const device = await makeDevice({ policy: { requests_per_minute: 3 } });
    const [one, two, three, four] = await signedLogs(device, 4);
    expect((await postOne(device, one)).headers.get("RateLimit")).toMatch(/^"device";r=2;t=\d+$/);
    await postBatch(device, [two]);
    expect((await postOne(device, three)).headers.get("RateLimit")).toMatch(/^"device";r=0;t=\d+$/);
    const refused = await postOne(device, four);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(refused.headers.get("RateLimit-Policy")).toBe('"device";q=3;w=60');
    expect(await refused.json()).toMatchObject({ type: "/docs/errors/rate-limit-exceeded", code: "RATE_LIMIT_EXCEEDED" });
    expect((await statusOf(device.id)).accepted).toBe(3);
  });

  test("500 events in a few seconds pass by batch", async () => {
    const device = await makeDevice();
    for (let batch = 0; batch < 5; batch++) expect((await postBatch(device, await signedLogs(device, 100))).status).toBe(202);
    expect((await statusOf(device.id)).accepted).toBe(500);
  });
});

describe("sequence and identity at the door", () => {
  test("a gap, a late one and a conflict are flagged; only the conflict is not billed", async () => {
    const device = await makeDevice();
    const send = async (sequence: number) => await verdictOf(device, await device.sign(playLog(device, { sequence })));
    expect(await send(1)).toMatchObject({ flags: [], expected_sequence: 2 });
    expect(await send(4)).toMatchObject({ flags: ["SEQUENCE_GAP"], billable: true, quality_score: 100, expected_sequence: 5 });
    expect(await send(2)).toMatchObject({ flags: ["OUT_OF_ORDER"], billable: true, quality_score: 95, expected_sequence: 5 });
    expect(await send(2)).toMatchObject({ flags: ["SEQUENCE_CONFLICT"], billable: false, quality_score: 100 });
    expect((await statusOf(device.id)).epochs).toEqual([{ epoch: "0", expected_sequence: 5, missing: [[3, 3]] }]);
  });

  test("a refused log uses up its number, in its own epoch", async () => {
    const device = await makeDevice();
    const epoch = crypto.randomUUID();
    const refused = await device.sign(playLog(device, { sequence: 1, epoch, duration_actual: -5 }));
    expect((await postOne(device, refused)).status).toBe(422);
    expect(await verdictOf(device, await device.sign(playLog(device, { sequence: 2, epoch })))).toMatchObject({
      flags: [],
      epoch,
      expected_sequence: 3,
    });
    expect(await verdictOf(device, await device.sign(playLog(device, { sequence: 1 })))).toMatchObject({
      flags: [],
      epoch: "0",
      expected_sequence: 2,
    });
  });

  test("a log without an id gets one from its content, so that a retry meets itself", async () => {
    const device = await makeDevice();
    const { log_id: _, ...log } = playLog(device);
    const signed = await device.sign(log);
    const first = await (await postOne(device, signed)).json<{ log_id: string; status: string }>();
    expect(first.status).toBe("accepted");
    expect(first.log_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await (await postOne(device, signed)).json()).toMatchObject({ log_id: first.log_id, status: "duplicate" });
  });

  test("an id in capitals is the same id", async () => {
    const device = await makeDevice();
    const log = playLog(device);
    await postOne(device, await device.sign(log));
    const capitals = await device.sign({ ...log, log_id: String(log.log_id).toUpperCase() });
    expect(await (await postOne(device, capitals)).json()).toMatchObject({ code: "ID_CONFLICT" });
  });
});

describe("what a play is judged by", () => {
  test("a clock that was set during the play gives it no start: it is refused, not billed on a day of 1970", async () => {
    const device = await makeDevice();
    const answer = await postOne(device, await device.sign(playLog(device, { started_at: "1970-01-01T00:00:10Z" })));
    expect(await answer.json()).toMatchObject({ status: 422, code: "TOO_OLD" });
  });

  test("a place that is not on the globe is not the store", async () => {
    const device = await makeDevice();
    const log = await device.sign(playLog(device, { location: { lat: 370.7769, lng: 106.7009 } }));
    expect(await verdictOf(device, log)).toMatchObject({ flags: ["LOCATION_MISMATCH"], billable: false });
  });

  test("an expected duration beyond all bounds differs from the version's, and can be recorded", async () => {
    const device = await makeDevice();
    const log = await device.sign(playLog(device, { duration_expected: 1e18 }));
    expect(await verdictOf(device, log)).toMatchObject({ flags: ["EXPECTED_MISMATCH"], billable: false });
  });

  test("a refused log's id comes back as the device wrote it", async () => {
    const device = await makeDevice();
    const log_id = crypto.randomUUID().toUpperCase();
    const answer = await postBatch(device, [await device.sign(playLog(device, { log_id, duration_actual: -1 }))]);
    expect(await answer.json()).toMatchObject({ errors: [{ log_id, code: "INVALID_DURATION" }] });
  });

  test("filler is counted and not billed", async () => {
    const device = await makeDevice();
    const { campaign_id: _, ...filler } = playLog(device);
    expect(await verdictOf(device, await device.sign(filler))).toMatchObject({ status: "accepted", billable: false, flags: [] });
  });

  test("the time sent in the body counts where no header does, and one inside a record says nothing", async () => {
    const device = await makeDevice();
    const inRecord = await device.sign(playLog(device, { sent_at: "1999-01-01T00:00:00Z" }));
    expect(await (await post(device, "/api/v1/playback-logs", inRecord, { "Sent-At": "" })).json()).toMatchObject({
      flags: ["CLOCK_UNVERIFIED"],
      quality_score: 90,
    });
    const [log] = await signedLogs(device, 1);
    const slow = new Date(Date.now() - 45 * 60_000).toISOString();
    const answer = await post(device, "/api/v1/playback-logs/batch", { sent_at: slow, logs: [log] }, { "Sent-At": "" });
    expect(await answer.json()).toMatchObject({ errors: [{ code: "FUTURE_TIMESTAMP" }] });
  });

  test("store, supplier and day are those of the assignment in force when the play started", async () => {
    const device = await makeDevice({ timezone: "Pacific/Kiritimati" });
    const queue = new CaughtQueue();
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    const moved = Date.now() - 30 * 60_000;
    await env.DB.prepare(
      "INSERT INTO device_assignments (device_id, valid_from, store_id, supplier_id, timezone) VALUES (?, ?, 'new-store', 'new-supplier', 'Pacific/Niue')",
    )
      .bind(device.id, moved)
      .run();
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    await queue.attach(device.id);
    const before = await device.sign(playLog(device, {}, 60 * 60_000));
    const after = await device.sign(playLog(device, {}, 60_000));
    expect(await (await postBatch(device, [before, after])).json()).toMatchObject({ processed: 2 });
    await runAlarm(device.id);
    await deliver(queue.take());
    const { results } = await env.DB.prepare(
      "SELECT store_id, supplier_id, day, started_at FROM proof_of_play_events WHERE device_id = ? ORDER BY started_at",
    )
      .bind(device.id)
      .all<{ store_id: string; supplier_id: string; day: string; started_at: number }>();
    const dayIn = (ms: number | undefined, timeZone: string) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(ms);
    expect(results).toMatchObject([
      { store_id: device.storeId, supplier_id: device.supplierId, day: dayIn(results[0]?.started_at, "Pacific/Kiritimati") },
      { store_id: "new-store", supplier_id: "new-supplier", day: dayIn(results[1]?.started_at, "Pacific/Niue") },
    ]);
    expect(results[0]?.day).not.toBe(results[1]?.day);
  });
});
