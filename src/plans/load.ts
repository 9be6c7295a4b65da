import { FROM_TAKEOVERS_OF_DEVICE } from "../takeovers/reach.ts";
import type { PlanInput, PlanPlaylist, PlanPlaylistItem, PlanTakeover, PlanVersion, ScheduleRules } from "./input.ts";

/** Schedules of a device (?1) and its group. */
const OWN = `(s.target_type = 'DEVICE' AND s.target_id = ?1)
  OR (s.target_type = 'GROUP' AND s.target_id = (SELECT group_id FROM devices WHERE id = ?1))`;
/**
 * SQL that selects the playlists of a device (?1): those that its schedules and its group's name, the default of its group,
 * and those of takeovers that reach it.
 */
export const PLAYLISTS_OF_DEVICE = `SELECT s.playlist_id FROM schedules s WHERE (${OWN}) AND s.archived_at IS NULL
  UNION SELECT g.default_playlist_id FROM devices d JOIN device_groups g ON g.id = d.group_id WHERE d.id = ?1
  UNION SELECT t.playlist_id ${FROM_TAKEOVERS_OF_DEVICE}`;
/** SQL that selects the versions that takeovers show to a device (?1) without a playlist. */
export const TAKEOVER_VERSIONS_OF_DEVICE = `SELECT t.content_version_id ${FROM_TAKEOVERS_OF_DEVICE}`;

interface DeviceRow {
  store_id: string | null;
  timezone: string | null;
  default_playlist_id: string | null;
  revision: number;
}

interface ScheduleRow {
  id: string;
  name: string;
  playlist_id: string;
  timezone: string;
  rules_json: string;
  archived_at: number | null;
}

interface TakeoverRow {
  id: string;
  started_at: number;
  ends_at: number | null;
  playlist_id: string | null;
  content_version_id: string | null;
}

export interface LoadedInput {
  input: PlanInput;
  /** Of `plan_inputs`, as it was with these inputs: see `touchStatements`. */
  revision: number;
}

/**
 * All that a device's plan is made of, as D1 has it at one moment: one transaction. Null: there is no such device.
 * @param archived whether to read archived schedules too: they are no part of a plan, but people ask why they don't play.
 */
export async function loadPlanInput(db: D1Database, deviceId: string, archived = false): Promise<LoadedInput | null> {
  const of = (sql: string) => db.prepare(sql).bind(deviceId);
  const [devices, schedules, playlists, items, versions, takeovers] = await db.batch([
    of(`SELECT d.store_id, s.timezone, g.default_playlist_id, (SELECT revision FROM plan_inputs) AS revision
        FROM devices d LEFT JOIN stores s ON s.id = d.store_id LEFT JOIN device_groups g ON g.id = d.group_id WHERE d.id = ?1`),
    of(`SELECT s.id, s.name, s.playlist_id, s.timezone, s.rules_json, s.archived_at FROM schedules s
        WHERE (${OWN}) ${archived ? "" : "AND s.archived_at IS NULL"} ORDER BY s.id`),
    of(`SELECT id, campaign_id, ad_group_id FROM playlists WHERE id IN (${PLAYLISTS_OF_DEVICE})`),
    of(
      `SELECT id, playlist_id, content_version_id, order_index, weight, duration_ms FROM playlist_items WHERE playlist_id IN (${PLAYLISTS_OF_DEVICE})`,
    ),
    of(`SELECT v.id, v.content_id, c.type, v.sha256, v.url, v.bytes, v.duration_ms FROM content_versions v JOIN content c ON c.id = v.content_id
        WHERE v.id IN (SELECT content_version_id FROM playlist_items WHERE playlist_id IN (${PLAYLISTS_OF_DEVICE})
          UNION ${TAKEOVER_VERSIONS_OF_DEVICE})`),
    of(`SELECT t.id, t.started_at, t.ends_at, t.playlist_id, t.content_version_id ${FROM_TAKEOVERS_OF_DEVICE} ORDER BY t.id`),
  ]);
  const device = devices?.results[0] as DeviceRow | undefined;
  if (!device) return null;
  const itemsOf = Map.groupBy((items?.results ?? []) as (PlanPlaylistItem & { playlist_id: string })[], ({ playlist_id }) => playlist_id);
  const input: PlanInput = {
    device_id: deviceId,
    store: device.store_id !== null && device.timezone !== null ? { id: device.store_id, timezone: device.timezone } : null,
    default_playlist_id: device.default_playlist_id,
    schedules: ((schedules?.results ?? []) as unknown as ScheduleRow[]).map(({ rules_json, archived_at, ...schedule }) => ({
      ...schedule,
      rules: JSON.parse(rules_json) as ScheduleRules,
      archived: archived_at !== null,
    })),
    playlists: ((playlists?.results ?? []) as Omit<PlanPlaylist, "items">[]).map((list) => ({
      ...list,
      items: itemsOf.get(list.id) ?? [],
    })),
    versions: ((versions?.results ?? []) as PlanVersion[]).map((version) => ({
      ...version,
      url: version.url ?? downloadPath(version.sha256),
    })),
    takeovers: ((takeovers?.results ?? []) as unknown as TakeoverRow[]).map((takeover) => takeoverOf(takeover, itemsOf)),
  };
  return { input, revision: device.revision };
}

/** One version is a playlist of one item, that plays over and over. */
function takeoverOf(row: TakeoverRow, itemsOf: ReadonlyMap<string, PlanPlaylistItem[]>): PlanTakeover {
  const { id, started_at: from, ends_at: to, playlist_id, content_version_id } = row;
  const single = content_version_id === null ? [] : [{ id, content_version_id, order_index: 0, weight: 1, duration_ms: null }];
  return { id, from, to, items: playlist_id === null ? single : (itemsOf.get(playlist_id) ?? []) };
}

/** Where a device gets a file that is kept here. */
function downloadPath(sha256: string): string {
  return `/v1/device/content/${sha256}`;
}
