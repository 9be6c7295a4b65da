import { createRoute, z } from "@hono/zod-openapi";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { dayField, idField, timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { decodeCursor, encodeCursor } from "../platform/paging.ts";
import { toIso } from "../platform/time.ts";
import { proveArchived, readArchivedPlay, segmentOfChunk } from "../plays/archive/proof.ts";
import { eventRowsKeptFrom } from "../plays/ledger/retain.ts";
import { PLAY_STATUSES, type PlayStatus } from "../plays/play.ts";
import { isAskedFor, type PlaysQuery, playsParameters, playsQuery } from "./plays-query.ts";
import { type FoundPlay, type FoundPlays, readArchivedPlays, readEventPlays } from "./plays-read.ts";
import { eventRowsDays } from "./routes.ts";
import { reportVisible, scopedFilters } from "./scope.ts";
import { hotWindowStart } from "./source.ts";

const orNull = z.string().nullable();

const playSchema = z
  .object({
    event_id: z.string(),
    device_id: z.string(),
    device_name: orNull,
    day: z.string().meta({ description: "The store's day that it counts for" }),
    timezone: orNull.meta({ description: "Of its store" }),
    started_at: timeField.meta({ description: "Corrected by the clock's offset" }),
    ended_at: timeField,
    started_at_raw: timeField.meta({ description: "As the device's clock had it" }),
    ended_at_raw: timeField,
    received_at: timeField,
    duration_ms: z.int(),
    expected_ms: z.int().nullable(),
    type: z.string(),
    result: z.enum(PLAY_STATUSES),
    billable: z.boolean(),
    quality: z.int(),
    flags: z.array(z.string()),
    door: z.string(),
    epoch: z.string(),
    sequence: z.int().nullable(),
    campaign_id: orNull.meta({ description: "null: filler" }),
    campaign_name: orNull,
    ad_group_id: orNull,
    store_id: orNull,
    store_name: orNull,
    supplier_id: orNull,
    content_id: z.string(),
    content_name: orNull,
    content_version: orNull,
    playlist_id: orNull,
    slot_id: orNull,
    record_hash: z.string(),
    key_id: orNull,
    policy_version: z.string(),
    correlation_id: z.string(),
    chunk: z.string().meta({ description: "device.incarnation.number of the chunk that it travelled in" }),
    segment_id: orNull.meta({ description: "The archive's segment, where it was read there; give it with the question for the proof." }),
  })
  .openapi("PlayOfReport");

const pageSchema = z
  .object({
    source: z.enum(["events", "archive"]).meta({
      description: "events: the database's single plays, newest first. archive: the day's Parquet files, in the order of recording.",
    }),
    items: z.array(playSchema),
    next_cursor: z.string().nullable().meta({ description: "Follow it to null: a page may hold fewer plays than asked for, even none." }),
    damaged: z
      .array(z.object({ segment_id: z.string(), problem: z.string() }))
      .meta({ description: "Segments of the archive that could not be read: their plays are missing here." }),
  })
  .openapi("PlaysOfReport");

const proofSchema = z
  .object({
    play: playSchema,
    record: z.record(z.string(), z.unknown()).nullable().meta({ description: "What the device sent, without the signature" }),
    record_text: z.string().meta({ description: "The same as JCS (RFC 8785), byte for byte what was signed, where the record itself was" }),
    record_hash: z.string().meta({ description: "SHA-256 of the record without its checksum, computed now" }),
    record_holds: z.boolean().meta({ description: "That hash is the one recorded with the play." }),
    signed_by: z.enum(["record", "batch", "nobody"]),
    signature: z.string().nullable(),
    signature_holds: z.boolean().nullable().meta({ description: "Checked now, with the device's registered key. null: there is none." }),
    batch_lines: z
      .string()
      .nullable()
      .meta({ description: "What was signed, where the batch was: the record's SHA-256 is among the lines." }),
    key: z
      .object({ kid: z.string(), jwk: z.record(z.string(), z.unknown()) })
      .nullable()
      .meta({ description: "The device's public key" }),
    archive: z.object({ segment_id: z.string(), r2_key: z.string(), sha256: z.string(), chunk: z.string(), chunk_index: z.int() }),
  })
  .openapi("PlayProof");

const reading = { ...guarded(reads(reportVisible)), tags: ["Reports"] };

const listRoute = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/plays",
  summary: "The plays behind a report's figure",
  description:
    "Single plays of one day under a report's filters. Where device_id says whose and they are still kept in the database they are read there; else in the archive of the day, part by part.",
  request: { query: playsParameters },
  responses: responses(200, "A page of plays", pageSchema),
});

