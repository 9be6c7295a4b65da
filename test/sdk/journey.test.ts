import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { DeviceClock } from "../../src/sdk/clock.ts";
import { type CommandBook, CommandDesk } from "../../src/sdk/commands.ts";
import { ContentKeeper } from "../../src/sdk/content.ts";
import { Counters } from "../../src/sdk/counters.ts";
import { type FileStore, MemoryFiles } from "../../src/sdk/files.ts";
import { HeartbeatClient } from "../../src/sdk/heartbeat.ts";
import { type Host, type HttpRequest, systemHost } from "../../src/sdk/host.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import { pairWithCode } from "../../src/sdk/pairing.ts";
import { PlanKeeper } from "../../src/sdk/plan.ts";
import { Recorder, type RecorderState } from "../../src/sdk/recorder.ts";
import { type Credentials, TokenKeeper } from "../../src/sdk/tokens.ts";
import { whatPlays } from "../../src/sdk/what-plays.ts";
import { admin, create } from "../support/admin.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";
import { CaughtReports, deliverReports, heartbeat } from "../support/heartbeats.ts";
import { scheduleOf, smallNetwork } from "../support/media.ts";
import { Disk } from "./paired.ts";

const BASE = "http://localhost";

/** The machine as it is, with the real Worker at the other end of its network. */
class WorkerHost implements Host {
  readonly seen: { path: string; headers: Record<string, string>; status: number }[] = [];
  /** Breaks the connection behind so many bytes of an answer's body. */
  cutAfter = Number.POSITIVE_INFINITY;
  readonly wallClock = systemHost.wallClock;
  readonly monotonic = systemHost.monotonic;
  readonly random = systemHost.random;
  readonly uuid = systemHost.uuid;
  readonly sleep = systemHost.sleep;

  async fetch(url: string, { timeoutMs: _, ...request }: HttpRequest): Promise<Response> {
    const response = await exports.default.fetch(url, request);
    this.seen.push({ path: new URL(url).pathname, headers: request.headers, status: response.status });
    if (this.cutAfter === Number.POSITIVE_INFINITY) return response;
    const bytes = new Uint8Array(await response.arrayBuffer()).slice(0, this.cutAfter);
    const pieces = [bytes];
    const body = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.error(new TypeError("connection cut"));
      },
    });
    return new Response(body, response);
  }
}

/** A screen that a person has just paired by a code, as the SDK makes one. */
async function makePlayer() {
  const { device, group } = await smallNetwork();
  await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { policy: { heartbeat_interval_s: 15, storage_cap_bytes: 1_000_000 } });
  const { claim_code } = (await admin("POST", "/v1/device/pairing/create-claim", { device_id: device.id })).body;
  const host = new WorkerHost();
  const identity = await createIdentity("EdDSA");
  const credentials = await pairWithCode(host, BASE, identity, String(claim_code), { model: "test" });
  const reports = await new CaughtReports().attach(device.id);
  const clock = new DeviceClock(host);
  const tokens = new TokenKeeper({ host, baseUrl: BASE, clock, store: new Disk<Credentials>(), credentials });
  const access = { host, baseUrl: BASE, tokens };
  return { access, clock, deviceId: device.id, groupId: group.id, host, identity, reports };
}

/** A file in a playlist. */
async function publish(bytes: number): Promise<{ playlistId: string; sha256: string; bytes: Uint8Array }> {
  const { id } = await create("content", { name: "Poster", type: "image" });
  const file = fileOf("png", bytes);
  const { hex } = await hashOf(file);
  const version = await upload(id, file, {}, `?sha256=${hex}&duration_ms=8000`);
  const playlist = await create("playlists", { name: "Posters" });
  await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [{ content_version_id: version.body.id }] });
  return { playlistId: playlist.id, sha256: hex, bytes: file };
}

/** A heartbeat a minute later: D1 is told what changed every 30 s at most. */
async function laterHeartbeat(deviceId: string): Promise<void> {
  const row = await env.DB.prepare("SELECT token_family_id AS id FROM devices WHERE id = ?").bind(deviceId).first<{ id: string }>();
  const request = { ...heartbeat({ receivedAt: Date.now() + 60_000 }), familyId: row?.id ?? "" };
  await runInDurableObject(env.SEQUENCER.getByName(deviceId), (instance) => instance.heartbeat(request));
}

