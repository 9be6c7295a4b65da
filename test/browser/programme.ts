import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import type { Site } from "./site.ts";

/** A made-up network to look at: stores with hours and devices, pictures, playlists and schedules, all by the API. */
export interface Programme {
  supplierId: string;
  stores: Made[];
  groups: Made[];
  devices: Made[];
  contents: Made[];
  playlists: Made[];
  schedules: Made[];
}

interface Made {
  id: string;
  name: string;
}

const PLACES: [string, string, string, number, number][] = [
  ["Oslo Aker Brygge", "Oslo", "Europe/Oslo", 59.9109, 10.7277],
  ["Oslo Grünerløkka", "Oslo", "Europe/Oslo", 59.9232, 10.7587],
  ["Bergen Bryggen", "Bergen", "Europe/Oslo", 60.3975, 5.3245],
  ["Trondheim Torg", "Trondheim", "Europe/Oslo", 63.4305, 10.3951],
  ["Stockholm Sergels torg", "Stockholm", "Europe/Stockholm", 59.3326, 18.0649],
  ["Göteborg Nordstan", "Göteborg", "Europe/Stockholm", 57.7086, 11.9686],
  ["København Strøget", "København", "Europe/Copenhagen", 55.6786, 12.5772],
  ["Helsinki Kamppi", "Helsinki", "Europe/Helsinki", 60.1685, 24.9312],
  ["Hamburg Jungfernstieg", "Hamburg", "Europe/Berlin", 53.5531, 9.9927],
  ["Berlin Alexanderplatz", "Berlin", "Europe/Berlin", 52.5219, 13.4132],
  ["Berlin Kurfürstendamm", "Berlin", "Europe/Berlin", 52.5038, 13.3316],
  ["München Marienplatz", "München", "Europe/Berlin", 48.1374, 11.5755],
  ["Wien Stephansplatz", "Wien", "Europe/Vienna", 48.2084, 16.3721],
  ["Paris Les Halles", "Paris", "Europe/Paris", 48.8622, 2.3467],
  ["Lyon Part-Dieu", "Lyon", "Europe/Paris", 45.7606, 4.8555],
  ["London Oxford Street", "London", "Europe/London", 51.5152, -0.1419],
  ["Manchester Arndale", "Manchester", "Europe/London", 53.4836, -2.2382],
  ["Dublin Grafton Street", "Dublin", "Europe/Dublin", 53.3416, -6.2601],
  ["Lisboa Chiado", "Lisboa", "Europe/Lisbon", 38.7106, -9.1422],
  ["Madrid Gran Vía", "Madrid", "Europe/Madrid", 40.4203, -3.7058],
  ["New York Union Square", "New York", "America/New_York", 40.7359, -73.9911],
  ["Chicago Loop", "Chicago", "America/Chicago", 41.8837, -87.6325],
  ["Ho Chi Minh City Bến Thành", "Ho Chi Minh City", "Asia/Ho_Chi_Minh", 10.7725, 106.698],
  ["Singapore Orchard", "Singapore", "Asia/Singapore", 1.3048, 103.8318],
];

const CONTENTS = [
  "Autumn 15 s",
  "Coffee to go",
  "Winter coats",
  "Loyalty card",
  "Opening hours",
  "Fresh bread",
  "Black Friday",
  "Gift cards",
  "New in store",
  "Recycling",
  "Sushi bar",
  "Flowers",
];

const HOURS = {
  ...Object.fromEntries(["mon", "tue", "wed", "thu", "fri"].map((day) => [day, [{ from: "08:00", to: "20:00" }]])),
  sat: [{ from: "09:00", to: "18:00" }],
  holidays: [
    { date: "2026-12-25", hours: [] },
    { date: "2026-12-31", hours: [{ from: "09:00", to: "14:00" }] },
  ],
};

