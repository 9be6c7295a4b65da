import { uuidv7 } from "uuidv7";
import { PLAYS_PER_MESSAGE } from "./limits.ts";

/** What webhooks may subscribe to. */
export const EVENT_TYPES = ["incident.opened", "incident.resolved", "device.paired", "playback.logged"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What an administrator sends to one webhook to see whether it arrives. */
export const TEST_EVENT_TYPE = "webhook.test";

/** Something that happened, to be told to whoever subscribes to it. */
export interface WebhookEvent {
  type: Exclude<EventType, "playback.logged">;
  /** As the receiver sees it: the API's field names, times in RFC 3339. */
  data: Record<string, unknown>;
  /** When it happened, ms since 1970. */
  at: number;
  /**
   * What it happened to, as the transaction leaves it: SQL that selects one JSON object as `value`, which the receiver finds in the data
   * under `name`. Where it finds no row nothing is told: for what a statement ahead of it may not have done.
   */
  subject?: { name: string; query: string; values: (string | number | null)[] };
}

/**
 * The statements that tell of an event. They belong into the `batch()` of what caused it, behind that: so it is told if, and only if, it
 * happened. One row is written, for whichever active webhooks subscribe then; none where nobody does.
 */
export function eventStatements(db: D1Database, { type, data, at, subject }: WebhookEvent): D1PreparedStatement[] {
  const insert = "INSERT INTO webhook_outbox (id, type, created_at, data_json, webhook_ids_json)";
  const event = [newMessageId(), type, at, JSON.stringify(data)];
  if (!subject) {
    return [
      db
        .prepare(`${insert} SELECT ?, ?, ?, ?, json_group_array(w.id) FROM webhooks w WHERE ${SUBSCRIBED} HAVING count(*) > 0`)
        .bind(...event, type),
    ];
  }
  return [
    db
      .prepare(
        `${insert} SELECT ?, ?, ?, json_set(?, ?, json(s.value)), json_group_array(w.id)
         FROM (SELECT value FROM (${subject.query}) LIMIT 1) s JOIN webhooks w WHERE ${SUBSCRIBED} HAVING count(*) > 0`,
      )
      .bind(...event, `$.${subject.name}`, ...subject.values, type),
  ];
}

/** As {@link eventStatements}, for many events of one type that happened at once: one statement, however many. */
export function manyEventsStatements(
  db: D1Database,
  type: WebhookEvent["type"],
  all: Record<string, unknown>[],
  at: number,
): D1PreparedStatement[] {
  if (all.length === 0) return [];
  const events = all.map((data) => [newMessageId(), JSON.stringify(data)]);
  return [
    db
      .prepare(
        `INSERT INTO webhook_outbox (id, type, created_at, data_json, webhook_ids_json)
         SELECT j.value ->> 0, ?1, ?2, j.value ->> 1, s.ids
         FROM (SELECT json_group_array(w.id) AS ids FROM webhooks w WHERE ${SUBSCRIBED.replace("?", "?1")} HAVING count(*) > 0) s
           CROSS JOIN json_each(?3) j`,
      )
      .bind(type, at, JSON.stringify(events)),
  ];
}

/**
 * The statement that tells of a segment's plays, for the `batch()` that records them. One row whoever subscribes, and none where
 * nobody does; the plays themselves are read from the segment when they are sent.
 */
export function playsLoggedStatements(db: D1Database, segment: { id: string; plays: number } | null, at: number): D1PreparedStatement[] {
  if (!segment || segment.plays === 0) return [];
  const type: EventType = "playback.logged";
  return [
    db
      .prepare(
        `INSERT INTO webhook_outbox (id, type, created_at, segment_id, plays_count, webhook_ids_json)
         SELECT ?, ?, ?, ?, ?, json_group_array(w.id) FROM webhooks w WHERE ${SUBSCRIBED} HAVING count(*) > 0`,
      )
      .bind(`${MESSAGE_ID_PREFIX}${segment.id}`, type, at, segment.id, segment.plays, type),
  ];
}

const SUBSCRIBED = "w.status = 'active' AND EXISTS (SELECT 1 FROM json_each(w.events_json) e WHERE e.value = ?)";

const MESSAGE_ID_PREFIX = "msg_";

/** A message's id: what comes behind the prefix is a UUID v7, so that ids grow with time. */
export function newMessageId(): string {
  return `${MESSAGE_ID_PREFIX}${uuidv7()}`;
}

/** The least id that a message of this instant (ms) can have. */
export function firstMessageId(at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, "0");
  return `${MESSAGE_ID_PREFIX}${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/**
 * A common table of a segment's parts in SQL: `parts(part)`, from 1 on. The id of the message with a part is
 * {@link partIdSql}: the segment and the part name the plays in it for good.
 */
export const PARTS_SQL = "parts(part) AS (SELECT 1 UNION ALL SELECT part + 1 FROM parts WHERE part < 2000)";

/** How many parts a segment with so many plays makes, as an SQL expression of their number. */
export function partCountSql(plays: string): string {
  return `((${plays} + ${PLAYS_PER_MESSAGE - 1}) / ${PLAYS_PER_MESSAGE})`;
}

/** The id of the message with a part of a segment, as an SQL expression. */
export function partIdSql(segmentId: string): string {
  return `'${MESSAGE_ID_PREFIX}' || ${segmentId} || printf('_%03d', part)`;
}
