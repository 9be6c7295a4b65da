import { post, type TestDevice } from "./device.ts";

/** Proof events as a player makes them, unsigned. Times in ms. */
export function startEvent(
  device: TestDevice,
  at: number,
  changes: Record<string, unknown> = {},
): Record<string, unknown> & { event_id: string } {
  return event(device, "PLAY_START", at, changes);
}

export function endEvent(
  device: TestDevice,
  at: number,
  changes: Record<string, unknown> = {},
): Record<string, unknown> & { event_id: string } {
  return event(device, "PLAY_END", at, { result: "COMPLETED", ...changes });
}

function event(device: TestDevice, type: string, at: number, changes: Record<string, unknown>) {
  return {
    event_id: crypto.randomUUID(),
    type,
    device_time_ts: new Date(at).toISOString(),
    campaign_id: device.campaignId,
    content_id: device.contentId,
    ...changes,
  };
}

/** What the door answers to events. */
export interface EventsAnswer {
  accepted: number;
  duplicates: number;
  rejected: number;
  errors: { index: number; event_id: string | null; code: string; error: string; retryable: boolean }[];
  epoch: string;
  expected_sequence: number;
}

/** Signs events and posts them in one request. */
export async function sendEvents(device: TestDevice, events: Record<string, unknown>[]): Promise<EventsAnswer> {
  const answer = await postEvents(device, await Promise.all(events.map((given) => device.sign(given))));
  if (answer.status !== 202) throw new Error(`events: ${answer.status} ${await answer.text()}`);
  return await answer.json<EventsAnswer>();
}

export const postEvents = (device: TestDevice, events: unknown[]) => post(device, "/v1/device/events", { events });