/** Makes all of it. `stores` of them, two devices each. */
export async function makeProgramme(
  site: Site,
  { stores: storesWanted = PLACES.length, contents: contentsWanted = CONTENTS.length } = {},
): Promise<Programme> {
  const make = async (kind: string, body: Record<string, unknown>): Promise<Made> => {
    const { id } = await site.api<{ id: string }>("POST", `/v1/admin/${kind}`, body);
    return { id, name: String(body.name ?? body.external_name) };
  };
  const supplier = await make("suppliers", { name: "Northern Retail" });
  const groups = [await make("device-groups", { name: "Entrances" }), await make("device-groups", { name: "Tills" })];
  const stores: Made[] = [];
  const devices: Made[] = [];
  for (const [name, city, timezone, lat, lng] of PLACES.slice(0, storesWanted)) {
    const store = await make("stores", { supplier_id: supplier.id, name, city, timezone, lat, lng, operating_hours: HOURS });
    stores.push(store);
    for (const [at, group] of groups.entries()) {
      devices.push(
        await make("devices", { external_name: `${name} ${at === 0 ? "entrance" : "till 1"}`, store_id: store.id, group_id: group.id }),
      );
    }
  }
  const contents: Made[] = [];
  const versions: string[] = [];
  for (const [at, name] of CONTENTS.slice(0, contentsWanted).entries()) {
    const content = await make("content", { name, type: "image", tags: at % 3 === 0 ? ["season"] : [] });
    contents.push(content);
    versions.push(await uploadFile(site, content.id, picture(320, 180, at)));
  }
  const playlists: Made[] = [];
  const lists: [string, number[]][] = [
    ["Morning coffee", [0, 1, 5]],
    ["Daytime offers", [2, 3, 4, 6]],
    ["Evening", [7, 8]],
    ["House loop", [3, 4, 9]],
  ];
  for (const [name, items] of lists) {
    const playlist = await make("playlists", { name });
    playlists.push(playlist);
    const given = items.map((at, place) => ({
      content_version_id: versions[at % versions.length],
      weight: place === 0 ? 2 : 1,
      duration_ms: 10_000 + place * 5000,
    }));
    await site.api("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: given });
  }
  const weekdays = ["mon", "tue", "wed", "thu", "fri"];
  const target = { target_type: "GROUP", target_id: groups[0]?.id };
  const schedules = [
    await make("schedules", {
      ...target,
      name: "Mornings",
      playlist_id: playlists[0]?.id,
      rules: { dayparts: [{ days: weekdays, from: "07:00", to: "11:00" }], start_date: "2026-11-01" },
    }),
    await make("schedules", {
      ...target,
      name: "Days",
      playlist_id: playlists[1]?.id,
      rules: { dayparts: [{ days: weekdays, from: "10:00", to: "17:00" }], weight: 2 },
    }),
    await make("schedules", {
      ...target,
      name: "Black Friday",
      playlist_id: playlists[2]?.id,
      rules: {
        priority: 10,
        start_date: "2026-11-16",
        end_date: "2026-12-31",
        dayparts: [{ days: ["fri", "sat"], from: "12:00", to: "20:00" }],
        frequency_cap: { max_plays_per_hour: 12 },
      },
    }),
  ];
  return { supplierId: supplier.id, stores, groups, devices, contents, playlists, schedules };
}

/** Sets most devices online, and some offline, as heartbeats and silence would. */
export async function wakeDevices(site: Site, { devices }: Programme): Promise<void> {
  const now = Date.now();
  const online = devices.filter((_, at) => at % 7 !== 3).map(({ id }) => `'${id}'`);
  const offline = devices.filter((_, at) => at % 7 === 3).map(({ id }) => `'${id}'`);
  await site.stack.sql(
    `UPDATE devices SET status = 'active', last_seen_at = ${now - 12_000}, player_version = '1.4.2' WHERE id IN (${online.join()})`,
  );
  await site.stack.sql(
    `UPDATE devices SET status = 'active', last_seen_at = ${now - 3_600_000}, offline_at = ${now - 3_400_000} WHERE id IN (${offline.join()})`,
  );
}

/** Uploads a file as a version of a piece of content. Returns its id. */
export async function uploadFile(site: Site, contentId: string, file: Uint8Array<ArrayBuffer>): Promise<string> {
  const sha256 = createHash("sha256").update(file).digest("hex");
  const answer = await fetch(`${site.url}/v1/admin/content/${contentId}/versions/upload?sha256=${sha256}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    body: file,
  });
  if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

/** A real PNG (ISO/IEC 15948) that looks like no other of another seed. */
export function picture(width: number, height: number, seed: number, noise = false): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (1 + width * 3));
  const hue = [(seed * 67) % 200, (seed * 131) % 180, (seed * 29) % 220];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      const light = Math.hypot(x - width * 0.7, y - height * 0.4) < height * 0.3 ? 70 : 0;
      for (let channel = 0; channel < 3; channel++) {
        rows[at + channel] = noise
          ? (x * 7919 + y * 104_729 * (channel + seed) + ((x * y * 31) >> 3)) & 255
          : Math.min(255, (hue[channel] ?? 0) + light + (y / height) * 40);
      }
    }
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, 2);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", new Uint8Array(header.buffer)),
    pngChunk("IDAT", new Uint8Array(deflateSync(rows, { level: noise ? 0 : 6 }))),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(Bun.hash.crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** An API token of a role, as somebody signs in with. */
export async function tokenOf(site: Site, role: "operator" | "viewer"): Promise<string> {
  const { token } = await site.api<{ token: string }>("POST", "/v1/admin/tokens", { name: `A ${role}`, role });
  return token;
}
