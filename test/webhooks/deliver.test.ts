import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/platform/encoding.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { fanOut } from "../../src/webhooks/dispatch.ts";
import { eventStatements } from "../../src/webhooks/events.ts";
import { admin } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { withFault } from "../support/pipeline.ts";
import type { Received } from "../support/receiver-protocol.ts";
import {
  answerWith,
  attemptsOf,
  deliverAt,
  makeWebhook,
  messagesOf,
  receivedBy,
  runDispatcher,
  sendTestTo,
  shown,
  verified,
} from "../support/webhooks.ts";

/** A little ahead, so that what the API has just put on its way is due. */
const soon = () => Date.now() + 1000;
const idOf = ({ headers }: Received) => headers["webhook-id"];

test("a test message arrives by the dispatcher's alarm, signed so that the official library lets it through", async () => {
  const webhook = await makeWebhook(["playback.logged"], [{ status: 200, body: "thank you" }]);
  const messageId = await sendTestTo(webhook);
  await env.WEBHOOKS.getByName(webhook.id).wake();
  expect(await runDispatcher(webhook.id)).toBe(true);
  const [message, ...more] = await receivedBy(webhook);
  if (!message) throw new Error("nothing came");
  expect(more).toEqual([]);
  expect(message).toMatchObject({ method: "POST", headers: { "webhook-id": messageId, "content-type": "application/json" } });
  expect(verified(webhook.secret, message)).toMatchObject({ type: "webhook.test", data: { webhook_id: webhook.id } });
  expect(() => verified(webhook.secret, { ...message, body: `${message.body} ` })).toThrow("No matching signature");
  expect(() => verified(webhook.secret, message, Date.now() + 6 * MINUTE_MS)).toThrow("too old");
  expect(await messagesOf(webhook)).toMatchObject([{ id: messageId, status: "delivered", tries: 1, next_attempt_at: null }]);
  expect(await attemptsOf(webhook)).toMatchObject([
    {
      message_id: messageId,
      outcome: "delivered",
      status_code: 200,
      response: "thank you",
      error: null,
      body_sha256: await sha256Hex(message.body),
    },
  ]);
  // Woken again, it finds nothing left to do, and sets no alarm.
  await env.WEBHOOKS.getByName(webhook.id).wake();
  await runDispatcher(webhook.id);
  expect(await receivedBy(webhook)).toHaveLength(1);
});

test("events reach the webhooks that subscribed to them when they happened, and no others", async () => {
  const paired = await makeWebhook(["device.paired", "incident.opened"]);
  const other = await makeWebhook(["incident.resolved"]);
  const now = soon();
  const event = { type: "incident.opened" as const, data: { incident_id: "i1" }, at: now };
  await env.DB.batch(eventStatements(env.DB, event));
  const late = await makeWebhook(["incident.opened"]);
  for (const webhook of [paired, other, late]) await deliverAt(webhook, now);
  const [message] = await receivedBy(paired);
  expect(message && verified(paired.secret, message, now)).toEqual({
    type: "incident.opened",
    timestamp: new Date(now).toISOString(),
    data: { incident_id: "i1" },
  });
  expect(await receivedBy(other)).toEqual([]);
  expect(await receivedBy(late)).toEqual([]);
});

test("an event is told if and only if its transaction is committed, and tells of what that left", async () => {
  const webhook = await makeWebhook(["incident.opened"]);
  const now = soon();
  const open = (id: string) =>
    env.DB.prepare(
      "INSERT INTO incidents (id, device_id, type, severity, created_at) VALUES (?, 'd', 'LOW_STORAGE', 'medium', ?) ON CONFLICT DO NOTHING",
    ).bind(id, now);
  const telling = (id: string) =>
    eventStatements(env.DB, {
      type: "incident.opened",
      data: { device_id: "d" },
      at: now,
      subject: {
        name: "incident",
        query: "SELECT json_object('id', id, 'severity', severity) AS value FROM incidents WHERE id = ?",
        values: [id],
      },
    });
  await expect(env.DB.batch([open("a"), ...telling("a"), env.DB.prepare("SELECT json('no')")])).rejects.toThrow();
  await env.DB.batch([open("b"), ...telling("b")]);
  // There is one open already: this one is not opened, and not told.
  await env.DB.batch([open("c"), ...telling("c")]);
  await deliverAt(webhook, now);
  const told = (await receivedBy(webhook)).map((message) => verified(webhook.secret, message, now).data);
  expect(told).toEqual([{ device_id: "d", incident: { id: "b", severity: "medium" } }]);
});

