import type { PlanInput, PlanPlaylist, PlanSchedule, PlanVersion } from "../../src/plans/input.ts";
import { type FleetShape, fleetId } from "./fleet.ts";
import type { BenchKey } from "./keys.ts";
import { type NetworkRows, networkRows } from "./seed.ts";

/** The network whose plans are measured: what a large customer has. */
export const PLAN_NETWORK = { devices: 5000, stores: 50, contents: 40, campaigns: 5, groups: 50, schedules: 200 } satisfies FleetShape & {
  groups: number;
  schedules: number;
};
const ITEMS = 8;
const ZONES = ["Europe/Berlin", "America/New_York", "Asia/Ho_Chi_Minh", "Australia/Lord_Howe"];

/** A schedule and its playlist, for a group by its number. */
export interface GroupSchedule {
  schedule: PlanSchedule;
  playlist: PlanPlaylist;
  group: number;
}

export const VERSIONS: PlanVersion[] = Array.from({ length: PLAN_NETWORK.contents }, (_, index) => ({
  id: fleetId("version", index),
  content_id: fleetId("content", index),
  type: "video",
  sha256: index.toString(16).padStart(64, "0"),
  url: `/v1/device/content/${index}`,
  bytes: 5_000_000,
  duration_ms: 15_000,
}));

/** As each group has four of: a base, two campaigns in their dayparts, a share of voice on top of one. */
export const GROUP_SCHEDULES: GroupSchedule[] = Array.from({ length: PLAN_NETWORK.schedules }, (_, index) => {
  const id = fleetId("playlist", index);
  const nth = Math.floor(index / PLAN_NETWORK.groups);
  const from = `${String(7 + ((index * 5) % 9)).padStart(2, "0")}:${index % 2 ? "30" : "00"}`;
  const playlist = {
    id,
    campaign_id: nth ? fleetId("campaign", index % PLAN_NETWORK.campaigns) : null,
    ad_group_id: null,
    items: Array.from({ length: ITEMS }, (_, item) => ({
      id: fleetId("item", index * ITEMS + item),
      content_version_id: fleetId("version", (index * 3 + item) % PLAN_NETWORK.contents),
      order_index: item,
      weight: 1 + (item % 3),
      duration_ms: null,
    })),
  };
  const schedule: PlanSchedule = {
    id: fleetId("schedule", index),
    playlist_id: id,
    timezone: index % 7 ? "store" : (ZONES[index % ZONES.length] ?? "UTC"),
    rules: {
      priority: nth === 0 ? 0 : 1 + (nth % 2),
      start_date: "2026-01-01",
      end_date: "2036-12-31",
      weight: 1 + (index % 5),
      ...(nth > 0 && {
        dayparts: [
          { days: ["mon", "tue", "wed", "thu", "fri"], from, to: "19:00" },
          { days: ["sat", "sun"], from: "10:00", to: "18:00" },
        ],
      }),
      ...(nth === 3 && { share_of_voice_s_per_hour: 600 }),
    },
  };
  return { schedule, playlist, group: index % PLAN_NETWORK.groups };
});

/** A device's inputs of these schedules, as the resolver takes them. */
export function inputOf(those: readonly GroupSchedule[]): PlanInput {
  return {
    device_id: fleetId("device", 0),
    store: { id: fleetId("store", 0), timezone: "Europe/Berlin" },
    schedules: those.map(({ schedule }) => schedule),
    playlists: those.map(({ playlist }) => playlist),
    versions: VERSIONS,
    default_playlist_id: those[0]?.playlist.id ?? null,
    takeovers: [],
  };
}

/** The same network as rows of D1: devices in turn in the groups, of each the first playlist as its default. */
export function planNetworkRows(keys: BenchKey[], now: number): NetworkRows {
  // In the order in which one cites another.
  const { device_groups: _, devices = [], device_keys = [], device_assignments = [], ...rows } = networkRows(PLAN_NETWORK, keys, now);
  const stamps = { created_at: now, updated_at: now };
  const items = GROUP_SCHEDULES.flatMap(({ playlist }) => playlist.items.map((item) => ({ ...item, playlist_id: playlist.id })));
  const groups = Array.from({ length: PLAN_NETWORK.groups }, (_, n) => ({ id: fleetId("group", n), name: `Group ${n}`, ...stamps }));
  return {
    ...rows,
    playlists: GROUP_SCHEDULES.map(({ playlist: { id, campaign_id } }, n) => ({ id, name: `Playlist ${n}`, campaign_id, ...stamps })),
    playlist_items: items,
    device_groups: groups.map((group, n) => ({ ...group, default_playlist_id: fleetId("playlist", n) })),
    devices: devices.map((device, n) => ({ ...device, group_id: fleetId("group", n % PLAN_NETWORK.groups) })),
    device_keys,
    device_assignments,
    schedules: GROUP_SCHEDULES.map(({ schedule: { id, playlist_id, timezone, rules }, group }, n) => ({
      id,
      name: `Schedule ${n}`,
      target_type: "GROUP",
      target_id: fleetId("group", group),
      playlist_id,
      timezone,
      rules_json: JSON.stringify(rules),
      ...stamps,
    })),
  };
}
