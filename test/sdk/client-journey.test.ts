import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { screenshotKey } from "../../src/devices/screenshots.ts";
import { type ClientEvent, DeviceClient } from "../../src/sdk/device-client.ts";
import { type Host, type HttpRequest, type Socket, type SocketListener, systemHost } from "../../src/sdk/host.ts";
import { MemoryStorage } from "../../src/sdk/memory.ts";
import type { PlayingSlot } from "../../src/sdk/what-plays.ts";
import { admin, create } from "../support/admin.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";
import { scheduleOf, smallNetwork } from "../support/media.ts";

/** Pauses that keep a player from asking too often; what waits longer waits for something that may fail. */
const SHORT_PAUSE_MS = 6000;

/** The machine as it is, less patient, with the real Worker at the other end of its network, its streams too. */
class WorkerHost implements Host {
  readonly paths: string[] = [];
  /** Time that passed for the player alone. */
  skippedMs = 0;
  offline = false;
  #sockets: WebSocket[] = [];
  readonly random = systemHost.random;
  readonly uuid = systemHost.uuid;
  readonly wallClock = () => systemHost.wallClock() + this.skippedMs;
  readonly monotonic = () => systemHost.monotonic() + this.skippedMs;
  readonly sleep = (ms: number, signal?: AbortSignal) => systemHost.sleep(ms <= SHORT_PAUSE_MS ? 10 : ms, signal);

  async fetch(url: string, { timeoutMs: _, body, bytes, ...request }: HttpRequest): Promise<Response> {
    if (this.offline) throw new TypeError("no network");
    this.paths.push(new URL(url).pathname);
    const sent = bytes ?? body;
    return await exports.default.fetch(url, { ...request, ...(sent === undefined ? {} : { body: sent }) });
  }

  openSocket(url: string, protocols: string[], listener: SocketListener): Socket {
    const opened = this.#open(url, protocols, listener).catch(() => listener.closed(1006, "not opened"));
    return {
      send: (text) => void opened.then((socket) => socket?.send(text)).catch(() => undefined),
      close: () => {
        void opened.then((socket) => socket?.close(1000, "done")).catch(() => undefined);
        listener.closed(1006, "closed here");
      },
    };
  }

  /** Cuts the network, with all that is open. */
  cut(): void {
    this.offline = true;
    for (const socket of this.#sockets.splice(0)) socket.close(1000, "cut");
  }

  async #open(url: string, protocols: string[], listener: SocketListener): Promise<WebSocket> {
    if (this.offline) throw new TypeError("no network");
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": protocols.join(", ") };
    const { webSocket } = await exports.default.fetch(url.replace(/^ws/, "http"), { headers });
    if (!webSocket) throw new TypeError("no socket");
    webSocket.addEventListener("message", ({ data }) => listener.text(String(data)));
    webSocket.addEventListener("close", ({ code, reason }) => listener.closed(code, reason));
    webSocket.accept();
    this.#sockets.push(webSocket);
    listener.opened();
    return webSocket;
  }
}

/** A screen in a network of its own, whose programme is one picture of 8 s. */
async function makeScreen() {
  const { device, group } = await smallNetwork();
  const { id } = await create("content", { name: "Poster", type: "image" });
  const file = fileOf("png", 5000);
  const { hex } = await hashOf(file);
  const version = await upload(id, file, {}, `?sha256=${hex}&duration_ms=8000`);
  const playlist = await create("playlists", { name: "Posters" });
  await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [{ content_version_id: version.body.id }] });
  await scheduleOf(playlist.id, "GROUP", group.id);
  const { claim_code } = (await admin("POST", "/v1/device/pairing/create-claim", { device_id: device.id })).body;
  return { deviceId: device.id, sha256: hex, claimCode: String(claim_code) };
}

/** Resolves with the first event, from now on, that is the one. */
function heard(client: DeviceClient, is: (event: ClientEvent) => boolean): Promise<ClientEvent> {
  return new Promise((resolve) => {
    const off = client.on((event) => {
      if (!is(event)) return;
      off();
      resolve(event);
    });
  });
}

const sent = (event: ClientEvent) => event.type === "round" && event.outcome.kind === "sent";

function nowShown(client: DeviceClient): PlayingSlot {
  const playing = client.whatPlays();
  if (playing?.kind !== "slot") throw new Error(`nothing is shown: ${playing?.kind}`);
  return playing;
}