describe("what fails is tried again", () => {
  test("after 500 a message comes again five seconds later, the same bytes under the same id", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 500, body: "x".repeat(10_000) }, { status: 200 }]);
    await sendTestTo(webhook);
    const now = soon();
    expect(await deliverAt(webhook, now)).toBe(now + 5000);
    expect(await shown(webhook)).toMatchObject({ failing_since_at: new Date(now).toISOString(), messages_pending: 1, status: "active" });
    await deliverAt(webhook, now + 4999);
    expect(await receivedBy(webhook)).toHaveLength(1);
    expect(await deliverAt(webhook, now + 5000)).toBeNull();
    const [first, second] = await receivedBy(webhook);
    if (!first || !second) throw new Error("it did not come twice");
    expect(idOf(second)).toBe(idOf(first));
    expect(second.body).toBe(first.body);
    expect(verified(webhook.secret, second, now + 5000)).toEqual(verified(webhook.secret, first, now));
    const attempts = await attemptsOf(webhook);
    expect(attempts).toMatchObject([
      { outcome: "refused", status_code: 500 },
      { outcome: "delivered", status_code: 200 },
    ]);
    // Of a long answer only the beginning is kept.
    expect(attempts[0]?.response).toBe("x".repeat(500));
    expect(await shown(webhook)).toMatchObject({ failing_since_at: null, messages_pending: 0 });
  });

  test.each([
    ["a receiver that never answers", { hang: true as const }, "timeout", null],
    ["a connection that breaks off", { drop: true as const }, "unreachable", null],
    ["404", { status: 404 }, "refused", 404],
  ])("%s", async (_, answer, outcome, status_code) => {
    const webhook = await makeWebhook(["device.paired"], [answer, { status: 204 }]);
    await sendTestTo(webhook);
    const now = soon();
    // Long enough for a busy machine to answer at all; who hangs would hang for ever.
    expect(await deliverAt(webhook, now, outcome === "timeout" ? { timeoutMs: 300 } : {})).toBe(now + 5000);
    await deliverAt(webhook, now + 5000);
    expect(await attemptsOf(webhook)).toMatchObject([
      { outcome, status_code },
      { outcome: "delivered", status_code: 204 },
    ]);
    const ids = (await receivedBy(webhook)).map(idOf);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test("a redirect is not followed", async () => {
    const elsewhere = await makeWebhook(["device.paired"]);
    const webhook = await makeWebhook(["device.paired"], [{ status: 307, headers: { Location: elsewhere.url } }]);
    await sendTestTo(webhook);
    const now = soon();
    expect(await deliverAt(webhook, now)).toBe(now + 5000);
    expect(await attemptsOf(webhook)).toMatchObject([{ outcome: "redirect", status_code: 307 }]);
    expect(await receivedBy(elsewhere)).toEqual([]);
  });

  test("not before the time that the receiver asks for", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 503, headers: { "Retry-After": "3600" } }]);
    await sendTestTo(webhook);
    const now = soon();
    expect(await deliverAt(webhook, now)).toBe(now + HOUR_MS);
  });

  test("a crash between sending and noting it brings the message again, with the same id", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    const messageId = await sendTestTo(webhook);
    const now = soon();
    await expect(deliverAt(webhook, now, {}, withFault("DB.batch", "before"))).rejects.toThrow("injected");
    expect(await messagesOf(webhook)).toMatchObject([{ status: "pending", tries: 0 }]);
    await deliverAt(webhook, now);
    expect((await receivedBy(webhook)).map(idOf)).toEqual([messageId, messageId]);
    expect(await messagesOf(webhook)).toMatchObject([{ status: "delivered", tries: 1 }]);
  });

  test("a message that somebody sends again while it is under way goes out once more", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 500 }, { status: 204, together: 2 }, { status: 204 }]);
    const messageId = await sendTestTo(webhook);
    const now = soon();
    await deliverAt(webhook, now);
    const underWay = deliverAt(webhook, now + 5000);
    await expect.poll(async () => (await receivedBy(webhook)).length).toBe(2);
    await admin("POST", `/v1/admin/webhooks/${webhook.id}/messages/${messageId}/resend`);
    await answerWith(webhook.path, [{ status: 204, together: 2 }]);
    await fetch(webhook.url, { method: "POST" });
    await underWay;
    expect(await messagesOf(webhook)).toMatchObject([{ status: "pending", tries: 0 }]);
    await answerWith(webhook.path, []);
    await deliverAt(webhook, now + 5000);
    expect(await messagesOf(webhook)).toMatchObject([{ status: "delivered", tries: 1 }]);
  });

  test("a lost answer of D1 to the note does no harm: it is noted once", async () => {
    const webhook = await makeWebhook(["device.paired"]);
    await sendTestTo(webhook);
    const now = soon();
    await expect(deliverAt(webhook, now, {}, withFault("DB.batch", "after"))).rejects.toThrow("injected");
    expect(await deliverAt(webhook, now)).toBeNull();
    expect(await receivedBy(webhook)).toHaveLength(1);
  });

  test("ten times over 75 hours, then it has failed; sent by hand it comes again under its id", async () => {
    const webhook = await makeWebhook(["device.paired"], [...Array<{ status: number }>(10).fill({ status: 500 }), { status: 204 }]);
    const messageId = await sendTestTo(webhook);
    const start = soon();
    let next: number | null = start;
    let last = start;
    for (let tries = 0; next !== null; tries += 1) {
      expect(tries).toBeLessThan(10);
      last = next;
      next = await deliverAt(webhook, next);
    }
    expect(last - start).toBe(75.5 * HOUR_MS + 5 * MINUTE_MS + 5000);
    expect(await messagesOf(webhook)).toMatchObject([{ status: "failed", tries: 10, next_attempt_at: null }]);
    expect(await shown(webhook)).toMatchObject({ status: "active" });
    const resent = await admin("POST", `/v1/admin/webhooks/${webhook.id}/messages/${messageId}/resend`);
    expect(resent.status).toBe(202);
    await deliverAt(webhook, last);
    const ids = (await receivedBy(webhook)).map(idOf);
    expect(ids).toEqual(Array(11).fill(messageId));
    expect(await messagesOf(webhook)).toMatchObject([{ status: "delivered", tries: 1 }]);
    expect((await auditRows(webhook.id)).at(-1)).toMatchObject({
      action: "webhook.resend",
      details: { message_id: messageId, before: { status: "failed", tries: 10 } },
    });
  });
});

