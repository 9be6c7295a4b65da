import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../../src/platform/time.ts";
import { forgetWebhookMessages } from "../../src/webhooks/attempts.ts";
import { admin } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { attemptsOf, deliverAt, makeWebhook, messagesOf, receivedBy, sendTestTo, shown, verified } from "../support/webhooks.ts";

const PATH = "/v1/admin/webhooks";
const wanted = { name: "Billing", url: "https://billing.acme.com/plays", events: ["playback.logged"] };
const soon = () => Date.now() + 1000;

describe("the secret", () => {
  test("is shown to who makes the webhook, again to an equal request, and nowhere else", async () => {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const made = await admin("POST", PATH, wanted, headers);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ ...wanted, status: "active", secret_version: 1, disabled_reason: null, failing_since_at: null });
    const secret = String(made.body.secret);
    expect(secret).toMatch(/^whsec_/);
    const again = await admin("POST", PATH, wanted, headers);
    expect(again.body).toEqual(made.body);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");

    const path = `${PATH}/${made.body.id}`;
    const answers = [await admin("GET", path), await admin("GET", PATH), await admin("PATCH", path, { name: "Billing 2" })];
    const { results } = await env.DB.prepare("SELECT * FROM webhooks").all();
    const kept = await env.DB.prepare("SELECT * FROM idempotency_keys").all();
    const everything = JSON.stringify([answers.map(({ body }) => body), results, kept.results, await auditRows()]);
    expect(everything).toContain("Billing 2");
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain("whsec_");
  });

  test("rotated, both sign for a day, then the new one alone", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    const before = Date.now();
    const rotated = await admin("POST", `${PATH}/${webhook.id}/rotate-secret`, {});
    expect(rotated).toMatchObject({ status: 200, body: { id: webhook.id, secret_version: 2, version: 2 } });
    expect(rotated.headers.get("ETag")).toBe('"2"');
    expect(rotated.body.secret).not.toBe(webhook.secret);
    const until = Date.parse(String(rotated.body.previous_secret_expires_at));
    expect(until - before).toBeGreaterThanOrEqual(DAY_MS);
    expect(until - before).toBeLessThan(DAY_MS + 60_000);

    await sendTestTo(webhook);
    await deliverAt(webhook, until - 1);
    await sendTestTo(webhook);
    await deliverAt(webhook, until);
    const [during, after] = await receivedBy(webhook);
    if (!during || !after) throw new Error("it did not come twice");
    for (const secret of [webhook.secret, String(rotated.body.secret)]) {
      expect(verified(secret, during, until - 1)).toMatchObject({ type: "webhook.test" });
    }
    expect(verified(String(rotated.body.secret), after, until)).toMatchObject({ type: "webhook.test" });
    expect(() => verified(webhook.secret, after, until)).toThrow("No matching signature");
    const [, row] = await auditRows(webhook.id);
    expect(row).toMatchObject({ action: "webhook.update", details: { before: { secret_version: 1 }, after: { secret_version: 2 } } });
    expect(JSON.stringify(row)).not.toContain("whsec_");
  });

  test("that leaked dies at once with overlap_s 0", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    const rotated = await admin("POST", `${PATH}/${webhook.id}/rotate-secret`, { overlap_s: 0 });
    expect(rotated.body.previous_secret_expires_at).toBeNull();
    await sendTestTo(webhook);
    const now = soon();
    await deliverAt(webhook, now);
    const [message] = await receivedBy(webhook);
    if (!message) throw new Error("nothing came");
    expect(verified(String(rotated.body.secret), message, now)).toMatchObject({ type: "webhook.test" });
    expect(() => verified(webhook.secret, message, now)).toThrow("No matching signature");
  });

  test("is rotated once by a request that is repeated, and not by one that read another version", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    const path = `${PATH}/${webhook.id}/rotate-secret`;
    const headers = { "Idempotency-Key": crypto.randomUUID(), "If-Match": '"1"' };
    const answers = await Promise.all([
      admin("POST", path, {}, headers),
      admin("POST", path, {}, headers),
      admin("POST", path, {}, headers),
    ]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await shown(webhook)).toMatchObject({ secret_version: 2 });
    expect((await auditRows(webhook.id)).map(({ action }) => action)).toEqual(["webhook.create", "webhook.update"]);
    expect((await admin("POST", path, {}, { "If-Match": '"1"' })).status).toBe(412);
    expect((await admin("POST", path, { overlap_s: 604_801 })).body).toMatchObject({ errors: [{ pointer: "/overlap_s" }] });
  });
});

