import type { Answer, Item } from "../../api/client.ts";
import { State, type StateValue } from "../../parts/state.tsx";

type Webhook = Item<"GET /v1/admin/webhooks">;
export type EventType = Answer<"GET /v1/admin/webhooks/{id}">["events"][number];
type Attempt = Item<"GET /v1/admin/webhooks/{id}/attempts">;
type Message = Item<"GET /v1/admin/webhooks/{id}/messages">;

export const EVENT_TYPES: EventType[] = ["incident.opened", "incident.resolved", "device.paired", "playback.logged"];

export const EVENT_WORDS: Record<Message["type"], string> = {
  "incident.opened": "Incident opened",
  "incident.resolved": "Incident resolved",
  "device.paired": "Device paired",
  "playback.logged": "Plays recorded",
  "webhook.test": "Test",
};

/** What each event is told for. */
export const EVENT_HELP: Record<EventType, string> = {
  "incident.opened": "Something is wrong with a device or the pipeline.",
  "incident.resolved": "It is well again, by itself or by hand.",
  "device.paired": "A device came in, or took another's place.",
  "playback.logged": "Accepted plays, 500 to a message, as they are recorded.",
};

export const MESSAGE_STATES: Record<Message["status"], [StateValue, string]> = {
  pending: ["warn", "Under way"],
  delivered: ["ok", "Delivered"],
  failed: ["bad", "Given up"],
};

/** How an attempt ended, in words. */
export const OUTCOME_WORDS: Record<Attempt["outcome"], string> = {
  delivered: "Delivered",
  refused: "Refused by the receiver",
  gone: "Receiver says it is gone",
  redirect: "Led elsewhere, which is not followed",
  timeout: "No answer in 15 s",
  unreachable: "Not reached",
  forbidden_target: "Address not allowed",
  unreadable: "Plays could not be read",
};

/** Whether a webhook's messages get through, in a word or two. */
export function webhookState({ status, disabled_reason, failing_since_at }: Webhook): [StateValue, string] {
  if (status === "active") return failing_since_at ? ["warn", "Failing"] : ["ok", "On"];
  if (disabled_reason === "GONE") return ["bad", "Off: receiver is gone"];
  return disabled_reason === "FAILURES" ? ["bad", "Off: nothing got through"] : ["unknown", "Off"];
}

export function WebhookState({ webhook }: { webhook: Webhook }) {
  const [value, words] = webhookState(webhook);
  return <State value={value}>{words}</State>;
}
