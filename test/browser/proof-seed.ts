import canonicalize from "canonicalize";
import { makeNetwork, type PairedDevice } from "../stack/network.ts";
import type { Site } from "./site.ts";

/** A small network in which much was played today, and how much: what reports are tested and looked at with. */
export interface PlayedNetwork {
  devices: PairedDevice[];
  deviceNames: string[];
  campaigns: { id: string; name: string; brand: string }[];
  contents: string[];
  stores: string[];
  /** The day on which all of it counts, by the stores' calendars. */
  day: string;
  /** Accepted plays of each campaign, by its place; those of the last place are filler's. */
  played: number[];
}

/** A name that is HTML, which must stay text wherever it is shown. */
export const HTML_NAME = '<img src=x onerror="document.title=1">Autumn & <b>Co</b>';

const STORES = ["Harbour Street", "Saigon Centre", "Old Market", "Station West"];
const CONTENTS = ["Autumn 15 s", "Coffee before nine", "New shoes", "Loyalty card", "Opening hours", "Winter tyres"];
const BRANDS = ["Northwind", "Cola", "Vélo & Fils", "Kaffeehaus"];
const STATUSES = [
  "COMPLETED",
  "COMPLETED",
  "COMPLETED",
  "COMPLETED",
  "PARTIAL",
  "COMPLETED",
  "SKIPPED",
  "COMPLETED",
  "INTERRUPTED",
  "ERROR",
];
const ZONE = "Asia/Ho_Chi_Minh";
const PLAY_MS = 15_000;

interface Named {
  id: string;
}

/** Makes it by the API, plays it, and waits until all of it is in the reports. */
export async function seedPlays(site: Site, { playsEach = 24 } = {}): Promise<PlayedNetwork> {
  const devices = await makeNetwork(site.url, { devices: 6, stores: STORES.length, contents: CONTENTS.length, campaigns: 4 });
  const [first] = devices;
  if (!first) throw new Error("no device was paired");
  const list = async (path: string) => (await site.api<{ items: Named[] }>("GET", `/v1/admin/${path}`)).items;
  await Promise.all((await list("stores")).map(({ id }, at) => site.api("PATCH", `/v1/admin/stores/${id}`, { name: STORES[at] })));
  await Promise.all(first.contentIds.map((id, at) => site.api("PATCH", `/v1/admin/content/${id}`, { name: CONTENTS[at] })));
  const places = await site.stack.sql<{ id: string; name: string }>(
    "SELECT d.id, s.name FROM devices d JOIN stores s ON s.id = d.store_id",
  );
  const deviceNames = devices.map(({ id }, at) => `${places.find((place) => place.id === id)?.name} ${at < 4 ? "window" : "till"}`);
  await Promise.all(devices.map(({ id }, at) => site.api("PATCH", `/v1/admin/devices/${id}`, { external_name: deviceNames[at] })));
  const day = localDay(Date.now());
  const names = [HTML_NAME, "Sugar free launch", "City bikes", "Breakfast menu"];
  const campaigns = await Promise.all(
    first.campaignIds.map(async (id, at) => {
      const change = {
        name: names[at],
        brand_name: BRANDS[at],
        start_date: plusDays(day, -3 * at - 2),
        end_date: plusDays(day, 4 + 9 * at),
      };
      await site.api("PATCH", `/v1/admin/campaigns/${id}`, change);
      return { id, name: names[at] ?? "", brand: BRANDS[at] ?? "" };
    }),
  );
  await plan(site, first, campaigns[0]?.id ?? "");
  const played = [0, 0, 0, 0, 0];
  for (const [at, device] of devices.entries()) await play(site, device, at, playsEach, played);
  const all = played.reduce((sum, one) => sum + one, 0);
  await until(async () => {
    const query = `from=${plusDays(day, -1)}&to=${plusDays(day, 1)}&totals=true`;
    const report = await site.api<{ totals: { plays_count: number } }>("GET", `/v1/admin/reports/proof-of-play?${query}`);
    return report.totals.plays_count === all;
  });
  return { devices, deviceNames, campaigns, contents: CONTENTS, stores: STORES, day, played };
}