describe("bad input", () => {
  test.each([
    [{ ...wanted, url: "https://localhost/x" }, "/url", "must name a public domain"],
    [{ ...wanted, url: "https://169.254.169.254/" }, "/url", "must name a domain, not an address"],
    [{ ...wanted, url: "https://signage.acme.com/hook" }, "/url", "must not be this server"],
    [{ ...wanted, events: [] }, "/events", expect.any(String)],
    [{ ...wanted, events: ["play.logged"] }, "/events/0", expect.any(String)],
    [{ ...wanted, events: ["device.paired", "device.paired"] }, "/events", "names an event twice"],
    [{ ...wanted, secret: "mine" }, "/secret", 'There is no field "secret" here.'],
    [{ ...wanted, id: crypto.randomUUID() }, "/id", 'There is no field "id" here.'],
  ])("%o", async (body, pointer, detail) => {
    const answer = await exports.default.fetch(`https://signage.acme.com${PATH}`, {
      method: "POST",
      headers: { Authorization: "Bearer test-admin-token", "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ pointer, detail }] });
  });

  test("a change is held to the same rules, and to the version that was read", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    const path = `${PATH}/${webhook.id}`;
    expect((await admin("PATCH", path, { url: "http://billing.acme.com/" })).body).toMatchObject({
      errors: [{ pointer: "/url", detail: "must begin with https://" }],
    });
    expect((await admin("PATCH", path, { name: "x" }, { "If-Match": '"7"' })).status).toBe(412);
    expect((await admin("PATCH", path, { disabled_reason: "GONE" })).status).toBe(400);
    expect((await admin("GET", `${PATH}/${crypto.randomUUID()}/messages`)).status).toBe(404);
    expect((await admin("POST", `${PATH}/${crypto.randomUUID()}/test`)).status).toBe(404);
    expect((await admin("POST", `${path}/messages/msg_${crypto.randomUUID()}/resend`)).status).toBe(404);
    for (const period of [
      { from: "2026-01-01T00:00:00Z", to: "2026-01-08T00:00:01Z" },
      { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" },
    ]) {
      expect((await admin("POST", `${path}/recover`, period)).status).toBe(400);
    }
  });
});

test("messages and attempts are listed newest first, by page and by filter", async () => {
  const webhook = await makeWebhook(["device.paired"], [{ status: 500 }, { status: 204 }]);
  const first = await sendTestTo(webhook);
  await deliverAt(webhook, soon());
  const second = await sendTestTo(webhook);
  await deliverAt(webhook, soon());
  const page = await admin("GET", `${PATH}/${webhook.id}/messages?limit=1`);
  expect(page.body.items).toMatchObject([{ id: second, status: "delivered" }]);
  expect(await messagesOf(webhook, `?limit=1&cursor=${page.body.next_cursor}`)).toMatchObject([{ id: first, status: "pending" }]);
  expect(await messagesOf(webhook, "?status=pending")).toMatchObject([{ id: first }]);
  expect(await attemptsOf(webhook, `?message_id=${second}`)).toMatchObject([{ outcome: "delivered" }]);
  expect(await attemptsOf(webhook, "?outcome=refused")).toMatchObject([{ message_id: first, status_code: 500 }]);
});

test("the log goes after 30 days, and all of a deleted webhook; what is still to be sent stays", async () => {
  const webhook = await makeWebhook(["device.paired"], [{ status: 204 }, { status: 500 }]);
  const deleted = await makeWebhook(["device.paired"]);
  await sendTestTo(webhook);
  await sendTestTo(deleted);
  const now = soon();
  await deliverAt(webhook, now);
  await deliverAt(deleted, now);
  const open = await sendTestTo(webhook);
  await deliverAt(webhook, now);
  expect((await admin("DELETE", `${PATH}/${deleted.id}`)).status).toBe(204);
  const rowsOf = async (id: string) =>
    (
      await env.DB.prepare(
        "SELECT (SELECT count(*) FROM webhook_messages WHERE webhook_id = ?1) AS messages, (SELECT count(*) FROM webhook_attempts WHERE webhook_id = ?1) AS attempts",
      )
        .bind(id)
        .all()
    ).results[0];
  await forgetWebhookMessages(env.DB, now + 30 * DAY_MS);
  expect(await rowsOf(webhook.id)).toEqual({ messages: 2, attempts: 2 });
  expect(await rowsOf(deleted.id)).toEqual({ messages: 0, attempts: 0 });
  await forgetWebhookMessages(env.DB, now + 30 * DAY_MS + 1);
  expect(await rowsOf(webhook.id)).toEqual({ messages: 1, attempts: 0 });
  expect(await messagesOf(webhook)).toMatchObject([{ id: open, status: "pending" }]);
});

test("there are 50 webhooks at most", async () => {
  const { items } = (await admin("GET", `${PATH}?limit=200`)).body as { items: unknown[] };
  for (let count = items.length; count < 50; count += 1) expect((await admin("POST", PATH, wanted)).status).toBe(201);
  expect(await admin("POST", PATH, wanted)).toMatchObject({ status: 400, body: { code: "TOO_MANY_WEBHOOKS" } });
});
