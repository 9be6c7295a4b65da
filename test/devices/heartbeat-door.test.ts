import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { MINUTE_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, post, postOne, signedLogs, type TestDevice } from "../support/device.ts";
import { beat, body, CaughtReports, deliverReports, heartbeat, writtenState } from "../support/heartbeats.ts";
import { runAlarm } from "../support/pipeline.ts";

/** A paired device whose object's reports are caught. */
async function caught(options: Parameters<typeof makeDevice>[0] = {}): Promise<{ device: TestDevice; reports: CaughtReports }> {
  const device = await makeDevice(options);
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  return { device, reports: await new CaughtReports().attach(device.id) };
}

/** A heartbeat at a time of its own, past the door. */
async function beatAt(device: TestDevice, receivedAt: number, changes: Parameters<typeof heartbeat>[0] = {}) {
  const request = { ...heartbeat({ receivedAt, ...changes }), familyId: device.familyId };
  return await runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => instance.heartbeat(request));
}

async function row(deviceId: string) {
  return await env.DB.prepare("SELECT last_seen_at, offline_at, player_version, heartbeat_json, version FROM devices WHERE id = ?")
    .bind(deviceId)
    .first();
}

describe("the answer", () => {
  test("says the time, the clock's offset, where the device stands, its policy, and when to come again", async () => {
    const { device } = await caught({ policy: { heartbeat_interval_s: 30, storage_cap_bytes: 1000, signature: "optional" } });
    await postOne(device, (await signedLogs(device, 1, () => ({ sequence: 7 })))[0]);
    const before = Date.now();
    const answer = await beat(device, { device_time: new Date(before + 90_000).toISOString() });
    expect(answer.status).toBe(200);
    const { server_time, clock_offset_ms, ...rest } = answer.body;
    expect(Date.parse(String(server_time))).toBeGreaterThanOrEqual(before);
    expect(Number(clock_offset_ms)).toBe(before + 90_000 - Date.parse(String(server_time)));
    expect(rest).toEqual({
      plan_etag: null,
      epoch: "0",
      expected_sequence: 8,
      commands: [],
      policy: {
        heartbeat_interval_s: 30,
        storage_cap_bytes: 1000,
        requests_per_minute: 120,
        signature: "optional",
        batch_signature: false,
      },
      next_heartbeat_s: 30,
    });
  });

  test("names the plan that the device was given; none while it is stale or of another day", async () => {
    const { device } = await caught({ timezone: "Pacific/Kiritimati" });
    expect((await beat(device)).body.plan_etag).toBeNull();
    const plan = await exports.default.fetch("http://localhost/v1/device/plan", { headers: { Authorization: `Bearer ${device.token}` } });
    const { plan_etag } = (await beat(device)).body;
    expect(plan.headers.get("ETag")).toBe(`"${plan_etag}"`);
    const set = (change: string) => env.DB.prepare(`UPDATE playout_plans SET ${change} WHERE device_id = ?`).bind(device.id).run();
    await set("stale = 1");
    expect((await beat(device)).body.plan_etag).toBeNull();
    await set("stale = 0, valid_from = valid_from - 86400000");
    expect((await beat(device)).body.plan_etag).toBeNull();
  });
});

describe("what is refused", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["no time", { device_time: undefined }, "/device_time"],
    ["a time that is none", { device_time: "noon" }, "/device_time"],
    ["a negative disk", { disk_used_bytes: -1 }, "/disk_used_bytes"],
    ["no word on what plays", { now_playing: undefined }, "/now_playing"],
    ["a counter with a fraction", { counters: { restarts: 1.5 } }, "/counters/restarts"],
    ["a result of a status that is none", { command_results: [{ id: crypto.randomUUID(), status: "maybe" }] }, "/command_results/0/status"],
  ])("%s", async (_, changes, pointer) => {
    const { device } = await caught();
    const answer = await beat(device, changes);
    expect([answer.status, (answer.body.errors as { pointer: string }[])[0]?.pointer]).toEqual([400, pointer]);
  });

  test("no token is 401, whatever the body", async () => {
    expect((await post({ token: "x" }, "/v1/device/heartbeat", "{")).status).toBe(401);
  });

  test("a revoked device, and a player that was replaced", async () => {
    const { device } = await caught();
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), device.id).run();
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    expect(await beat(device)).toMatchObject({ status: 401, body: { code: "TOKEN_SUPERSEDED" } });
    await admin("POST", `/v1/admin/devices/${device.id}/revoke`);
    expect(await beat(device)).toMatchObject({ status: 403, body: { type: "/docs/errors/device-revoked" } });
    expect(await writtenState(device.id)).toBeNull();
  });

  test("a device that does not exist any more", async () => {
    const device = await makeDevice();
    await env.DB.batch(
      ["device_keys", "device_assignments"]
        .map((table) => env.DB.prepare(`DELETE FROM ${table} WHERE device_id = ?`).bind(device.id))
        .concat(env.DB.prepare("DELETE FROM devices WHERE id = ?").bind(device.id)),
    );
    expect(await beat(device)).toMatchObject({ status: 401, body: { code: "DEVICE_UNKNOWN" } });
  });
});