const proofRoute = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/plays/{device_id}/{event_id}",
  summary: "A play's proof: the record as received, and its signature",
  description: "Read from the archive and checked anew: the record's hash, and the signature with the device's registered key.",
  request: {
    params: z.object({ device_id: idField, event_id: z.string().max(100) }),
    query: z.strictObject({ day: dayField, segment_id: idField.optional().meta({ description: "As the list of plays told it" }) }),
  },
  responses: responses(200, "The play and what proves it", proofSchema),
});

/** The plays behind a report's figures, each with its proof. */
export const playsRoutes = createRouter()
  .openapi(listRoute, async (c) => {
    const parameters = c.req.valid("query");
    const asked = playsQuery(parameters);
    const query = { ...asked, filters: await scopedFilters(c.env.DB, asked.filters, viewerScope(c)) };
    const cursor = decodeCursor(parameters.cursor);
    // A cursor goes on where it began, whatever has left the database meanwhile.
    const begun = cursor?.slice(0, cursor.indexOf(" ")) ?? (parameters.source === "archive" ? "archive" : await sourceOf(c.env, asked));
    const position = cursor === null ? null : cursor.slice(cursor.indexOf(" ") + 1);
    const source = begun === "events" && asked.filters.device_id ? "events" : "archive";
    const found: FoundPlays =
      source === "events"
        ? await readEventPlays(c.env.DB, query, parameters.limit, position)
        : await readArchivedPlays(c.env, query, parameters.limit, position);
    return c.json(
      {
        source: source as "events" | "archive",
        items: await present(c.env.DB, found.plays),
        next_cursor: found.next === null ? null : encodeCursor(`${source} ${found.next}`),
        damaged: found.damaged.map(({ segment_id, problem }) => ({ segment_id, problem })),
      },
      200,
    );
  })
  .openapi(proofRoute, async (c) => {
    const { device_id, event_id } = c.req.valid("param");
    const { day, segment_id } = c.req.valid("query");
    const filters = await scopedFilters(c.env.DB, { device_id: [device_id] }, viewerScope(c));
    const query: PlaysQuery = { day, filters, status: null, billable: null };
    const segmentId = segment_id ?? (await findSegment(c.env, query, event_id));
    const found = segmentId === null ? { status: "unknown" as const } : await readArchivedPlay(c.env, segmentId, device_id, event_id);
    if (found.status === "unreadable") {
      throw new Problem("unprocessable", "The part of the archive that holds this play cannot be read; the incident says more.", {
        code: "ARCHIVE_UNREADABLE",
      });
    }
    // Of what is not the caller's, nothing is said, not even that it is there.
    if (found.status === "unknown" || !isAskedFor(query, found.row))
      throw new Problem("not-found", `There is no play ${event_id} of that day.`);
    const { row, segment } = found;
    const proof = await proveArchived(c.env.DB, row);
    const [play] = await present(c.env.DB, [{ play: row.play, deviceId: row.deviceId, chunk: row.chunk, segmentId: segment.id }]);
    if (!play) throw new Error("a play that was found was not presented");
    return c.json(
      {
        play,
        record: parsed(row.proof.record),
        record_text: row.proof.record,
        record_hash: proof.recordHash,
        record_holds: proof.recordHolds,
        signed_by: row.proof.signedBy,
        signature: proof.signature,
        signature_holds: proof.signatureHolds,
        batch_lines: row.batch?.lines ?? null,
        key: proof.key ? { kid: proof.key.kid, jwk: { ...proof.key.jwk } } : null,
        archive: { segment_id: segment.id, r2_key: segment.r2_key, sha256: segment.sha256, chunk: row.chunk, chunk_index: row.index },
      },
      200,
    );
  });

