import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { vi } from "vitest";
import { type DeliverOptions, deliverDue } from "../../src/webhooks/deliver.ts";
import { fanOut } from "../../src/webhooks/dispatch.ts";
import { admin, create } from "./admin.ts";
import { type Answering, CONTROL_HOST, RECEIVER_HOST, type Received } from "./receiver-protocol.ts";

/** A webhook, as the API made it, and the receiver that it leads to. */
export interface TestWebhook {
  id: string;
  secret: string;
  url: string;
  path: string;
}

/** Makes a webhook. Its receiver gives these answers one after the other, the last one for good; 204 where there are none. */
export async function makeWebhook(events: string[], answers: Answering[] = []): Promise<TestWebhook> {
  const path = `/${crypto.randomUUID()}`;
  await answerWith(path, answers);
  const made = await create("webhooks", { name: "Billing", url: `https://${RECEIVER_HOST}${path}`, events });
  const webhook = { id: made.id, secret: String(made.secret), url: String(made.url), path };
  await holdAlarm(webhook.id);
  return webhook;
}

/** Says what a receiver answers from its first request on. */
export async function answerWith(path: string, answers: Answering[]): Promise<void> {
  await fetch(`https://${CONTROL_HOST}${path}`, { method: "PUT", body: JSON.stringify(answers) });
}

/** What a receiver got, oldest first. */
export async function receivedBy({ path }: Pick<TestWebhook, "path">): Promise<Received[]> {
  return await (await fetch(`https://${CONTROL_HOST}${path}`)).json<Received[]>();
}

export interface Told {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/**
 * What a message says, as the official library lets it through.
 * @param now when it arrived, which the library holds its time against
 * @throws where its signature or time is not right
 */
export function verified(secret: string, { body, headers }: Pick<Received, "body" | "headers">, now = Date.now()): Told {
  const clock = vi.spyOn(Date, "now").mockReturnValue(now);
  try {
    return new Webhook(secret).verify(body, headers) as Told;
  } finally {
    clock.mockRestore();
  }
}

/** The alarm is set as the dispatcher wants it, but for a time when no test runs any more: tests run it by hand. */
async function holdAlarm(webhookId: string): Promise<void> {
  await runInDurableObject(env.WEBHOOKS.getByName(webhookId), (_, state) => {
    const setAlarm = state.storage.setAlarm.bind(state.storage);
    Reflect.set(state.storage, "setAlarm", (at: number) => setAlarm(at + 3_600_000));
  });
}

export async function runDispatcher(webhookId: string): Promise<boolean> {
  return await runDurableObjectAlarm(env.WEBHOOKS.getByName(webhookId));
}

/** Makes messages of what is in the outbox and sends what one webhook is due, as of `now`; jitter is left out. */
export async function deliverAt(
  { id }: Pick<TestWebhook, "id">,
  now: number,
  options: DeliverOptions = {},
  bindings: Env = env,
): Promise<number | null> {
  await fanOut(env.DB, now);
  return await deliverDue(bindings, id, () => now, { random: () => 0, ...options });
}

export interface MessageShown {
  id: string;
  type: string;
  status: string;
  tries: number;
  next_attempt_at: string | null;
  segment_id: string | null;
  part: number | null;
}

export async function messagesOf({ id }: Pick<TestWebhook, "id">, query = ""): Promise<MessageShown[]> {
  return (await admin("GET", `/v1/admin/webhooks/${id}/messages${query}`)).body.items as MessageShown[];
}

export interface AttemptShown {
  message_id: string;
  outcome: string;
  status_code: number | null;
  duration_ms: number;
  error: string | null;
  response: string | null;
  body_sha256: string | null;
}

/** Attempts, oldest first. */
export async function attemptsOf({ id }: Pick<TestWebhook, "id">, query = ""): Promise<AttemptShown[]> {
  return ((await admin("GET", `/v1/admin/webhooks/${id}/attempts${query}`)).body.items as AttemptShown[]).reverse();
}

/** A webhook as the API shows it. */
export async function shown({ id }: Pick<TestWebhook, "id">): Promise<Record<string, unknown>> {
  return (await admin("GET", `/v1/admin/webhooks/${id}`)).body;
}

/** Puts a test message on the way. Returns its id. */
export async function sendTestTo({ id }: Pick<TestWebhook, "id">): Promise<string> {
  const answer = await admin("POST", `/v1/admin/webhooks/${id}/test`);
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  return String(answer.body.message_id);
}