async function contentOf(store: FileStore, sha256: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(sha256)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("a heartbeat brings a command, the next ones its result, and the command is done", async () => {
  const { access, clock, deviceId, host, identity, reports } = await makePlayer();
  const levels: unknown[] = [];
  const desk = await CommandDesk.open(new Disk<CommandBook>(), {
    set_volume: async ({ level }) => {
      levels.push(level);
      return { level };
    },
  });
  const counters = await Counters.open(new Disk());
  await counters.add("restarts");
  const recorder = await Recorder.open({
    ...{ host, deviceId, identity, clock, queue: new MemoryQueue(), store: new Disk<RecorderState>() },
  });
  const client = new HeartbeatClient({
    ...access,
    clock,
    vitals: async () => ({ now_playing: null, disk_used_bytes: 0, plan_etag: null, counters: counters.all(), player_version: "7.1" }),
    results: () => desk.results(),
    onNews: async ({ commands, position }, told) => {
      if (position) await recorder.resume(position);
      await desk.take(told, commands);
      await desk.idle();
    },
  });
  expect(await client.beatOnce()).toMatchObject({ kind: "taken", failure: null, news: { commands: [], nextHeartbeatMs: 15_000 } });
  // One machine, one clock.
  expect(Math.abs(clock.offsetMs ?? Number.NaN)).toBeLessThan(5000);

  const volume = await create(`devices/${deviceId}/commands`, { type: "set_volume", params: { level: 40 } });
  const picture = await create(`devices/${deviceId}/commands`, { type: "screenshot" });
  await env.SEQUENCER.getByName(deviceId).refreshProfile();
  expect(await client.beatOnce()).toMatchObject({ kind: "taken", news: { commands: [{ id: volume.id }, { id: picture.id }] } });
  expect(desk.results()).toMatchObject([
    { id: volume.id, status: "done", detail: { level: 40 } },
    { id: picture.id, status: "failed" },
  ]);
  expect(await client.beatOnce()).toMatchObject({ kind: "taken", news: { commands: [] } });
  expect(desk.results()).toEqual([]);
  expect(levels).toEqual([40]);
  await laterHeartbeat(deviceId);
  await deliverReports(reports.take());
  const shown = async (id: string) => (await admin("GET", `/v1/admin/devices/${deviceId}/commands/${id}`)).body;
  expect(await shown(volume.id)).toMatchObject({ status: "done", result: { level: 40 } });
  expect(await shown(picture.id)).toMatchObject({
    status: "failed",
    result: { error: "This player does not know the command screenshot." },
  });
});

test("a plan is fetched, is the same by 304, and changes with its schedule; its file comes by range, with the right hash", async () => {
  const { access, clock, deviceId, groupId, host } = await makePlayer();
  const [poster, other] = [await publish(200_000), await publish(1000)];
  await scheduleOf(poster.playlistId, "GROUP", groupId);
  const keeper = await PlanKeeper.open({ ...access, deviceId, store: new Disk() });
  const store = new MemoryFiles();
  const counters = await Counters.open(new Disk());
  const content = await ContentKeeper.open({ ...access, store, counters });
  const client = new HeartbeatClient({
    ...access,
    clock,
    vitals: async () => ({
      ...{ now_playing: null, disk_used_bytes: content.bytes, plan_etag: keeper.plan?.etag ?? null, counters: counters.all() },
    }),
    results: () => [],
    onNews: async ({ planEtag, storageCapBytes }) => {
      if (keeper.isNews(planEtag)) await keeper.refresh();
      if (keeper.plan) await content.tend(keeper.plan, clock.serverNow(), storageCapBytes);
    },
  });
  const statuses = (path: string) => host.seen.filter((one) => one.path === path).map(({ status }) => status);

  expect(await keeper.refresh()).toMatchObject({ kind: "new", plan: { device_id: deviceId } });
  const first = keeper.plan?.etag;
  expect(await keeper.refresh()).toEqual({ kind: "unchanged" });
  expect(statuses("/v1/device/plan")).toEqual([200, 304]);
  const plan = keeper.plan;
  if (!plan) throw new Error("no plan");
  const playing = whatPlays(plan, clock.serverNow());
  expect(playing).toMatchObject({ kind: "slot", terms: { duration_ms: 8000 }, item: { sha256: poster.sha256, bytes: 200_000 } });

  host.cutAfter = 150_000;
  expect((await content.tend(plan, clock.serverNow(), null)).withheld).toMatchObject({ reason: "connection cut" });
  host.cutAfter = Number.POSITIVE_INFINITY;
  expect(await client.beatOnce()).toMatchObject({ kind: "taken", failure: null, news: { planEtag: first, storageCapBytes: 1_000_000 } });
  expect(content.has(poster.sha256)).toBe(true);
  expect((await contentOf(store, poster.sha256)).equals(poster.bytes)).toBe(true);
  const path = `/v1/device/content/${poster.sha256}`;
  expect(host.seen.filter((one) => one.path === path).map(({ status, headers }) => [status, headers.Range])).toEqual([
    [200, undefined],
    [206, "bytes=150000-"],
  ]);
  // The server's ETag is the plan's: it was not asked for again.
  expect(statuses("/v1/device/plan")).toEqual([200, 304]);

  await scheduleOf(other.playlistId, "GROUP", groupId, { rules: { priority: 1 } });
  expect(await client.beatOnce()).toMatchObject({ kind: "taken", failure: null });
  expect(statuses("/v1/device/plan")).toEqual([200, 304, 200]);
  expect(keeper.plan?.etag).not.toBe(first);
  expect(keeper.plan && whatPlays(keeper.plan, clock.serverNow())).toMatchObject({ kind: "slot", item: { sha256: other.sha256 } });
  expect([content.has(other.sha256), content.bytes, counters.all().download_failures]).toEqual([true, 201_000, 0]);
});