describe("a webhook is switched off", () => {
  test("by an answer of 410, at once; what waits is kept until it is on again", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 410 }, { status: 204 }]);
    await sendTestTo(webhook);
    await sendTestTo(webhook);
    const now = soon();
    expect(await deliverAt(webhook, now, { mostMessages: 1 })).toBeNull();
    const off = await shown(webhook);
    expect(off).toMatchObject({
      status: "disabled",
      disabled_reason: "GONE",
      disabled_at: new Date(now).toISOString(),
      version: 2,
      messages_pending: 1,
    });
    expect((await auditRows(webhook.id)).at(-1)).toMatchObject({
      action: "webhook.disable",
      details: { after: { status: "disabled", disabled_reason: "GONE" }, outcome: "gone" },
      origin: null,
    });
    await deliverAt(webhook, now + DAY_MS);
    expect(await receivedBy(webhook)).toHaveLength(1);

    const on = await admin("PATCH", `/v1/admin/webhooks/${webhook.id}`, { status: "active" }, { "If-Match": '"2"' });
    expect(on.body).toMatchObject({ status: "active", disabled_reason: null, disabled_at: null, failing_since_at: null });
    await deliverAt(webhook, now + DAY_MS);
    expect((await messagesOf(webhook)).map(({ status }) => status).sort()).toEqual(["delivered", "failed"]);
  });

  test("after five days in which nothing got through, and not a moment earlier", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 500 }]);
    const start = soon();
    const failAt = async (now: number) => {
      await sendTestTo(webhook);
      await deliverAt(webhook, now, { mostMessages: 1 });
      return (await shown(webhook)).status;
    };
    expect(await failAt(start)).toBe("active");
    expect(await failAt(start + 5 * DAY_MS - 1)).toBe("active");
    expect(await failAt(start + 5 * DAY_MS)).toBe("disabled");
    expect(await shown(webhook)).toMatchObject({ disabled_reason: "FAILURES" });
  });

  test("not where something got through in between", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 500 }, { status: 204 }, { status: 500 }]);
    const start = soon();
    for (const now of [start, start + DAY_MS, start + 6 * DAY_MS]) {
      await sendTestTo(webhook);
      await deliverAt(webhook, now, { mostMessages: 1 });
    }
    expect(await shown(webhook)).toMatchObject({ status: "active", failing_since_at: new Date(start + 6 * DAY_MS).toISOString() });
  });

  test("by hand: it is told nothing new, and no test or message goes out", async () => {
    const webhook = await makeWebhook(["incident.opened"]);
    const messageId = await sendTestTo(webhook);
    const off = await admin("PATCH", `/v1/admin/webhooks/${webhook.id}`, { status: "disabled" });
    expect(off.body).toMatchObject({ status: "disabled", disabled_reason: "BY_HAND" });
    await env.DB.batch(eventStatements(env.DB, { type: "incident.opened", data: {}, at: Date.now() }));
    await deliverAt(webhook, soon());
    expect(await receivedBy(webhook)).toEqual([]);
    expect(await messagesOf(webhook)).toHaveLength(1);
    for (const path of ["test", `messages/${messageId}/resend`]) {
      const refused = await admin("POST", `/v1/admin/webhooks/${webhook.id}/${path}`);
      expect(refused).toMatchObject({ status: 409, body: { code: "WEBHOOK_DISABLED" } });
    }
  });
});

