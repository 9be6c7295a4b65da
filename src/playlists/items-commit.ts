import { auditStatement } from "../audit/audit.ts";
import { CHANGE_ATTEMPTS, type Change, findRow, refuseFields } from "../audit/changes.ts";
import { touchStatements } from "../plans/touch.ts";
import { Problem } from "../platform/errors.ts";
import { requireMatch } from "../platform/etag.ts";
import { findFirstAnswer, type IdempotentRequest, rememberStatements } from "../platform/idempotency.ts";
import { type Requirement, refuseWhereStatement, requireAll, requirementStatements } from "../platform/requirement.ts";
import { requireUnused, type UseQuery, unusedStatements } from "../platform/uses.ts";
import { equalItems, type Item, type ItemsChange } from "./items.ts";
import { plainItem, readItems, type ShownItem } from "./items-read.ts";
import { playlistResource } from "./playlists.ts";
import { usesOfPlaylist } from "./usage.ts";

const REFUSAL = "The playlist cannot be emptied";

/** A change of a playlist's items, as a request asks for it. */
export interface ItemsRequest {
  playlistId: string;
  change: ItemsChange;
  /** What the audit log calls it, as `playlist.items.add`. */
  action: string;
  /** JSON pointer of the item at a place of the new list, where the body names it. */
  pointer(at: number): string;
  ifMatch: string | undefined;
  /** The request's key, and the answer that is kept under it. */
  idempotency?: { request: IdempotentRequest; answer(items: ShownItem[]): unknown } | null;
}

/** The items as they are now, and the playlist's version, which is their ETag. */
export interface ItemsResult {
  items: ShownItem[];
  version: number;
  /** The answer that the same request got before, under its `Idempotency-Key`. */
  replayed: string | null;
}

/**
 * Changes a playlist's items with one audit row, the playlist's new version and the marks on the plans it touches, in one
 * transaction. What changes nothing writes nothing. Without `If-Match`, changes at the same time are made one after the other.
 * @throws Problem `not-found`, `precondition-failed`, `validation-error`, or `conflict` (`IN_USE` for emptying what is played).
 */
export async function changeItems(change: Change, request: ItemsRequest): Promise<ItemsResult> {
  const { db, now } = change;
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
    const first = request.idempotency && (await findFirstAnswer(db, request.idempotency.request, now));
    const playlist = await findRow(db, playlistResource, request.playlistId);
    const version = Number(playlist.version);
    if (first) return { items: [], version, replayed: first.body };
    requireMatch(request.ifMatch, version);
    const shown = await readItems(db, request.playlistId);
    const before = shown.map(plainItem);
    const after = outcomeOf(request.change, before);
    if (equalItems(before, after)) return { items: shown, version, replayed: null };
    const rules = {
      requirements: itemRequirements(after, before, request.pointer),
      uses: emptyingUses(request.playlistId, before, after, now),
    };
    const allowed = async () => {
      await requireAll(db, rules.requirements);
      await requireUnused(db, rules.uses, REFUSAL);
    };
    await allowed();
    const items = await presentItems(db, request.playlistId, after);
    try {
      await db.batch(commitStatements(change, request, { before, after, version, items, ...rules }));
      return { items, version: version + 1, replayed: null };
    } catch (error) {
      const current = await findRow(db, playlistResource, request.playlistId);
      const settled = request.idempotency && (await findFirstAnswer(db, request.idempotency.request, now));
      if (Number(current.version) === version && !settled) {
        await allowed();
        throw error;
      }
    }
  }
  throw new Problem("conflict", "Others change it all the time; try again.", { code: "CHANGED_MEANWHILE" });
}

function outcomeOf(change: ItemsChange, before: readonly Item[]): Item[] {
  const outcome = change(before);
  if (outcome.ok) return outcome.items;
  if ("missing" in outcome) throw new Problem("not-found", "This playlist has no item with this id.");
  refuseFields(outcome.errors);
  return [];
}

interface Commit {
  before: Item[];
  after: Item[];
  version: number;
  items: ShownItem[];
  requirements: Requirement[];
  uses: UseQuery[];
}