describe("the object", () => {
  const now = Date.now();

  test("writes one row for several heartbeats, and tells D1 of the first", async () => {
    const { device, reports } = await caught();
    await beatAt(device, now);
    await beatAt(device, now + MINUTE_MS);
    await beatAt(device, now + 2 * MINUTE_MS);
    expect((await writtenState(device.id))?.at).toBe(now);
    expect(reports.take()).toMatchObject([{ device_id: device.id, at: now, silent: false, findings: [], player_version: "1.0" }]);
    await beatAt(device, now + 3 * MINUTE_MS);
    expect((await writtenState(device.id))?.at).toBe(now + 3 * MINUTE_MS);
    expect(reports.take()).toEqual([]);
  });

  test("that leaves memory between any two heartbeats sets its alarm only where it writes", async () => {
    const { device, reports } = await caught();
    for (let minute = 0; minute < 10; minute++) {
      await beatAt(device, now + minute * MINUTE_MS);
      await evictDurableObject(env.SEQUENCER.getByName(device.id));
      await reports.attach(device.id);
    }
    expect(reports.alarms).toBe(4);
  });

  test.each([false, true])("judges plays that tell no time by the last heartbeat's clock; out of memory meanwhile: %s", async (evicted) => {
    const { device } = await caught();
    const ahead = 60 * 60_000;
    expect((await beat(device, { device_time: new Date(Date.now() + ahead).toISOString() })).status).toBe(200);
    const skewed = async () => {
      const [log] = await signedLogs(device, 1);
      const answer = await postOne(device, log, { "Sent-At": "" });
      return ((await answer.json()) as { code: string }).code;
    };
    // Before any play wrote the clock down with its own row.
    if (evicted) await evictDurableObject(env.SEQUENCER.getByName(device.id));
    expect(await skewed()).toBe("CLOCK_SKEW");
  });

  test("a play writes nothing of the heartbeats", async () => {
    const { device } = await caught();
    await beatAt(device, now);
    const before = await writtenState(device.id);
    await postOne(device, (await signedLogs(device, 1))[0]);
    expect(await writtenState(device.id)).toEqual(before);
  });

  test("counts a reported play as activity, and calls playing stuck without any", async () => {
    const { device, reports } = await caught();
    const playing = { nowPlaying: { slot_id: "same" } };
    await beatAt(device, now, playing);
    await postOne(device, (await signedLogs(device, 1))[0]);
    for (let minute = 1; minute <= 20; minute++) await beatAt(device, now + minute * MINUTE_MS, playing);
    expect(reports.take().map(({ at, findings }) => [(at - now) / MINUTE_MS, findings.map(({ type }) => type)])).toEqual([
      [0, []],
      [10, []],
      // Over 15 min after the first minute, in which the play was seen.
      [17, ["PLAYBACK_STUCK"]],
    ]);
  });

  test("reports silence by its alarm, once; and the device's return at once", async () => {
    const { device, reports } = await caught();
    const then = now - 60 * MINUTE_MS;
    await beatAt(device, then);
    reports.take();
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    await reports.attach(device.id);
    await env.SEQUENCER.getByName(device.id).wake();
    expect(await runAlarm(device.id)).toBe(true);
    expect(reports.take()).toMatchObject([{ device_id: device.id, at: then, silent: true, heartbeat: null }]);
    await env.SEQUENCER.getByName(device.id).wake();
    await runAlarm(device.id);
    expect(reports.take()).toEqual([]);
    await beat(device);
    expect(reports.take()).toMatchObject([{ silent: false }]);
  });

  test("reports silence again later where the queue took nothing", async () => {
    const { device, reports } = await caught();
    await beatAt(device, now - 60 * MINUTE_MS);
    reports.take();
    reports.broken = true;
    await runAlarm(device.id);
    const state = await writtenState(device.id);
    expect(state?.silent).toBe(false);
    expect(state?.silentAt).toBeGreaterThan(Date.now() + 4 * MINUTE_MS);
  });

  test("tells D1 with the next heartbeat what the queue did not take", async () => {
    const { device, reports } = await caught();
    reports.broken = true;
    await beatAt(device, now);
    reports.broken = false;
    await beatAt(device, now + MINUTE_MS);
    expect(reports.take()).toMatchObject([{ at: now + MINUTE_MS }]);
  });

  test("of a revoked device nothing is told", async () => {
    const { device, reports } = await caught();
    await beatAt(device, now - 60 * MINUTE_MS);
    reports.take();
    await admin("POST", `/v1/admin/devices/${device.id}/revoke`);
    await runAlarm(device.id);
    expect(reports.take()).toEqual([]);
  });
});

