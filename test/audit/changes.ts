import { env } from "cloudflare:workers";
import { openIncidents } from "../../src/monitoring/incidents.ts";
import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { admin, call, create } from "../support/admin.ts";
import { makeDevice, postBatch, signedLogs } from "../support/device.ts";
import { bytesOf, hashOf } from "../support/files.ts";
import { contentWithVersion, playlistWithItems, scheduleOf, smallNetwork } from "../support/media.ts";
import { signedIn } from "../support/people.ts";
import { CaughtQueue, deliver, runAlarm } from "../support/pipeline.ts";

/** One change: where it goes and what it asks. Who signed in makes it, where only one may. */
export interface Asked {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

const id = async (made: Promise<{ id: string }>) => (await made).id;
const supplier = () => id(create("suppliers", { name: "s" }));
const store = async () => await id(create("stores", { supplier_id: await supplier(), name: "S", timezone: "UTC" }));
const group = () => id(create("device-groups", { name: "g" }));
const device = () => id(create("devices", { external_name: "d" }));
const campaign = () => id(create("campaigns", { brand_name: "b", name: "c" }));
const adGroup = async () => await id(create("ad-groups", { campaign_id: await campaign(), name: "a" }));
const content = () => id(create("content", { name: "c", type: "image" }));
const playlist = () => id(create("playlists", { name: "p" }));
const hook = { name: "w", url: "https://hooks.receiver-of-tests.com/audit", events: ["device.paired"] };
const webhook = () => id(create("webhooks", hook));

async function emergency() {
  return { name: "t", target_type: "GROUP", target_id: await group(), playlist_id: await id(playlistWithItems()) };
}

async function schedule(): Promise<string> {
  return await id(scheduleOf(await id(playlistWithItems()), "GROUP", (await smallNetwork()).group.id));
}

async function playlistItem(): Promise<string> {
  const { id: playlistId } = await playlistWithItems();
  const { items } = (await admin("GET", `/v1/admin/playlists/${playlistId}/items`)).body as { items: { id: string }[] };
  return `playlists/${playlistId}/items/${items[0]?.id}`;
}

async function waitingClaim(): Promise<string> {
  const asked = await call("POST", "/v1/device/pairing/create-claim", { device_info: { model: "P4" } });
  return String(asked.body.claim_id);
}

/** A device that is paired, and a command that waits for it. */
async function command(): Promise<string> {
  const { id: deviceId } = await makeDevice();
  const made = await create(`devices/${deviceId}/commands`, { type: "reboot" });
  return `devices/${deviceId}/commands/${made.id}`;
}

async function incident(): Promise<string> {
  const deviceId = crypto.randomUUID();
  await openIncidents(env.DB, [{ deviceId, type: "CLOCK_DRIFT", details: {} }], 1, []);
  const { items } = (await admin("GET", `/v1/admin/incidents?device_id=${deviceId}`)).body as { items: { id: string }[] };
  return String(items[0]?.id);
}

/** A device whose play was recorded, and the chunk that brought it. */
async function recorded(): Promise<{ deviceId: string; chunk: Uint8Array }> {
  const sender = await makeDevice();
  const queue = new CaughtQueue();
  await env.SEQUENCER.getByName(sender.id).refreshProfile();
  await queue.attach(sender.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
  await postBatch(sender, await signedLogs(sender, 1));
  await runAlarm(sender.id);
  const [chunk] = queue.take();
  if (!chunk) throw new Error("nothing was sent");
  await deliver([chunk]);
  return { deviceId: sender.id, chunk };
}

/** A dead letter that holds what is recorded already: sent again, it meets the ledger. */
async function deadLetter(): Promise<string> {
  const { deviceId, chunk } = await recorded();
  const letterId = crypto.randomUUID();
  await env.BUCKET.put(`dead-letter/${letterId}`, chunk);
  await env.DB.prepare(
    "INSERT INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at) VALUES (?, ?, ?, 'c', 'TEST', 1, 1)",
  )
    .bind(letterId, `dead-letter/${letterId}`, deviceId)
    .run();
  return letterId;
}

/** Days of which there are plays, and no replay that is running. */
async function replayRange(): Promise<{ from: string; to: string }> {
  await recorded();
  const { items } = (await admin("GET", "/v1/admin/pipeline/replays")).body as { items: { id: string; status: string }[] };
  for (const { id: running } of items.filter(({ status }) => status === "filling")) {
    await admin("POST", `/v1/admin/pipeline/replays/${running}/abandon`);
  }
  const day = (ms: number) => utcDay(Date.now() + ms);
  return { from: day(-2 * DAY_MS), to: day(DAY_MS) };
}

const PAGE = "<!doctype html>";

/** An upload of a page in one part, which has not arrived. */
async function begunUpload(): Promise<{ path: string }> {
  const contentId = await id(create("content", { name: "c", type: "web" }));
  const { hex: sha256 } = await hashOf(bytesOf(PAGE));
  const upload = await create(`content/${contentId}/uploads`, { sha256, bytes: PAGE.length });
  return { path: `content/${contentId}/uploads/${upload.id}` };
}

const person = async () => (await signedIn("viewer")).person.id;
let invited = 0;
const invitation = () => {
  invited += 1;
  return { email: `invited-${invited}@example.com`, role: "operator" };
};

/** What somebody who signed in changes of their own account. */
async function ownAccount(path: (sessionId: string) => string, body?: unknown): Promise<Asked> {
  const { headers } = await signedIn("viewer");
  const own = (await call("GET", "/v1/admin/me/sessions", undefined, headers)).body as { items: { id: string }[] };
  return { path: `/v1/admin/me${path(own.items[0]?.id ?? "")}`, body, headers: { ...headers, Authorization: "" } };
}

const under = (path: string, body?: unknown): Asked => ({ path: `/v1/admin/${path}`, body });
const change = (resource: string, made: () => Promise<string>, body: unknown) => async () => under(`${resource}/${await made()}`, body);
const removal = (resource: string, made: () => Promise<string>) => async () => under(`${resource}/${await made()}`);

/** How every change that an administrator can make is made. */
export const CHANGES: Record<string, () => Promise<Asked>> = {
  "POST /v1/admin/suppliers": async () => under("suppliers", { name: "s" }),
  "PATCH /v1/admin/suppliers/:id": change("suppliers", supplier, { name: "t" }),
  "DELETE /v1/admin/suppliers/:id": removal("suppliers", supplier),
  "POST /v1/admin/stores": async () => under("stores", { supplier_id: await supplier(), name: "S", timezone: "UTC" }),
  "PATCH /v1/admin/stores/:id": change("stores", store, { timezone: "Asia/Tokyo" }),
  "DELETE /v1/admin/stores/:id": removal("stores", store),
  "POST /v1/admin/device-groups": async () => under("device-groups", { name: "g" }),
  "PATCH /v1/admin/device-groups/:id": change("device-groups", group, { policy: { signature: "optional" } }),
  "DELETE /v1/admin/device-groups/:id": removal("device-groups", group),
  "POST /v1/admin/devices": async () => under("devices", { external_name: "d" }),
  "PATCH /v1/admin/devices/:id": change("devices", device, { external_name: "e" }),
  "POST /v1/admin/devices/:id/revoke": async () => under(`devices/${await device()}/revoke`),
  "POST /v1/admin/devices/:id/sequencer/trust": async () => under(`devices/${(await recorded()).deviceId}/sequencer/trust`),
  "POST /v1/admin/devices/:id/commands": async () => under(`devices/${(await makeDevice()).id}/commands`, { type: "refresh_plan" }),
  "POST /v1/admin/devices/:id/commands/:command_id/cancel": async () => under(`${await command()}/cancel`),
  "PATCH /v1/admin/incidents/:id": change("incidents", incident, { notes: "The till was moved." }),
  "POST /v1/admin/incidents/:id/acknowledge": async () => under(`incidents/${await incident()}/acknowledge`),
  "POST /v1/admin/incidents/:id/resolve": async () => under(`incidents/${await incident()}/resolve`),
  "POST /v1/device/pairing/create-claim": async () => ({ path: "/v1/device/pairing/create-claim", body: { name: "n" } }),
  "POST /v1/admin/claims/:id/approve": async () => under(`claims/${await waitingClaim()}/approve`, { name: "n" }),
  "POST /v1/admin/claims/:id/reject": async () => under(`claims/${await waitingClaim()}/reject`),
  "POST /v1/admin/campaigns": async () => under("campaigns", { brand_name: "b", name: "c" }),
  "PATCH /v1/admin/campaigns/:id": change("campaigns", campaign, { archived: true }),
  "POST /v1/admin/ad-groups": async () => under("ad-groups", { campaign_id: await campaign(), name: "a" }),
  "PATCH /v1/admin/ad-groups/:id": change("ad-groups", adGroup, { tags: ["t"] }),
  "POST /v1/admin/content": async () => under("content", { name: "c", type: "image" }),
  "PATCH /v1/admin/content/:id": change("content", content, { name: "d" }),
  "POST /v1/admin/content/:id/versions": async () => under(`content/${await content()}/versions`, { sha256: "a".repeat(64) }),
  "POST /v1/admin/content/:id/versions/upload": async () =>
    under(`content/${await id(create("content", { name: "c", type: "web" }))}/versions/upload`, "<!doctype html>"),
  "POST /v1/admin/content/:id/uploads": async () => under(`content/${await content()}/uploads`, { sha256: "b".repeat(64), bytes: 10 }),
  "PUT /v1/admin/content/:id/uploads/:upload_id/parts/:number": async () => under(`${(await begunUpload()).path}/parts/1`, PAGE),
  "POST /v1/admin/content/:id/uploads/:upload_id/complete": async () => {
    const { path } = await begunUpload();
    await admin("PUT", `/v1/admin/${path}/parts/1`, PAGE);
    return under(`${path}/complete`);
  },
  "DELETE /v1/admin/content/:id/uploads/:upload_id": async () => under((await begunUpload()).path),
  "POST /v1/admin/playlists": async () => under("playlists", { name: "p" }),
  "PATCH /v1/admin/playlists/:id": change("playlists", playlist, { tags: ["t"] }),
  "PUT /v1/admin/playlists/:id/items": async () =>
    under(`playlists/${await playlist()}/items`, { items: [{ content_version_id: (await contentWithVersion()).versionId }] }),
  "POST /v1/admin/playlists/:id/items": async () =>
    under(`playlists/${await playlist()}/items`, { content_version_id: (await contentWithVersion()).versionId }),
  "PATCH /v1/admin/playlists/:id/items/:item_id": async () => under(await playlistItem(), { weight: 2 }),
  "DELETE /v1/admin/playlists/:id/items/:item_id": async () => under(await playlistItem()),
  "POST /v1/admin/schedules": async () =>
    under("schedules", {
      name: "s",
      target_type: "GROUP",
      target_id: await group(),
      playlist_id: await id(playlistWithItems()),
    }),
  "PATCH /v1/admin/schedules/:id": change("schedules", schedule, { rules: { priority: 1 } }),
  "DELETE /v1/admin/schedules/:id": removal("schedules", schedule),
  "POST /v1/admin/takeovers": async () => under("takeovers", await emergency()),
  "POST /v1/admin/takeovers/:id/lift": async () => under(`takeovers/${await id(create("takeovers", await emergency()))}/lift`),
  "POST /v1/admin/webhooks": async () => under("webhooks", hook),
  "PATCH /v1/admin/webhooks/:id": change("webhooks", webhook, { status: "disabled" }),
  "DELETE /v1/admin/webhooks/:id": removal("webhooks", webhook),
  "POST /v1/admin/webhooks/:id/rotate-secret": async () => under(`webhooks/${await webhook()}/rotate-secret`, {}),
  "POST /v1/admin/webhooks/:id/test": async () => under(`webhooks/${await webhook()}/test`),
  "POST /v1/admin/webhooks/:id/messages/:message_id/resend": async () => {
    const tested = await webhook();
    const { message_id } = (await admin("POST", `/v1/admin/webhooks/${tested}/test`)).body;
    return under(`webhooks/${tested}/messages/${message_id}/resend`);
  },
  "POST /v1/admin/webhooks/:id/recover": async () =>
    under(`webhooks/${await webhook()}/recover`, { from: new Date(Date.now() - DAY_MS).toISOString() }),
  "POST /v1/admin/tokens": async () => under("tokens", { name: "t", role: "operator" }),
  "POST /v1/admin/tokens/:id/revoke": async () => under(`tokens/${await id(create("tokens", { name: "t", role: "admin" }))}/revoke`),
  "PATCH /v1/admin/me": async () => await ownAccount(() => "", { name: "Somebody else" }),
  "DELETE /v1/admin/me/sessions/:id": async () => await ownAccount((sessionId) => `/sessions/${sessionId}`),
  "POST /v1/admin/me/sessions/revoke-all": async () => await ownAccount(() => "/sessions/revoke-all"),
  "PATCH /v1/admin/users/:id": change("users", person, { role: "operator" }),
  "DELETE /v1/admin/users/:id": removal("users", person),
  "POST /v1/admin/users/:id/reset-two-factor": async () => {
    const userId = await person();
    await env.DB.prepare("UPDATE users SET two_factor_enabled = 1 WHERE id = ?").bind(userId).run();
    return under(`users/${userId}/reset-two-factor`);
  },
  "POST /v1/admin/users/:id/reset-password": async () => under(`users/${await person()}/reset-password`),
  "POST /v1/admin/invitations": async () => under("invitations", invitation()),
  "POST /v1/admin/invitations/setup": async () => {
    await env.DB.prepare("DELETE FROM users").run();
    return under("invitations/setup");
  },
  "POST /v1/admin/invitations/:id/revoke": async () => under(`invitations/${await id(create("invitations", invitation()))}/revoke`),
  "POST /v1/admin/pipeline/dead-letters/:id/redrive": async () => under(`pipeline/dead-letters/${await deadLetter()}/redrive`),
  "POST /v1/admin/pipeline/redrive": async () => under("pipeline/redrive", { ids: [await deadLetter()] }),
  "POST /v1/admin/pipeline/relist": async () => under("pipeline/relist"),
  "POST /v1/admin/pipeline/replay": async () => under("pipeline/replay", await replayRange()),
  "POST /v1/admin/pipeline/replays/:id/abandon": async () => {
    const started = await admin("POST", "/v1/admin/pipeline/replay", await replayRange());
    return under(`pipeline/replays/${started.body.id}/abandon`);
  },
};