function commitStatements({ db, actor, now }: Change, request: ItemsRequest, commit: Commit): D1PreparedStatement[] {
  const { playlistId, action, idempotency } = request;
  const { before, after, version } = commit;
  const details = { before: { items: before }, after: { items: after } };
  const answer = idempotency && { status: 201, body: JSON.stringify(idempotency.answer(commit.items)) };
  return [
    ...(idempotency && answer ? rememberStatements(db, idempotency.request, answer, now) : []),
    refuseWhereStatement(db, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM playlists WHERE id = ? AND version = ?)", [playlistId, version]),
    ...requirementStatements(db, commit.requirements),
    ...unusedStatements(db, commit.uses),
    db.prepare("DELETE FROM playlist_items WHERE playlist_id = ?").bind(playlistId),
    db
      .prepare(
        `INSERT INTO playlist_items (id, playlist_id, content_version_id, order_index, weight, duration_ms)
         SELECT value ->> 'id', ?1, value ->> 'content_version_id', key, value ->> 'weight', value ->> 'duration_ms' FROM json_each(?2)`,
      )
      .bind(playlistId, JSON.stringify(after)),
    db.prepare("UPDATE playlists SET version = version + 1, updated_at = ? WHERE id = ?").bind(now, playlistId),
    ...touchStatements(db, [{ kind: "playlist", playlistId }]),
    auditStatement(db, { actor, action, targetType: "playlist", targetId: playlistId, details }, now),
  ];
}

/** Rules of the items that are new or changed: the version is there, its content is not archived, the duration fits. */
function itemRequirements(after: readonly Item[], before: readonly Item[], pointer: (at: number) => string): Requirement[] {
  const known = new Map(before.map((item) => [item.id, item]));
  const asked = after.flatMap((item, at) => (equalItems([item], [known.get(item.id) ?? { ...item, id: "" }]) ? [] : [{ ...item, at }]));
  if (asked.length === 0) return [];
  const values = [JSON.stringify(asked)];
  const from = `FROM json_each(?) e LEFT JOIN content_versions v ON v.id = e.value ->> 'content_version_id' LEFT JOIN content c ON c.id = v.content_id`;
  const field = (name: string) => (at: string | number | null) => `${pointer(Number(at))}/${name}`;
  return [
    {
      breaches: `SELECT e.value ->> 'at' AS at ${from} WHERE v.id IS NULL`,
      values,
      pointer: field("content_version_id"),
      detail: "There is no content version with this id.",
      code: "REFERENCE_NOT_FOUND",
    },
    {
      breaches: `SELECT e.value ->> 'at' AS at ${from} WHERE c.archived_at IS NOT NULL`,
      values,
      pointer: field("content_version_id"),
      detail: "This version's content is archived; restore it first, or name another.",
      code: "CONTENT_ARCHIVED",
    },
    {
      breaches: `SELECT e.value ->> 'at' AS at ${from} WHERE c.type = 'video' AND v.duration_ms <> e.value ->> 'duration_ms'`,
      values,
      pointer: field("duration_ms"),
      detail: "A video plays for its own length; leave it out. Only images and pages are given one.",
      code: "DURATION_OF_VIDEO",
    },
  ];
}

function emptyingUses(playlistId: string, before: readonly Item[], after: readonly Item[], now: number): UseQuery[] {
  return before.length > 0 && after.length === 0 ? usesOfPlaylist(playlistId, now) : [];
}

/** The items as they will be shown, once they are written. */
async function presentItems(db: D1Database, playlistId: string, items: readonly Item[]): Promise<ShownItem[]> {
  const { results } = await db
    .prepare(
      `SELECT v.id, v.content_id, c.name FROM content_versions v JOIN content c ON c.id = v.content_id
       WHERE v.id IN (SELECT value ->> 'content_version_id' FROM json_each(?))`,
    )
    .bind(JSON.stringify(items))
    .all<{ id: string; content_id: string; name: string }>();
  const versions = new Map(results.map((version) => [version.id, version]));
  return items.map(({ id, content_version_id, weight, duration_ms }, order_index) => {
    const { content_id = "", name = "" } = versions.get(content_version_id) ?? {};
    return { id, playlist_id: playlistId, content_version_id, content_id, content_name: name, order_index, weight, duration_ms };
  });
}