test("what a heartbeat says comes to D1 and is shown with the device, whose version stays", async () => {
  const { device, reports } = await caught();
  await beat(device, { player_version: "2.1", last_error: "no network" });
  const sent = reports.take();
  expect(await deliverReports(sent)).toEqual({ acked: 1, retried: 0 });
  expect(await row(device.id)).toMatchObject({ last_seen_at: sent[0]?.at, offline_at: null, player_version: "2.1", version: 1 });
  const shown = await admin("GET", `/v1/admin/devices/${device.id}`);
  expect(shown.body).toMatchObject({
    offline_at: null,
    last_seen_at: new Date(sent[0]?.at ?? 0).toISOString(),
    heartbeat: { disk_used_bytes: 10, disk_total_bytes: 100, last_error: "no network", counters: { restarts: 1 } },
  });
});

test("what a player says at too great length is cut: its heartbeat counts all the same", async () => {
  const { device, reports } = await caught();
  const id = crypto.randomUUID();
  const answer = await beat(device, {
    last_error: `${"x".repeat(499)}\u{1f600}`,
    command_results: [{ id, status: "failed", detail: { error: "é".repeat(3000) } }],
  });
  expect(answer.status).toBe(200);
  expect(reports.take()).toMatchObject([
    {
      heartbeat: { last_error: "x".repeat(499) },
      results: [{ id, status: "failed", detail: { cut: `{"error":"${"é".repeat(490)}` } }],
    },
  ]);
});

