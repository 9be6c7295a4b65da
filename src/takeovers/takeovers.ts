import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { contains, equals, type Resource } from "../audit/resource.ts";
import { touchStatements } from "../plans/touch.ts";
import type { FieldError } from "../platform/errors.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import type { Requirement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { parseInstant } from "../platform/time.ts";
import { playableRequirements } from "../playlists/usage.ts";
import { TAKEOVER_REACHES } from "./reach.ts";
import { type TakeoverRow, takeovers } from "./tables.ts";

const TARGET_TYPES = ["ALL", "GROUP", "STORE"] as const;

export const takeoverCreateSchema = z
  .strictObject({
    name: nameField.meta({ example: "Evacuation", description: "For people: what it is about" }),
    target_type: z.enum(TARGET_TYPES).meta({ description: "The whole network, a device group, or a store" }),
    target_id: idField.nullable().optional().meta({ description: "The group's or store's id. Left out for ALL." }),
    playlist_id: idField.nullable().optional().meta({ description: "What is shown: a playlist," }),
    content_version_id: idField.nullable().optional().meta({ description: "or a single content version." }),
    ends_at: z
      .string()
      .refine((text) => parseInstant(text) !== null, "must be a date-time as of RFC 3339, with its offset")
      .nullable()
      .optional()
      .meta({ description: "When it ends by itself. Without it, it stands until it is lifted.", example: "2026-11-27T18:00:00+07:00" }),
  })
  .openapi("TakeoverCreate");

export const takeoverSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    target_type: z.enum(TARGET_TYPES),
    target_id: z.uuid().nullable().meta({ description: "null: the whole network." }),
    playlist_id: z.uuid().nullable(),
    content_version_id: z.uuid().nullable(),
    started_at: timeField,
    ends_at: timeField.nullable().meta({ description: "When it ends or ended by itself; null: it stands until it is lifted." }),
    lifted_at: timeField.nullable(),
    lifted_by: z.string().nullable(),
    created_at: timeField,
    created_by: z.string(),
    active: z.boolean().meta({ description: "Whether it is on now: neither lifted nor ended." }),
  })
  .openapi("Takeover");

export type ShownTakeover = z.infer<typeof takeoverSchema>;

/** An emergency message in place of every plan of its target, until it ends or is lifted. Nothing of it is changed but that. */
export const takeoverResource: Resource<TakeoverRow> = {
  noun: "takeover",
  plural: "takeovers",
  path: "/v1/admin/takeovers",
  table: takeovers,
  create: takeoverCreateSchema,
  change: z.strictObject({}),
  answer: takeoverSchema,
  // A message may be the whole network's: nobody whose view is narrowed sees them.
  visible: {},
  filters: {
    active: {
      schema: z.enum(["true", "false"]).optional().meta({ description: "Those that are on now, or those that are over" }),
      where: (value) =>
        sql`(${takeovers.lifted_at} IS NULL AND coalesce(${takeovers.ends_at} > ${Date.now()}, TRUE)) = ${value === "true" ? 1 : 0}`,
    },
    target_type: equals(takeovers.target_type, z.enum(TARGET_TYPES)),
    target_id: equals(takeovers.target_id, idField),
    playlist_id: equals(takeovers.playlist_id, idField),
    content_version_id: equals(takeovers.content_version_id, idField),
    device_id: {
      schema: idField.optional().meta({ description: "Those that reach this device where it stands now" }),
      where: (id) =>
        sql`${takeovers.id} IN (SELECT t.id FROM takeovers t JOIN devices td ON ${sql.raw(TAKEOVER_REACHES)} WHERE td.id = ${id})`,
    },
    q: contains(takeovers.name),
  },
  check: checkTakeover,
  requirements: (_before, takeover) => [...endRequirements(takeover), ...targetRequirements(takeover), ...messageRequirements(takeover)],
  effects: (db, _before, takeover) => touchTakeover(db, takeover),
};