test("a player pairs, plays, proves, is told and goes on by batch when its stream breaks, against the Worker", async () => {
  const { claimCode, deviceId, sha256 } = await makeScreen();
  const host = new WorkerHost();
  const picture = fileOf("png", 700);
  const client = new DeviceClient({
    ...{ baseUrl: "http://localhost", storage: new MemoryStorage(), host, algorithm: "ES256", ownCode: false },
    commands: { set_volume: async ({ level }) => ({ level }) },
    screenshot: async () => new Uint8Array(picture),
    wantsScreenshot: () => true,
  });
  const waiting = heard(client, (event) => event.type === "state" && event.state.kind === "unpaired");
  client.start();
  await waiting;
  const [streaming, fetched] = [
    heard(client, (event) => event.type === "stream" && event.open),
    heard(client, (event) => event.type === "content" && event.outcome.fetched.includes(sha256)),
  ];
  await client.pair(claimCode.toLowerCase());
  await Promise.all([streaming, fetched]);
  expect(client.state).toEqual({ kind: "running", deviceId });

  const byStream = heard(client, sent);
  const play = client.play(nowShown(client));
  host.skippedMs += 4000;
  await play.progress();
  host.skippedMs += 4000;
  const log = await play.finish();
  expect(await byStream).toMatchObject({ outcome: { logs: 1, processed: 1, duplicates: 0, refused: [] } });
  expect(host.paths).not.toContain("/api/v1/playback-logs/batch");
  expect(log.screenshot_hash).toBe((await hashOf(picture)).hex);

  const proved = heard(client, (event) => event.type === "evidence");
  const done = heard(client, (event) => event.type === "command" && event.result.status === "done");
  const command = await create(`devices/${deviceId}/commands`, { type: "set_volume", params: { level: 40 } });
  expect(await done).toMatchObject({ result: { id: command.id, detail: { level: 40 } } });
  // The heartbeat that tells of it sends the picture too.
  expect(await proved).toMatchObject({ outcome: { sent: 1, refused: 0, waiting: 0 } });
  expect((await env.BUCKET.head(screenshotKey(log.screenshot_hash ?? "")))?.size).toBe(700);

  const broken = heard(client, (event) => event.type === "stream" && !event.open);
  host.cut();
  await broken;
  const failed = heard(client, (event) => event.type === "round" && event.outcome.kind === "wait");
  const next = client.play(nowShown(client));
  host.skippedMs += 8000;
  await next.finish();
  await failed;
  const byAnyWay = heard(client, sent);
  host.offline = false;
  expect(await byAnyWay).toMatchObject({ outcome: { logs: 1, processed: 1, duplicates: 0, refused: [] } });
  await client.stop();
  const { body } = await admin("GET", `/v1/admin/devices/${deviceId}/sequencer`);
  expect(body).toMatchObject({ accepted: 2, epochs: [{ epoch: log.epoch, expected_sequence: 3, missing: [] }] });
});

test("a player shows its own code until an administrator approves it, and stops when it is revoked", async () => {
  const { store, group } = await smallNetwork();
  const host = new WorkerHost();
  const client = new DeviceClient({ baseUrl: "http://localhost", storage: new MemoryStorage(), host, deviceInfo: { model: "test" } });
  const shown = heard(client, (event) => event.type === "state" && event.state.kind === "unpaired" && event.state.claimCode !== null);
  client.start();
  await shown;
  const claimCode = client.state.kind === "unpaired" ? client.state.claimCode : null;
  const claims = (await admin("GET", "/v1/admin/claims")).body.items as { id: string; device_info: { model?: string } }[];
  const running = heard(client, (event) => event.type === "state" && event.state.kind === "running");
  const mine = claims.find(({ device_info }) => device_info.model === "test");
  expect(claimCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
  await admin("POST", `/v1/admin/claims/${mine?.id}/approve`, { store_id: store.id, group_id: group.id, name: "Own code" });
  await running;
  await heard(client, (event) => event.type === "stream" && event.open);
  const stopped = heard(client, (event) => event.type === "state" && event.state.kind === "stopped");
  const deviceId = client.state.kind === "running" ? client.state.deviceId : "";
  expect((await admin("POST", `/v1/admin/devices/${deviceId}/revoke`)).status).toBe(200);
  // Its stream is closed, and nothing else had to be sent.
  expect(await stopped).toMatchObject({ state: { code: "DEVICE_REVOKED" } });
  await client.stop();
});