/** A playlist of a campaign on one device, whose plan is then fetched, so that something is planned. */
async function plan(site: Site, device: PairedDevice, campaignId: string): Promise<void> {
  const playlist = await site.api<Named>("POST", "/v1/admin/playlists", { name: "Window, autumn", campaign_id: campaignId });
  const versions = await site.api<{ items: Named[] }>("GET", `/v1/admin/content/${device.contentIds[0]}/versions`);
  await site.api("POST", `/v1/admin/playlists/${playlist.id}/items`, { content_version_id: versions.items[0]?.id });
  await site.api("POST", "/v1/admin/schedules", {
    name: "All day",
    target_type: "DEVICE",
    target_id: device.id,
    playlist_id: playlist.id,
    rules: { priority: 1 },
  });
  const answer = await fetch(`${site.url}/v1/device/plan`, { headers: { Authorization: `Bearer ${device.token}` } });
  if (!answer.ok) throw new Error(`the plan was not given: ${answer.status}`);
}

/** Plays of the last minutes, one after the other, and some that are refused. */
async function play(site: Site, device: PairedDevice, at: number, count: number, played: number[]): Promise<void> {
  const now = Date.now();
  const logs = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const endedAt = now - (count - index) * (PLAY_MS + 1000);
      const campaign = (index + at) % 5;
      played[campaign] = (played[campaign] ?? 0) + 1;
      return await device.sign({
        log_id: crypto.randomUUID(),
        device_id: device.id,
        ...(campaign < 4 ? { campaign_id: device.campaignIds[campaign] } : {}),
        content_id: device.contentIds[(index * 7 + at) % device.contentIds.length],
        started_at: new Date(endedAt - PLAY_MS).toISOString(),
        ended_at: new Date(endedAt).toISOString(),
        duration_actual: 15,
        status: STATUSES[(index * 3 + at) % STATUSES.length],
        sequence: index + 1,
      });
    }),
  );
  const old = new Date(now - 40 * 3_600_000).toISOString();
  const [kept] = logs;
  const refused = [
    await device.sign({
      ...bare(kept),
      log_id: crypto.randomUUID(),
      started_at: old,
      ended_at: new Date(Date.parse(old) + PLAY_MS).toISOString(),
      sequence: count + 1,
    }),
    { ...bare(kept), log_id: crypto.randomUUID(), sequence: count + 2, signature: btoa("no signature of this device") },
  ];
  const answer = await fetch(`${site.url}/api/v1/playback-logs/batch`, {
    method: "POST",
    headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
    body: JSON.stringify({ logs: [...logs, ...refused] }),
  });
  const result = (await answer.json()) as { processed?: number };
  if (result.processed !== count) throw new Error(`${count} plays were sent: ${JSON.stringify(result).slice(0, 500)}`);
}

function bare(record: Record<string, unknown> | undefined): Record<string, unknown> {
  const { signature: _, ...rest } = record ?? {};
  return JSON.parse(canonicalize(rest) ?? "{}") as Record<string, unknown>;
}

