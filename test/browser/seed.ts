import { makeNetwork, type PairedDevice, signedLog } from "../stack/network.ts";
import type { Site } from "./site.ts";

/** Puts that many devices into the registry, all in one store and one group, some offline: rows as pairing and heartbeats leave them. */
export async function seedDevices({ api, stack }: Site, count: number): Promise<{ storeId: string; groupId: string }> {
  const supplier = await api<{ id: string }>("POST", "/v1/admin/suppliers", { name: "Northern Retail" });
  const place = { supplier_id: supplier.id, name: "Saigon Centre", city: "Ho Chi Minh City", timezone: "Asia/Ho_Chi_Minh" };
  const store = await api<{ id: string }>("POST", "/v1/admin/stores", place);
  const group = await api<{ id: string }>("POST", "/v1/admin/device-groups", { name: "Entrance screens" });
  const now = Date.now();
  const heartbeat = (name: string) =>
    `json_object('now_playing', NULL, 'disk_used_bytes', n * 1000000, 'disk_total_bytes', 8000000000, 'plan_etag', NULL, 'last_error', NULL,
      'counters', json_object('restarts', 1), 'clock_offset_ms', n % 900, 'model', '${name}')`;
  await stack.sql(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
    INSERT INTO devices (id, external_name, store_id, group_id, status, last_seen_at, offline_at, player_version, heartbeat_json, created_at, updated_at)
    SELECT printf('%08x-0000-4000-8000-%012x', n, n), printf('Screen %04d', n), '${store.id}', '${group.id}',
      CASE WHEN n % 50 = 0 THEN 'unpaired' ELSE 'active' END, CASE WHEN n % 50 = 0 THEN NULL ELSE ${now} - n * 100 END,
      CASE WHEN n % 17 = 0 AND n % 50 <> 0 THEN ${now} - n * 100 END, '1.4.2', ${heartbeat("BrightSign")}, ${now}, ${now} FROM numbers`);
  return { storeId: store.id, groupId: group.id };
}

/** A device that was paired as players are, has sent a heartbeat, and has played: some plays recorded, one refused. */
export async function livelyDevice({ stack, url }: Site, plays = 12): Promise<PairedDevice> {
  const [device] = await makeNetwork(url, { devices: 1 });
  if (!device) throw new Error("no device was made");
  const headers = { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json" };
  const post = async (path: string, body: unknown, more: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  await post("/v1/device/heartbeat", {
    device_time: new Date(Date.now() + 40_000).toISOString(),
    now_playing: { content_id: device.contentIds[0], started_at: new Date().toISOString() },
    disk_used_bytes: 5_200_000_000,
    disk_total_bytes: 8_000_000_000,
    plan_etag: null,
    counters: { restarts: 1, download_failures: 0 },
    player_version: "1.4.2",
  });
  const logs = await Promise.all(Array.from({ length: plays }, (_, index) => signedLog(device, index, 60_000 + (plays - index) * 120_000)));
  const forged = { ...(await signedLog(device, plays, 60_000)), signature: "AAAA" };
  await post("/api/v1/playback-logs/batch", { logs: [...logs, forged] }, { "Sent-At": new Date().toISOString() });
  for (let tries = 0; tries < 450; tries++) {
    const [row] = await stack.sql<{ n: number }>(`SELECT count(*) AS n FROM proof_of_play_events WHERE device_id = '${device.id}'`);
    if (row?.n === plays) return device;
    await Bun.sleep(200);
  }
  throw new Error("the plays were not recorded in 90 s");
}

/** Gives a device something to play: a playlist of its content from 08:00 to 20:00, every day, by a schedule of its group. */
export async function programmeOf({ api }: Site, device: PairedDevice): Promise<void> {
  const { group_id } = await api<{ group_id: string }>("GET", `/v1/admin/devices/${device.id}`);
  const versions = await api<{ items: { id: string }[] }>("GET", `/v1/admin/content/${device.contentIds[0]}/versions`);
  const playlist = await api<{ id: string }>("POST", "/v1/admin/playlists", { name: "Day loop", campaign_id: device.campaignIds[0] });
  await api("POST", `/v1/admin/playlists/${playlist.id}/items`, { content_version_id: versions.items[0]?.id });
  await api("POST", "/v1/admin/schedules", {
    name: "Opening hours",
    target_type: "GROUP",
    target_id: group_id,
    playlist_id: playlist.id,
    timezone: "store",
    rules: { dayparts: [{ from: "08:00", to: "20:00" }] },
  });
}

/** One white pixel. */
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=", "base64");

/** Does what a player does that is told to take a picture of its screen: sends it, and reports the command done. */
export async function takePicture({ api, url }: Site, device: PairedDevice): Promise<void> {
  const sha256 = new Bun.CryptoHasher("sha256").update(PICTURE).digest("hex");
  const headers = { Authorization: `Bearer ${device.token}` };
  const command = await api<{ id: string }>("POST", `/v1/admin/devices/${device.id}/commands`, { type: "screenshot" });
  const put = await fetch(`${url}/v1/device/screenshots/${sha256}`, {
    method: "PUT",
    headers: { ...headers, "Content-Type": "image/png" },
    body: PICTURE,
  });
  if (!put.ok) throw new Error(`screenshot: ${put.status} ${await put.text()}`);
  const beat = {
    device_time: new Date().toISOString(),
    now_playing: null,
    disk_used_bytes: 1,
    plan_etag: null,
    counters: {},
    command_results: [{ id: command.id, status: "done", detail: { sha256, bytes: PICTURE.length } }],
  };
  const told = await fetch(`${url}/v1/device/heartbeat`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(beat),
  });
  if (!told.ok) throw new Error(`heartbeat: ${told.status} ${await told.text()}`);
}
