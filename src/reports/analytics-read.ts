import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { ViewerScope } from "../auth/principal.ts";
import { scopeTerms } from "../auth/principal.ts";
import { ofVisibleContent } from "../campaigns/visible.ts";
import { content } from "../content/tables.ts";
import { devices } from "../devices/tables.ts";
import { deviceVisible } from "../devices/visible.ts";
import { Problem } from "../platform/errors.ts";
import { HOUR_MS, toIso } from "../platform/time.ts";
import { type Distinct, Sketch } from "../telemetry/sketch.ts";
import type { FeedEvent } from "../telemetry/sums.ts";
import { daysJson } from "./reading.ts";

// What analytics read: the aggregates of telemetry, and its feed. No play and no bill is in them.

/** The kinds of viewers that analytics of contents can be narrowed for. */
export const contentVisible = ofVisibleContent(content.id);

/** The titles of contents that there are and that a viewer may see, by id. */
export async function titlesOf(db: D1Database, ids: Iterable<string>, scope: ViewerScope | null): Promise<Map<string, string>> {
  const wanted = sql`${content.id} IN (SELECT value FROM json_each(${JSON.stringify([...new Set(ids)])}))`;
  const rows = await drizzle(db)
    .select({ id: content.id, name: content.name })
    .from(content)
    .where(all([wanted, ...scopeTerms(scope, contentVisible)]));
  return new Map(rows.map(({ id, name }) => [id, name]));
}

function all(terms: SQL[]): SQL {
  return sql.join(terms, sql` AND `);
}

const FIGURES = ["starts_count", "completed_count", "played_ms"] as const;
type Figures = Record<(typeof FIGURES)[number], number>;

/** Figures as they are shown: times in seconds. */
export interface ShownFigures {
  starts_count: number;
  completed_count: number;
  played_seconds: number;
}

function shown({ starts_count, completed_count, played_ms }: Figures): ShownFigures {
  return { starts_count, completed_count, played_seconds: played_ms / 1000 };
}

export interface ContentDay extends ShownFigures {
  day: string;
  unique_sessions: Distinct;
  unique_devices: Distinct;
}

export interface ContentAnalytics extends Omit<ContentDay, "day"> {
  days: ContentDay[];
}

type DayRow = Figures & { day: string; sessions: string; devices: string };

/** A content's days of a range, both ends included, and the whole of it. Days without telemetry are left out. */
export async function readContent(db: D1Database, contentId: string, range: { from: string; to: string }): Promise<ContentAnalytics> {
  const { results } = await db
    .prepare(
      `SELECT t.day, ${FIGURES.map((figure) => `t.${figure}`).join(", ")}, t.sessions, t.devices
       FROM json_each(?1) d CROSS JOIN telemetry_daily t ON t.day = d.value AND t.content_id = ?2 ORDER BY t.day`,
    )
    .bind(daysJson(range), contentId)
    .all<DayRow>();
  const [sessions, players] = [new Sketch(), new Sketch()];
  const total: Figures = { starts_count: 0, completed_count: 0, played_ms: 0 };
  const days = results.map((row): ContentDay => {
    const [own, ownPlayers] = [Sketch.parse(row.sessions), Sketch.parse(row.devices)];
    sessions.merge(own);
    players.merge(ownPlayers);
    for (const figure of FIGURES) total[figure] += row[figure];
    return { day: row.day, ...shown(row), unique_sessions: own.distinct(), unique_devices: ownPlayers.distinct() };
  });
  return { ...shown(total), unique_sessions: sessions.distinct(), unique_devices: players.distinct(), days };
}

export interface TopContent extends ShownFigures {
  content_id: string;
  title: string;
}

/** The contents that were started most since the hour of an instant (ms), of those that a viewer may see. */
export async function readTopContent(db: D1Database, since: number, count: number, scope: ViewerScope | null): Promise<TopContent[]> {
  const hour = Math.floor(since / HOUR_MS) * HOUR_MS;
  const sums = sql.join(
    FIGURES.map((figure) => sql`sum(${sql.raw(`t.${figure}`)}) AS ${sql.raw(figure)}`),
    sql`, `,
  );
  const terms = [sql`t.hour >= ${hour}`, ...scopeTerms(scope, contentVisible)];
  const rows = await drizzle(db).all<Figures & { content_id: string; title: string }>(
    sql`SELECT t.content_id, ${content.name} AS title, ${sums} FROM telemetry_hourly t JOIN ${content} ON ${content.id} = t.content_id
        WHERE ${all(terms)} GROUP BY t.content_id ORDER BY starts_count DESC, played_ms DESC, t.content_id LIMIT ${count}`,
  );
  return rows.map(({ content_id, title, ...figures }) => ({ content_id, title, ...shown(figures) }));
}

export interface DeviceAnalytics {
  device_id: string;
  plays_count: number;
  completed_count: number;
  played_seconds: number;
  distinct_contents: Distinct;
  last_activity_at: string | null;
}

/**
 * What a device, or a reporter's player, told in a range of days.
 * @throws Problem `not-found` where there is no such one that the viewer may see.
 */