/** The marks on the plans that a takeover is about, when it begins and when it is lifted. */
export function touchTakeover(db: D1Database, { target_type, target_id }: TakeoverRow): D1PreparedStatement[] {
  return touchStatements(db, [{ kind: "takeover", targetType: target_type, targetId: target_id }]);
}

/** A takeover as the API shows it, made of its row or of what {@link presentRow} made of that. `now` in ms. */
export function showTakeover(presented: Row, now: number): ShownTakeover {
  const { lifted_at, ends_at, target_id } = presented;
  const active = lifted_at === null && (ends_at === null || Date.parse(String(ends_at)) > now);
  return { ...presented, target_id: target_id === "" ? null : target_id, active } as ShownTakeover;
}

/** What no single field is wrong about. */
function checkTakeover({ target_type, target_id, playlist_id, content_version_id }: TakeoverRow): FieldError[] {
  const errors: FieldError[] = [];
  if (target_type === "ALL" && target_id !== "") errors.push({ pointer: "/target_id", detail: "ALL is the whole network: leave it out." });
  if (target_type !== "ALL" && target_id === "") {
    errors.push({ pointer: "/target_id", detail: `A takeover of a ${target_type.toLowerCase()} must name it.` });
  }
  if (playlist_id === null && content_version_id === null) {
    errors.push({ pointer: "/playlist_id", detail: "Say what is shown: a playlist_id, or a content_version_id." });
  }
  if (playlist_id !== null && content_version_id !== null) {
    errors.push({ pointer: "/content_version_id", detail: "A takeover shows a playlist or a single version, not both." });
  }
  return errors;
}

/** A requirement, though no table is asked: a request that is repeated after the end must get its first answer, not this. */
function endRequirements({ started_at, ends_at }: TakeoverRow): Requirement[] {
  if (ends_at === null) return [];
  return [
    {
      breaches: "SELECT NULL AS at WHERE ? <= ?",
      values: [ends_at, started_at],
      pointer: () => "/ends_at",
      detail: "It must be in the future.",
      code: "VALIDATION_ERROR",
    },
  ];
}

function targetRequirements({ target_type, target_id }: TakeoverRow): Requirement[] {
  if (target_type === "ALL") return [];
  const [table, noun] = target_type === "GROUP" ? ["device_groups", "device group"] : ["stores", "store"];
  const common = { values: [target_id], pointer: () => "/target_id" };
  return [
    {
      ...common,
      breaches: `SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE id = ?)`,
      detail: `There is no ${noun} with this id.`,
      code: "TARGET_NOT_FOUND",
    },
    ...(target_type === "STORE"
      ? [
          {
            ...common,
            breaches: "SELECT NULL AS at FROM stores WHERE id = ? AND archived_at IS NOT NULL",
            detail: "This store is archived; restore it first, or name another.",
            code: "REFERENCE_ARCHIVED",
          },
        ]
      : []),
  ];
}

/** What is shown must be there, and none of it archived. */
function messageRequirements({ playlist_id, content_version_id }: TakeoverRow): Requirement[] {
  const archived =
    "SELECT DISTINCT NULL AS at FROM content_versions v JOIN content c ON c.id = v.content_id WHERE c.archived_at IS NOT NULL";
  if (playlist_id !== null) {
    return [
      ...playableRequirements("playlist_id", playlist_id),
      {
        breaches: `${archived} AND v.id IN (SELECT content_version_id FROM playlist_items WHERE playlist_id = ?)`,
        values: [playlist_id],
        pointer: () => "/playlist_id",
        detail: "This playlist holds content that is archived; restore that first, or take it out.",
        code: "CONTENT_ARCHIVED",
      },
    ];
  }
  const common = { values: [content_version_id], pointer: () => "/content_version_id" };
  return [
    {
      ...common,
      breaches: "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM content_versions WHERE id = ?)",
      detail: "There is no content version with this id.",
      code: "REFERENCE_NOT_FOUND",
    },
    {
      ...common,
      breaches: `${archived} AND v.id = ?`,
      detail: "This version's content is archived; restore it first, or name another.",
      code: "CONTENT_ARCHIVED",
    },
  ];
}