export function localDay(at: number): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE }).format(at);
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Asks until it is so. @throws Error after a minute and a half */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("what was waited for did not come about");
    await Bun.sleep(250);
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Rows of incidents as the watchers leave them; `[type, severity, device's place or null, minutes ago, details, resolved?]`. */
export async function seedIncidents(site: Site, devices: PairedDevice[]): Promise<string[]> {
  const minutes = 60_000;
  const now = Date.now();
  const rows: [string, string, number | null, number, object, boolean][] = [
    ["OFFLINE_DURING_HOURS", "high", 0, 42, { last_seen_at: new Date(now - 45 * minutes).toISOString(), store_id: "x" }, false],
    ["PLAYBACK_STUCK", "high", 1, 18, { last_activity_at: new Date(now - 33 * minutes).toISOString(), limit_s: 900 }, false],
    [
      "LOW_STORAGE",
      "medium",
      2,
      190,
      { disk_used_bytes: 29_100_000_000, disk_total_bytes: 31_000_000_000, storage_cap_bytes: null },
      false,
    ],
    ["CLOCK_DRIFT", "medium", 3, 300, { clock_offset_ms: -734_000 }, false],
    [
      "SEQUENCE_GAP",
      "low",
      4,
      75,
      {
        since: new Date(now - 140 * minutes).toISOString(),
        missing: [
          [812, 815],
          [830, 830],
        ],
      },
      false,
    ],
    ["CRASH_LOOP", "high", 5, 6, { restarts: 4, within_s: 600 }, false],
    ["DOWNLOAD_FAIL", "medium", 1, 55, { failures: 5, within_s: 3600 }, false],
    ["PIPELINE_LAG", "high", null, 3, { lags: [{ part: "play-events-2", since: new Date(now - 8 * minutes).toISOString() }] }, false],
    ["TOKEN_REUSE", "high", 2, 1300, { family_id: crypto.randomUUID() }, false],
    ...Array.from({ length: 16 }, (_, index): [string, string, number | null, number, object, boolean] => [
      ["OFFLINE_DURING_HOURS", "PLAYBACK_STUCK", "DOWNLOAD_FAIL", "LOW_STORAGE"][index % 4] ?? "",
      ["high", "high", "medium", "medium"][index % 4] ?? "",
      index % 6,
      1440 + index * 130,
      [
        { last_seen_at: new Date(now - 30 * 60 * minutes).toISOString() },
        { last_activity_at: null, limit_s: 900 },
        { failures: 3, within_s: 3600 },
        { disk_used_bytes: 9e9, disk_total_bytes: 1e10 },
      ][index % 4] ?? {},
      true,
    ]),
  ];
  const values = rows.map(([type, severity, place, ago, details, resolved], index) => {
    const at = now - ago * minutes;
    const id = `${at
      .toString(16)
      .padStart(12, "0")
      .replace(/^(.{8})/, "$1-")}-7000-8000-${String(index).padStart(12, "0")}`;
    const device = place === null ? "" : (devices[place]?.id ?? "");
    return {
      id,
      sql: `(${[quoted(id), quoted(device), quoted(type), quoted(severity), quoted(JSON.stringify(details)), at, resolved ? at + 25 * minutes : "NULL"].join(", ")})`,
    };
  });
  await site.stack.sql(
    `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at, resolved_at) VALUES ${values.map(({ sql }) => sql).join(", ")}`,
  );
  return values.map(({ id }) => id);
}

/** Dead letters that stand in the list; their bytes are those of a segment, which no consumer takes for a chunk. */
export async function seedDeadLetters(site: Site, devices: PairedDevice[], count: number): Promise<string[]> {
  const [key = ""] = await site.stack.keys("segments/");
  const now = Date.now();
  const rows = Array.from({ length: count }, (_, index) => {
    const reason = ["UNREADABLE", "UNRECORDABLE", "CHUNK_CONFLICT"][index % 3] ?? "";
    const device = devices[index % devices.length]?.id ?? "";
    return {
      id: `letter-${index}`,
      values: [`letter-${index}`, key, device, `${device}.${crypto.randomUUID()}.${index}`, reason],
      plays: 10 + index * 7,
      at: now - index * 3_000_000,
    };
  });
  await site.stack.sql(
    `INSERT INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at) VALUES ${rows.map(({ values, plays, at }) => `(${values.map(quoted).join(", ")}, ${plays}, ${at})`).join(", ")}`,
  );
  return rows.map(({ id }) => id);
}

/** Days that were compared with the archive, one of which differs. */
export async function seedChecks(site: Site, day: string): Promise<void> {
  const rows = Array.from({ length: 14 }, (_, index) => {
    const differs = index === 3;
    const findings = differs ? { day: plusDays(day, -4), differs: { plays_count: [120, 118] } } : {};
    return `(${quoted(plusDays(day, -index - 1))}, 1, ${Date.now() - index * 86_400_000}, ${differs ? 0 : 1}, ${quoted(JSON.stringify(findings))})`;
  });
  await site.stack.sql(`INSERT INTO archive_checks (day, touched_at, checked_at, matches, findings_json) VALUES ${rows.join(", ")}`);
}