/** The database where it knows single plays of the day by device; else the archive. */
async function sourceOf(env: Env, { day, filters }: PlaysQuery): Promise<"events" | "archive"> {
  if (!filters.device_id || env.EVENT_ROWS === "off") return "archive";
  const windowFrom = hotWindowStart(Date.now(), eventRowsDays(env));
  const keptFrom = await eventRowsKeptFrom(env.DB);
  return windowFrom !== null && day >= windowFrom && (keptFrom === null || day >= keptFrom) ? "events" : "archive";
}

/** The segment of a play that the database still knows; else by a look through the day's segments, as far as one request reads. */
async function findSegment(env: Env, query: PlaysQuery, eventId: string): Promise<string | null> {
  const [deviceId = ""] = query.filters.device_id ?? [];
  const chunk = await env.DB.prepare(
    "SELECT chunk FROM proof_of_play_events WHERE device_id = ?1 AND last_day >= ?2 AND first_day <= ?2 AND event_id = ?3 AND type <> 'PLAY_START'",
  )
    .bind(deviceId, query.day, eventId)
    .first<string>("chunk");
  const known = chunk === null ? null : await segmentOfChunk(env.DB, chunk);
  if (known !== null) return known;
  const { plays } = await readArchivedPlays(env, query, MAX_SOUGHT_PLAYS, null);
  return plays.find(({ play }) => play.event_id === eventId)?.segmentId ?? null;
}

const MAX_SOUGHT_PLAYS = 20_000;

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

type Names = Map<string, { name: string; timezone?: string }>;

/** Plays as the API shows them, with the names of what they cite. */
async function present(db: D1Database, found: FoundPlay[]): Promise<z.infer<typeof playSchema>[]> {
  const ids = (of: (one: FoundPlay) => string) => JSON.stringify([...new Set(found.map(of))].filter((id) => id !== ""));
  const named = (table: string, columns: string, list: string) =>
    db.prepare(`SELECT t.id, ${columns} FROM json_each(?) j JOIN ${table} t ON t.id = j.value`).bind(list);
  const results = await db.batch<{ id: string; name: string; timezone?: string }>([
    named(
      "devices",
      "t.external_name AS name",
      ids(({ deviceId }) => deviceId),
    ),
    named(
      "campaigns",
      "t.name",
      ids(({ play }) => play.campaign_id),
    ),
    named(
      "content",
      "t.name",
      ids(({ play }) => play.content_id),
    ),
    named(
      "stores",
      "t.name, t.timezone",
      ids(({ play }) => play.store_id),
    ),
  ]);
  const [devices, campaigns, contents, stores] = results.map((result): Names => new Map(result.results.map(({ id, ...row }) => [id, row])));
  return found.map(({ play, deviceId, chunk, segmentId }) => ({
    event_id: play.event_id,
    device_id: deviceId,
    device_name: devices?.get(deviceId)?.name ?? null,
    day: play.day,
    timezone: stores?.get(play.store_id)?.timezone ?? null,
    started_at: toIso(play.started_at),
    ended_at: toIso(play.ended_at),
    started_at_raw: toIso(play.started_at_raw),
    ended_at_raw: toIso(play.ended_at_raw),
    received_at: toIso(play.received_at),
    duration_ms: play.duration_ms,
    expected_ms: play.expected_ms,
    type: play.type,
    result: play.result as PlayStatus,
    billable: play.billable === 1,
    quality: play.quality,
    flags: play.flags.split(",").filter(Boolean),
    door: play.door,
    epoch: play.epoch,
    sequence: play.sequence,
    campaign_id: play.campaign_id || null,
    campaign_name: campaigns?.get(play.campaign_id)?.name ?? null,
    ad_group_id: play.ad_group_id || null,
    store_id: play.store_id || null,
    store_name: stores?.get(play.store_id)?.name ?? null,
    supplier_id: play.supplier_id || null,
    content_id: play.content_id,
    content_name: contents?.get(play.content_id)?.name ?? null,
    content_version: play.content_version || null,
    playlist_id: play.playlist_id || null,
    slot_id: play.slot_id || null,
    record_hash: play.record_hash,
    key_id: play.key_id || null,
    policy_version: play.policy_version,
    correlation_id: play.correlation_id,
    chunk,
    segment_id: segmentId,
  }));
}
