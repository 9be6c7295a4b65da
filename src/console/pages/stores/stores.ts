import { call, type Item } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { archiveOrRestore } from "../../parts/archive.tsx";
import { clock } from "../../parts/format.ts";
import type { StateValue } from "../../parts/state.tsx";
import { DAY_MINUTES, rangeOf, WEEKDAYS } from "../../parts/week.ts";

export type Store = Item<"GET /v1/admin/stores">;
export type Device = Item<"GET /v1/admin/devices">;
export type Hours = Store["operating_hours"];

/** How a device is, in a word. Revoked ones are no part of the network. */
export function deviceState(device: Device): { value: StateValue; word: string } {
  if (device.status === "revoked") return { value: "unknown", word: "Revoked" };
  if (device.status === "unpaired") return { value: "unknown", word: "Unpaired" };
  if (device.offline_at !== null) return { value: "bad", word: "Offline" };
  return device.last_seen_at === null ? { value: "unknown", word: "Not seen yet" } : { value: "ok", word: "Online" };
}

/** How the devices of a place are, all together. */
export interface Health {
  devices: number;
  online: number;
  offline: number;
  value: StateValue;
  words: string;
}

/** Devices' states summed: the worst colours it, and the words say how many. Pure. */
export function healthOf(devices: readonly Device[]): Health {
  const live = devices.filter(({ status }) => status !== "revoked");
  const states = live.map((device) => deviceState(device).value);
  const online = states.filter((value) => value === "ok").length;
  const offline = states.filter((value) => value === "bad").length;
  if (live.length === 0) return { devices: 0, online, offline, value: "unknown", words: "No devices" };
  const value: StateValue = offline === live.length ? "bad" : offline > 0 ? "warn" : online > 0 ? "ok" : "unknown";
  const words = offline > 0 ? `${offline} of ${live.length} offline` : online > 0 ? `${online} of ${live.length} online` : "Not seen yet";
  return { devices: live.length, online, offline, value, words };
}

/** Devices by their store. */
export function byStore(devices: readonly Device[]): Map<string, Device[]> {
  const found = new Map<string, Device[]>();
  for (const device of devices) {
    if (device.store_id === null) continue;
    const list = found.get(device.store_id);
    if (list) list.push(device);
    else found.set(device.store_id, [device]);
  }
  return found;
}

/** What a store's own clock shows. */
export interface LocalTime {
  /** `YYYY-MM-DD` */
  date: string;
  weekday: number;
  minute: number;
}

export function localTime(at: number, zone: string): LocalTime {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "0";
  const date = `${part("year")}-${part("month")}-${part("day")}`;
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return { date, weekday, minute: Number(part("hour")) * 60 + Number(part("minute")) };
}

/** Whether a store is open by its own clock, and until or from when today. Pure but for the zone's rules. */
export function openness(hours: Hours, zone: string, at: number): { open: boolean; words: string } {
  if (!hours) return { open: true, words: "Hours not given" };
  const { date, weekday, minute } = localTime(at, zone);
  const yesterday = new Date(Date.parse(`${date}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
  const ranges = [
    ...hoursOn(hours, yesterday, weekday - 1).map(({ from, to }) => ({ from: from - DAY_MINUTES, to: to - DAY_MINUTES })),
    ...hoursOn(hours, date, weekday),
  ];
  const now = ranges.find(({ from, to }) => from <= minute && minute < to);
  const text = (value: number) =>
    `${String(Math.floor((value % DAY_MINUTES) / 60)).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;
  if (now) return { open: true, words: now.to - now.from >= DAY_MINUTES ? "Open all day" : `Open until ${text(now.to)}` };
  const next = ranges.filter(({ from }) => from > minute).sort((a, b) => a.from - b.from)[0];
  return { open: false, words: next ? `Closed, opens ${text(next.from)}` : "Closed today" };
}

function hoursOn(hours: NonNullable<Hours>, date: string, weekday: number) {
  const holiday = hours.holidays?.find((one) => one.date === date);
  const day = WEEKDAYS[(weekday + 7) % 7] ?? "mon";
  return (holiday?.hours ?? hours[day] ?? []).map(rangeOf);
}

/** `09:41`, by the store's clock. */
export function storeClock(zone: string, at: number): string {
  return clock(at, zone);
}

/** Archives or restores a store, and offers to take it back. */
export async function setArchived({ id, name }: Store, archived: boolean): Promise<void> {
  await archiveOrRestore(name, archived, async (to) => {
    await call("PATCH /v1/admin/stores/{id}", { path: { id }, body: { archived: to } });
    await readAgain("/v1/admin/stores");
  });
}
