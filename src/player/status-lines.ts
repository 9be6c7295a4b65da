import type { ClientStatus } from "../sdk/index.ts";
import type { Stage } from "./stage.ts";
import type { StatusLine } from "./status.ts";
import type { Turn } from "./turns.ts";

export interface StatusFacts {
  client: ClientStatus;
  stage: Stage;
  shown: number;
  /** Ms since 1970 by the server. */
  now: number;
  contact: { reached: boolean; said: string; agoMs: number };
  lastError: string | null;
  awake: string;
  kept: string;
  volume: number;
}

/** What the status says, for whoever stands in front of a screen that does not do what it should. Pure. */
export function statusOf({ client, stage, shown, now, contact, lastError, awake, kept, volume }: StatusFacts): StatusLine[] {
  const { queue, state } = client;
  return [
    ["Device", state.kind === "running" ? state.deviceId : state.kind],
    ["Now", stage.on ? turnText(stage.on.turn) : `nothing (${stage.idle ?? "getting ready"})`],
    ["Next", stage.next ? `${turnText(stage.next.turn)}, ${stage.next.state}` : "nothing yet"],
    ["Shown since start", String(shown)],
    ["Plan", client.planEtag === null ? "none" : `${client.planEtag.slice(0, 12)}, until ${client.planValidTo ?? "?"}`],
    ["Clock", clockText(client, now)],
    ["Plays waiting", `${queue.waiting}${client.streaming ? ", by stream" : ""}`],
    ["Plays refused", `${queue.refused}, dropped ${queue.droppedFull + queue.droppedOld}`],
    ["Files", `${(client.filesBytes / 1_000_000).toFixed(2)} MB${client.ready ? "" : ", being fetched"}`],
    ["Last answer", `${contact.said}, ${Math.round(contact.agoMs / 1000)} s ago${contact.reached ? "" : " (no connection)"}`],
    ["Last error", client.lastError ?? lastError ?? "none"],
    ["Screen kept on", awake],
    ["Starts offline", kept],
    ["Volume", `${Math.round(volume * 100)} %`],
  ];
}

function turnText({ item, slot, startsAt, endsAt }: Turn): string {
  return `${item.type} ${item.sha256.slice(0, 8)}, slot ${slot.slot_id.slice(0, 24)}, ${((endsAt - startsAt) / 1000).toFixed(1)} s`;
}

function clockText({ clockOffsetMs, clockDriftPpm }: ClientStatus, now: number): string {
  const offset =
    clockOffsetMs === null ? "not compared with the server's" : `${clockOffsetMs} ms off, drift ${clockDriftPpm.toFixed(1)} ppm`;
  return `${new Date(now).toISOString()}, ${offset}`;
}
