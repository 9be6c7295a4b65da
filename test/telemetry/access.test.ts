import { env, exports } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { MINUTE_MS } from "../../src/platform/time.ts";
import { consultAccess, forgetAccess, type TrackCaller } from "../../src/telemetry/access.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { playOnGroup } from "../support/telemetry.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");
let device: TestDevice;
let caller: TrackCaller;
/** D1 whose every statement fails once it is sent. */
const away = new Proxy(env.DB, {
  get: (db, property) =>
    property === "prepare" ? () => env.DB.prepare("SELECT * FROM no_such_table WHERE 1 IN (?1, ?2)") : Reflect.get(db, property),
});

beforeEach(async () => {
  forgetAccess();
  device = await makeDevice();
  await playOnGroup(device);
  caller = { kind: "device", deviceId: device.id };
});

async function remove(): Promise<void> {
  await env.DB.prepare("UPDATE device_groups SET default_playlist_id = NULL WHERE id = ?").bind(device.groupId).run();
}

test("what is allowed is remembered for a minute; what is not is asked afresh each time", async () => {
  const ask = async (now: number) => (await consultAccess(env.DB, caller, [device.contentId], now)).get(device.contentId);
  expect(await ask(NOW)).toBe(device.contentId);
  await remove();
  expect(await ask(NOW + MINUTE_MS - 1)).toBe(device.contentId);
  expect(await ask(NOW + MINUTE_MS)).toBeNull();
  await playOnGroup(device);
  expect(await ask(NOW + MINUTE_MS + 1)).toBe(device.contentId);
});

test("one caller's access is not another's", async () => {
  await consultAccess(env.DB, caller, [device.contentId], NOW);
  const other: TrackCaller = { kind: "device", deviceId: (await makeDevice()).id };
  expect((await consultAccess(env.DB, other, [device.contentId], NOW)).get(device.contentId)).toBeNull();
});

test("in doubt it is let through: while D1 does not answer, a track is what it was last known as, or stands for itself", async () => {
  const external = "01BX5ZZKBKACTAV9WEVGEMMVR1";
  await env.DB.prepare("UPDATE content SET external_id = ? WHERE id = ?").bind(external, device.contentId).run();
  expect((await consultAccess(away, caller, [external], NOW)).get(external)).toBe(external);
  await consultAccess(env.DB, caller, [external], NOW);
  expect((await consultAccess(away, caller, [external], NOW + MINUTE_MS)).get(external)).toBe(device.contentId);
});

test("players on pages of any origin may send telemetry", async () => {
  const answer = await exports.default.fetch("http://localhost/telemetry/playback/batch", {
    method: "OPTIONS",
    headers: {
      Origin: "https://player.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "Authorization",
    },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect(answer.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
});