describe("commands", () => {
  const ids = (answer: { body: Record<string, unknown> }) => (answer.body.commands as { id: string }[]).map(({ id }) => id);

  async function told(device: TestDevice, command: unknown = { type: "reboot" }) {
    const made = await create(`devices/${device.id}/commands`, command);
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    return made;
  }

  test("is repeated until its result comes, after the object left memory too, and is then done", async () => {
    const { device, reports } = await caught();
    const command = await told(device, { type: "set_volume", params: { level: 40 } });
    const first = await beat(device);
    expect(first.body.commands).toEqual([
      { id: command.id, type: "set_volume", params: { level: 40 }, created_at: command.created_at, expires_at: command.expires_at },
    ]);
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    await reports.attach(device.id);
    expect(ids(await beat(device))).toEqual([command.id]);
    reports.take();
    const done = await beat(device, { command_results: [{ id: command.id, status: "done", detail: { level: 40 } }] });
    expect(ids(done)).toEqual([]);
    // The one before was told a moment ago, so the result travels with the next report.
    expect(ids(await beat(device))).toEqual([]);
    await beatAt(device, Date.now() + MINUTE_MS);
    await deliverReports(reports.take());
    const shown = await admin("GET", `/v1/admin/devices/${device.id}/commands/${command.id}`);
    expect(shown.body).toMatchObject({ status: "done", result: { level: 40 } });
    expect((await writtenState(device.id))?.results).toEqual([]);
  });

  test("a result that came twice, or of another device, changes nothing", async () => {
    const { device } = await caught();
    const command = await told(device);
    const at = Date.now();
    const result = (status: "done" | "failed", deviceId = device.id) => ({
      ...{ v: 1, device_id: deviceId, at, silent: false, player_version: null, heartbeat: null, findings: [] },
      results: [{ id: command.id, status, detail: null, at }],
    });
    await deliverReports([result("failed", (await makeDevice()).id)]);
    const status = async () => (await admin("GET", `/v1/admin/devices/${device.id}/commands/${command.id}`)).body.status;
    expect(await status()).toBe("waiting");
    await deliverReports([result("done"), result("failed")]);
    expect(await status()).toBe("done");
    await deliverReports([result("failed")]);
    expect(await status()).toBe("done");
  });

  test("cancelled, it is not repeated; cancelling again changes nothing, and what is done cannot be cancelled", async () => {
    const { device } = await caught();
    const command = await told(device);
    const path = `/v1/admin/devices/${device.id}/commands/${command.id}/cancel`;
    expect((await admin("POST", path)).body.status).toBe("cancelled");
    expect((await admin("POST", path)).body.status).toBe("cancelled");
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    expect(ids(await beat(device))).toEqual([]);
    const other = await told(device);
    await env.DB.prepare("UPDATE device_commands SET status = 'done' WHERE id = ?").bind(other.id).run();
    expect(await admin("POST", path.replace(command.id, other.id))).toMatchObject({ status: 409, body: { code: "COMMAND_SETTLED" } });
  });

  test("expired, it is not repeated, and cron says so", async () => {
    const { device } = await caught();
    const command = await told(device, { type: "screenshot", expires_in_s: 60 });
    const later = (await beatAt(device, Date.now() + 61_000)) as { commands?: unknown[] };
    expect(later.commands).toEqual([]);
    const { expireCommands } = await import("../../src/devices/commands.ts");
    expect(await expireCommands(env.DB, Date.parse(String(command.expires_at)) - 1)).toBe(0);
    expect(await expireCommands(env.DB, Date.parse(String(command.expires_at)))).toBe(1);
    const listed = await admin("GET", `/v1/admin/devices/${device.id}/commands?status=expired`);
    expect((listed.body.items as { id: string }[]).map(({ id }) => id)).toEqual([command.id]);
  });

  test("the same Idempotency-Key makes one command", async () => {
    const { device } = await caught();
    const send = () => admin("POST", `/v1/admin/devices/${device.id}/commands`, { type: "reboot" }, { "Idempotency-Key": "k1" });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status, second.body.id]).toEqual([201, 201, first.body.id]);
    expect(second.headers.get("Idempotency-Replayed")).toBe("true");
  });

  test.each<[string, unknown, number, string]>([
    ["of a type that is none", { type: "dance" }, 400, "VALIDATION_ERROR"],
    ["with a field that is none", { type: "reboot", hard: true }, 400, "VALIDATION_ERROR"],
    ["with a volume of 101", { type: "set_volume", params: { level: 101 } }, 400, "VALIDATION_ERROR"],
    ["for an unpaired device", { type: "reboot" }, 400, "DEVICE_NOT_ACTIVE"],
  ])("%s is refused", async (_, command, status, code) => {
    const { id } = await create("devices", { external_name: "d" });
    expect(await admin("POST", `/v1/admin/devices/${id}/commands`, command)).toMatchObject({ status, body: { code } });
  });

  test("twenty wait for a device at most, and a device that is not there has none", async () => {
    const device = await makeDevice();
    for (let n = 0; n < 20; n++) await create(`devices/${device.id}/commands`, { type: "reboot" });
    const path = `/v1/admin/devices/${device.id}/commands`;
    expect(await admin("POST", path, { type: "reboot" })).toMatchObject({ status: 400, body: { code: "TOO_MANY_COMMANDS" } });
    expect((await admin("POST", path.replace(device.id, crypto.randomUUID()), { type: "reboot" })).status).toBe(404);
  });
});

test("the body of the guide's heartbeat is a good one", async () => {
  const { device } = await caught();
  const answer = await post(device, "/v1/device/heartbeat", body({ now_playing: null, disk_total_bytes: null, last_error: null }));
  expect(answer.status).toBe(200);
});