describe("how much goes out at a time", () => {
  test("four messages, while all is well", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 204, together: 4 }]);
    for (let message = 0; message < 8; message += 1) await sendTestTo(webhook);
    await deliverAt(webhook, soon());
    const open = (await receivedBy(webhook)).map((message) => message.open);
    expect(open).toHaveLength(8);
    expect(Math.max(...open)).toBe(4);
  });

  test("one, while it fails", async () => {
    const webhook = await makeWebhook(["device.paired"], [{ status: 500 }, { status: 204, together: 1 }]);
    await sendTestTo(webhook);
    const now = soon();
    await deliverAt(webhook, now);
    for (let message = 0; message < 3; message += 1) await sendTestTo(webhook);
    await deliverAt(webhook, now + 5000);
    expect((await receivedBy(webhook)).map((message) => message.open)).toEqual([1, 1, 1, 1, 1]);
  });

  test("a receiver that hangs holds up no other", async () => {
    const hanging = await makeWebhook(["device.paired"], [{ hang: true }]);
    const other = await makeWebhook(["device.paired"]);
    for (const webhook of [hanging, other]) {
      await sendTestTo(webhook);
      await env.WEBHOOKS.getByName(webhook.id).wake();
    }
    let ended = false;
    const alarm = runDispatcher(hanging.id).then(() => {
      ended = true;
    });
    await expect.poll(async () => (await receivedBy(hanging)).length).toBe(1);
    await runDispatcher(other.id);
    expect(await receivedBy(other)).toHaveLength(1);
    expect(ended).toBe(false);
    // Answers the one that hangs, so that nobody waits for its time limit.
    await answerWith(hanging.path, [{ status: 204, together: 2 }]);
    await fetch(hanging.url, { method: "POST" });
    await alarm;
    expect(await messagesOf(hanging)).toMatchObject([{ status: "delivered" }]);
  });
});

test("of two that take the outbox at once, each event becomes one message", async () => {
  const webhook = await makeWebhook(["incident.opened"]);
  await env.DB.batch(eventStatements(env.DB, { type: "incident.opened", data: {}, at: Date.now() }));
  const taken = await Promise.all([fanOut(env.DB, soon()), fanOut(env.DB, soon()), fanOut(env.DB, soon())]);
  expect(taken.reduce((sum, events) => sum + events)).toBe(1);
  expect(await messagesOf(webhook)).toHaveLength(1);
});
