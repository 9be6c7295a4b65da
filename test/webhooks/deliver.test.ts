import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { admin } from "../support/admin.ts";
import { attemptsOf, makeWebhook, messagesOf, receivedBy, runDispatcher, verified } from "../support/webhooks.ts";

test("a test message arrives, signed so that the official library lets it through", async () => {
  const webhook = await makeWebhook(["playback.logged"], [{ status: 200, body: "thank you" }]);
  const asked = await admin("POST", `/v1/admin/webhooks/${webhook.id}/test`);
  expect(asked.status).toBe(202);
  await env.WEBHOOKS.getByName(webhook.id).wake();
  expect(await runDispatcher(webhook.id)).toBe(true);
  const [message, ...more] = await receivedBy(webhook);
  expect(more).toEqual([]);
  if (!message) throw new Error("nothing came");
  expect(message.headers["webhook-id"]).toBe(asked.body.message_id);
  expect(verified(webhook.secret, message)).toMatchObject({ type: "webhook.test", data: { webhook_id: webhook.id } });
  expect(await messagesOf(webhook)).toMatchObject([{ id: asked.body.message_id, status: "delivered", tries: 1, next_attempt_at: null }]);
  expect(await attemptsOf(webhook)).toMatchObject([{ outcome: "delivered", status_code: 200, response: "thank you", error: null }]);
});
