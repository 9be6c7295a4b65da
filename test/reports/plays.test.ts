import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { compact } from "../../src/plays/archive/compact.ts";
import { readArchivedPlays } from "../../src/reports/plays-read.ts";
import { attached, clearArchive, damageObject, recordMoved, recordSegment, segments } from "../support/archive.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { bearer, makeToken } from "../support/tokens.ts";

const ADMIN = { Authorization: "Bearer test-admin-token" };
/** Behind the hot window of thirty days, whenever this runs. */
const OLD_DAY = "2025-03-08";

interface Play {
  event_id: string;
  device_id: string;
  day: string;
  segment_id: string | null;
  result: string;
  campaign_name: string | null;
  store_name: string | null;
  timezone: string | null;
  record_hash: string;
}
interface Found {
  source: string;
  items: Play[];
  next_cursor: string | null;
  damaged: unknown[];
}

beforeEach(async () => await clearArchive());

async function get<T>(path: string, headers: Record<string, string> = ADMIN): Promise<{ status: number; body: T }> {
  const answer = await exports.default.fetch(`http://localhost${path}`, { headers });
  return { status: answer.status, body: await answer.json<T>() };
}

async function plays(query: string, headers = ADMIN): Promise<Found> {
  const { status, body } = await get<Found>(`/v1/admin/plays?${query}`, headers);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

/** Follows the cursor to its end, as the description tells one to. */
async function allPlays(query: string): Promise<Play[]> {
  const all: Play[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Found = await plays(`${query}${cursor ? `&cursor=${cursor}` : ""}`);
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}

/** The day on which a device's latest plays count. */
async function dayOf(device: TestDevice): Promise<string> {
  const day = await env.DB.prepare("SELECT max(last_day) AS day FROM chunk_plays WHERE device_id = ?").bind(device.id).first<string>("day");
  return day ?? "";
}

const ids = (list: Play[]) => list.map(({ event_id }) => event_id).sort();

describe("the plays behind a figure", () => {
  test("of a device they come from the database, page by page, as many as the report counts; from the archive they are the same", async () => {
    const device = await makeDevice();
    const other = await makeDevice();
    const statuses = ["COMPLETED", "COMPLETED", "COMPLETED", "PARTIAL", "SKIPPED"];
    await recordSegment(device, await attached(device), 5, (index) => ({ status: statuses[index] }));
    await recordSegment(other, await attached(other), 2);
    const day = await dayOf(device);
    const all = await allPlays(`day=${day}&device_id=${device.id}&limit=2`);
    const report = await get<{ items: { plays_count: number }[] }>(
      `/v1/admin/reports/proof-of-play?group_by=device&from=${day}&to=${day}&device_id=${device.id}`,
    );
    expect([all.length, new Set(ids(all)).size, report.body.items[0]?.plays_count]).toEqual([5, 5, 5]);
    expect(all[0]).toMatchObject({
      device_id: device.id,
      day,
      campaign_name: "Campaign",
      store_name: "Store",
      timezone: "Asia/Ho_Chi_Minh",
    });
    expect((await plays(`day=${day}&device_id=${device.id}`)).source).toBe("events");
    const archived = await plays(`day=${day}&device_id=${device.id}&source=archive`);
    expect([archived.source, ids(archived.items), archived.items.every(({ segment_id }) => segment_id !== null)]).toEqual([
      "archive",
      ids(all),
      true,
    ]);
    const { event_id, ...known } = all[0] as Play;
    expect({ ...archived.items.find((one) => one.event_id === event_id), segment_id: null }).toEqual({ event_id, ...known });
    for (const source of ["", "&source=archive"]) {
      expect((await plays(`day=${day}&device_id=${device.id}&status=SKIPPED${source}`)).items.map(({ result }) => result)).toEqual([
        "SKIPPED",
      ]);
      expect((await plays(`day=${day}&device_id=${device.id}&billable=true${source}`)).items.length).toBe(
        all.filter((one) => (one as unknown as { billable: boolean }).billable).length,
      );
      expect((await plays(`day=${day}&device_id=${device.id}&campaign_id=none${source}`)).items).toEqual([]);
    }
  });

  test("of a whole campaign, and of days whose single plays are gone, they are read in the archive of the day, compacted or not", async () => {
    const device = await makeDevice();
    const other = await makeDevice();
    const queue = await attached(device);
    await recordMoved(device, queue, 3, { day: OLD_DAY, receivedAt: Date.parse(`${OLD_DAY}T12:00:00Z`) });
    await recordMoved(other, await attached(other), 2, { day: OLD_DAY, receivedAt: Date.parse(`${OLD_DAY}T12:00:00Z`) });
    const asked = `day=${OLD_DAY}&campaign_id=${device.campaignId}`;
    const before = await plays(asked);
    expect([before.source, before.items.length, before.next_cursor]).toEqual(["archive", 3, null]);
    expect((await plays(`day=${OLD_DAY}&device_id=${other.id}`)).source).toBe("archive");
    expect((await compact(env, Date.now() + 86_400_000)).plays).toBe(5);
    expect(ids(await allPlays(`${asked}&limit=1`))).toEqual(ids(before.items));
    expect(ids(await allPlays(`day=${OLD_DAY}&limit=2`)).length).toBe(5);
    expect((await plays("day=2025-03-09")).items).toEqual([]);
  });

  test("a page that found nothing in what it read goes on behind it", async () => {
    const device = await makeDevice();
    const queue = await attached(device);
    await recordSegment(device, queue, 2);
    await recordSegment(device, queue, 2);
    const day = await dayOf(device);
    const [first, second] = await segments();
    const query = { day, filters: {}, status: null, billable: null };
    const page = await readArchivedPlays(env, query, 1, `${first?.id}|2`);
    expect([page.plays.map(({ segmentId }) => segmentId), page.next]).toEqual([[second?.id], `${second?.id}|1`]);
    expect((await readArchivedPlays(env, query, 10, page.next)).plays.length).toBe(1);
  });

  test("what cannot be read is told, not left out in silence", async () => {
    const device = await makeDevice();
    await recordSegment(device, await attached(device), 2);
    const [segment] = await segments();
    await damageObject(segment?.r2_key ?? "");
    const found = await plays(`day=${await dayOf(device)}`);
    expect([found.items, found.damaged]).toEqual([[], [{ segment_id: segment?.id, problem: "damaged" }]]);
  });

  test("a viewer sees its own supplier's, or its brand's, and no others", async () => {
    const device = await makeDevice();
    const other = await makeDevice();
    await recordSegment(device, await attached(device), 2);
    await recordSegment(other, await attached(other), 1);
    await env.DB.prepare("UPDATE campaigns SET brand_name = 'Cola' WHERE id = ?").bind(device.campaignId).run();
    const day = await dayOf(device);
    const [mine] = (await plays(`day=${day}&device_id=${device.id}`)).items;
    const [theirs] = (await plays(`day=${day}&device_id=${other.id}`)).items;
    for (const scope of [{ supplier_id: device.supplierId }, { brand_name: "Cola" }]) {
      const viewer = bearer((await makeToken("viewer", scope)).token);
      expect((await plays(`day=${day}`, viewer)).items.map(({ device_id }) => device_id)).toEqual([device.id, device.id]);
      expect((await plays(`day=${day}&device_id=${other.id}`, viewer)).items).toEqual([]);
      const proofs = [`${device.id}/${mine?.event_id}`, `${other.id}/${theirs?.event_id}`].map(
        async (path) => (await get(`/v1/admin/plays/${path}?day=${day}`, viewer)).status,
      );
      expect(await Promise.all(proofs)).toEqual([200, 404]);
    }
  });
});

interface Proof {
  play: Play;
  record: Record<string, unknown>;
  record_hash: string;
  record_holds: boolean;
  signed_by: string;
  signature: string | null;
  signature_holds: boolean | null;
  key: { kid: string; jwk: { x: string } } | null;
  archive: { r2_key: string; chunk_index: number };
}

describe("a play's proof", () => {
  test("is the record as received with its signature, checked anew by the registered key", async () => {
    const device = await makeDevice();
    await recordSegment(device, await attached(device), 2, (index) => ({ sequence: index + 1, metadata: { shop: "Bến Thành" } }));
    const day = await dayOf(device);
    const [play] = (await plays(`day=${day}&device_id=${device.id}`)).items;
    const path = `/v1/admin/plays/${device.id}/${play?.event_id}?day=${day}`;
    const { body } = await get<Proof>(path);
    expect([body.record_holds, body.signed_by, body.signature_holds, body.key?.kid]).toEqual([true, "record", true, device.kid]);
    expect(body.record).toMatchObject({ device_id: device.id, log_id: play?.event_id, metadata: { shop: "Bến Thành" } });
    expect(body.record_hash).toBe(play?.record_hash);
    const [segment] = await segments();
    expect(body.archive).toMatchObject({ r2_key: segment?.r2_key, segment_id: segment?.id });
    expect((await get<Proof>(`${path}&segment_id=${segment?.id}`)).body).toEqual(body);

    // Another key under the same id: the signature holds no more.
    const stranger = await makeDevice();
    await env.DB.prepare("UPDATE device_keys SET jwk_json = (SELECT jwk_json FROM device_keys WHERE kid = ?) WHERE kid = ?")
      .bind(stranger.kid, device.kid)
      .run();
    expect((await get<Proof>(path)).body).toMatchObject({ record_holds: true, signature_holds: false });
  });

  test("is found though the ledger's row is folded, and not where there is none", async () => {
    const device = await makeDevice();
    await recordSegment(device, await attached(device), 1);
    const day = await dayOf(device);
    const [play] = (await plays(`day=${day}&device_id=${device.id}`)).items;
    await env.DB.prepare("DELETE FROM chunk_ledger WHERE device_id = ?").bind(device.id).run();
    const path = `/v1/admin/plays/${device.id}/${play?.event_id}`;
    expect((await get<Proof>(`${path}?day=${day}`)).body.signature_holds).toBe(true);
    expect((await get(`${path}?day=${OLD_DAY}`)).status).toBe(404);
    expect((await get(`/v1/admin/plays/${device.id}/${crypto.randomUUID()}?day=${day}`)).status).toBe(404);
    const [segment] = await segments();
    await damageObject(segment?.r2_key ?? "");
    const damaged = await get<{ code: string }>(`${path}?day=${day}&segment_id=${segment?.id}`);
    expect([damaged.status, damaged.body.code]).toEqual([422, "ARCHIVE_UNREADABLE"]);
  });
});