export async function readDevice(
  db: D1Database,
  deviceId: string,
  range: { from: string; to: string },
  scope: ViewerScope | null,
): Promise<DeviceAnalytics> {
  if (!(await isKnown(db, deviceId, scope))) throw new Problem("not-found", `There is no device ${deviceId}.`);
  const { results } = await db
    .prepare(
      `SELECT t.starts_count, t.completed_count, t.played_ms, t.last_activity_at, t.contents
       FROM json_each(?1) d CROSS JOIN telemetry_devices_daily t ON t.day = d.value AND t.device_id = ?2`,
    )
    .bind(daysJson(range), deviceId)
    .all<Figures & { last_activity_at: number; contents: string }>();
  const contents = new Sketch();
  for (const row of results) contents.merge(Sketch.parse(row.contents));
  const sum = (of: (row: (typeof results)[number]) => number) => results.reduce((total, row) => total + of(row), 0);
  return {
    device_id: deviceId,
    plays_count: sum((row) => row.starts_count),
    completed_count: sum((row) => row.completed_count),
    played_seconds: sum((row) => row.played_ms) / 1000,
    distinct_contents: contents.distinct(),
    last_activity_at: results.length === 0 ? null : toIso(Math.max(...results.map((row) => row.last_activity_at))),
  };
}

/** A scoped viewer sees devices alone: reporters' players stand in no store. */
async function isKnown(db: D1Database, deviceId: string, scope: ViewerScope | null): Promise<boolean> {
  const found = await drizzle(db)
    .select({ id: devices.id })
    .from(devices)
    .where(all([sql`${devices.id} = ${deviceId}`, ...scopeTerms(scope, deviceVisible)]));
  if (found.length > 0 || scope !== null) return found.length > 0;
  return (await db.prepare("SELECT 1 FROM telemetry_players WHERE player_id = ?").bind(deviceId).first()) !== null;
}

/** An event of the feed as it is shown. */
export interface ShownEvent {
  type: FeedEvent["type"];
  content_id: string;
  title: string | null;
  device_id: string | null;
  at: string;
  received_at: string;
  position_seconds: number | null;
}

/** A commit's events. The id grows with each commit. */
export interface FeedCommit {
  id: number;
  events: ShownEvent[];
}

type FeedRow = { id: number; events_json: string };

/** The newest events that a viewer may see, newest first. Of a commit with very many only the newest are in the feed. */
export async function readRecent(db: D1Database, count: number, scope: ViewerScope | null): Promise<ShownEvent[]> {
  const terms = scopeTerms(scope, contentVisible).map(
    (term) => sql`e.value ->> 'content_id' IN (SELECT ${content.id} FROM ${content} WHERE ${term})`,
  );
  const where = terms.length === 0 ? sql`` : sql`WHERE ${all(terms)}`;
  const rows = await drizzle(db).all<{ event: string }>(
    sql`SELECT e.value AS event FROM telemetry_commits t, json_each(t.events_json) e ${where} ORDER BY t.id DESC, e.key DESC LIMIT ${count}`,
  );
  const events = rows.map(({ event }) => JSON.parse(event) as FeedEvent);
  const titles = await titlesOf(
    db,
    events.map(({ content_id }) => content_id),
    scope,
  );
  return events.map((event) => showEvent(event, titles));
}

/** What came behind a commit, oldest first, some commits at once. */
export async function readFeedAfter(db: D1Database, id: number, most: number, scope: ViewerScope | null): Promise<FeedCommit[]> {
  const { results } = await db
    .prepare("SELECT id, events_json FROM telemetry_commits WHERE id > ? ORDER BY id LIMIT ?")
    .bind(id, most)
    .all<FeedRow>();
  return await showCommits(db, results, scope);
}

/** The newest commit there is; 0 where there is none. */
export async function newestCommit(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT max(id) AS id FROM telemetry_commits").first<{ id: number | null }>())?.id ?? 0;
}

/** Whoever is scoped sees the events of contents that it may see, and no others. */
async function showCommits(db: D1Database, rows: FeedRow[], scope: ViewerScope | null): Promise<FeedCommit[]> {
  const commits = rows.map(({ id, events_json }) => ({ id, events: JSON.parse(events_json) as FeedEvent[] }));
  const ids = commits.flatMap(({ events }) => events.map(({ content_id }) => content_id));
  const titles = ids.length === 0 ? new Map<string, string>() : await titlesOf(db, ids, scope);
  return commits.map(({ id, events }) => ({
    id,
    events: events.filter(({ content_id }) => scope === null || titles.has(content_id)).map((event) => showEvent(event, titles)),
  }));
}

function showEvent(event: FeedEvent, titles: Map<string, string>): ShownEvent {
  return {
    type: event.type,
    content_id: event.content_id,
    title: titles.get(event.content_id) ?? null,
    device_id: event.device_id || null,
    at: toIso(event.at) ?? "",
    received_at: toIso(event.received_at) ?? "",
    position_seconds: event.position_ms === null ? null : event.position_ms / 1000,
  };
}
