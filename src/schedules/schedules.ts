import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { archived, contains, equals, isRestored, type Resource, tagged } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { ofVisiblePlaylist } from "../campaigns/visible.ts";
import { type PlanInputChange, touchStatements } from "../plans/touch.ts";
import { dayField, idField, isZone, nameField, tagsField, timeField } from "../platform/fields.ts";
import type { Requirement } from "../platform/requirement.ts";
import { playableRequirements } from "../playlists/usage.ts";
import { checkRules, type ScheduleRules, scheduleRulesSchema } from "./rules.ts";
import { schedules } from "./tables.ts";

const TARGET_TYPES = ["DEVICE", "GROUP"] as const;
/** The zone that stands for the store's own. */
const STORE_ZONE = "store";

const timezone = z
  .string()
  .max(64)
  .refine((zone) => zone === STORE_ZONE || isZone(zone), 'must be "store" or an IANA time zone such as Asia/Ho_Chi_Minh')
  .meta({ example: STORE_ZONE, description: '"store" (the default): the zone of the store where the device stands. Or an IANA zone.' });

const fields = {
  name: nameField,
  target_type: z.enum(TARGET_TYPES),
  target_id: idField.meta({ description: "A device's or a device group's id" }),
  playlist_id: idField,
};
const optionalFields = { timezone: timezone.optional(), rules: scheduleRulesSchema.optional(), tags: tagsField.optional() };

type ScheduleRow = typeof schedules.$inferSelect;

/** When a playlist plays on a device or on all devices of a group. Rules are replaced as a whole. */
export const scheduleResource: Resource<ScheduleRow> = {
  noun: "schedule",
  plural: "schedules",
  path: "/v1/admin/schedules",
  table: schedules,
  create: z.strictObject({ id: idField.optional(), ...fields, ...optionalFields }).openapi("ScheduleCreate"),
  change: z
    .strictObject({ ...z.object(fields).partial().shape, ...optionalFields, archived: z.boolean().optional() })
    .openapi("ScheduleChange"),
  answer: z
    .object({
      id: z.uuid(),
      name: z.string(),
      target_type: z.enum(TARGET_TYPES),
      target_id: z.uuid(),
      playlist_id: z.uuid(),
      timezone: z.string(),
      rules: scheduleRulesSchema,
      tags: z.array(z.string()),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Schedule"),
  filters: {
    target_type: equals(schedules.target_type, z.enum(TARGET_TYPES)),
    target_id: equals(schedules.target_id, idField),
    playlist_id: equals(schedules.playlist_id, idField),
    device_id: {
      schema: idField.optional().meta({ description: "Schedules of this device and of its group" }),
      where: (id) =>
        sql`(${schedules.target_id} = ${id} OR ${schedules.target_id} = (SELECT group_id FROM devices WHERE devices.id = ${id}))`,
    },
    on: {
      schema: dayField.optional().meta({ description: "Schedules whose dates hold this day" }),
      where: (day) =>
        sql`(coalesce(${schedules.rules_json} ->> '$.start_date', ${day}) <= ${day} AND coalesce(${schedules.rules_json} ->> '$.end_date', ${day}) >= ${day})`,
    },
    tag: tagged(schedules.tags_json),
    archived: archived(schedules.archived_at),
    q: contains(schedules.name),
  },
  // Of a supplier's devices, rules may name other suppliers' stores.
  visible: ofVisiblePlaylist(schedules.playlist_id),
  check: (schedule) => checkRules(rulesOf(schedule)).map(({ pointer, detail }) => ({ pointer: `/rules${pointer}`, detail })),
  requirements: scheduleRequirements,
  effects: (db, before, after) => touchStatements(db, touchedBy(before, after)),
  deletable: true,
  removalEffects: (db, schedule) => touchStatements(db, schedule.archived_at === null ? [targetOf(schedule)] : []),
};

export const scheduleRoutes = resourceRouter(scheduleResource);

/** The rules of a schedule's row. */
export function rulesOf(schedule: Pick<ScheduleRow, "rules_json">): ScheduleRules {
  return JSON.parse(schedule.rules_json) as ScheduleRules;
}

/** What makes a plan of a schedule: a new name or tag changes no plan. */
const PLANNED_BY = ["target_type", "target_id", "playlist_id", "timezone", "rules_json", "archived_at"] as const;

function touchedBy(before: ScheduleRow | null, after: ScheduleRow): PlanInputChange[] {
  if (before && PLANNED_BY.every((field) => before[field] === after[field])) return [];
  const live = [before, after].filter((row): row is ScheduleRow => row !== null && row.archived_at === null);
  const moved = before?.target_type !== after.target_type || before?.target_id !== after.target_id;
  return (moved ? live : live.slice(0, 1)).map(targetOf);
}

function targetOf({ target_type, target_id }: ScheduleRow): PlanInputChange {
  return { kind: "schedule", targetType: target_type, targetId: target_id };
}

function scheduleRequirements(before: ScheduleRow | null, after: ScheduleRow): Requirement[] {
  const all = before === null || isRestored(before, after);
  const changed = (...names: (keyof ScheduleRow)[]) => all || names.some((field) => before[field] !== after[field]);
  const excluded = rulesOf(after).exclusions?.store_ids ?? [];
  return [
    ...(changed("target_type", "target_id") ? [targetRequirement(after)] : []),
    ...(changed("playlist_id") ? playableRequirements("playlist_id", after.playlist_id) : []),
    ...(changed("rules_json") && excluded.length > 0 ? [excludedStoresRequirement(excluded)] : []),
  ];
}

function targetRequirement({ target_type, target_id }: ScheduleRow): Requirement {
  const [table, noun] = target_type === "DEVICE" ? ["devices", "device"] : ["device_groups", "device group"];
  return {
    breaches: `SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE id = ?)`,
    values: [target_id],
    pointer: () => "/target_id",
    detail: `There is no ${noun} with this id.`,
    code: "TARGET_NOT_FOUND",
  };
}

function excludedStoresRequirement(storeIds: string[]): Requirement {
  return {
    breaches: "SELECT e.key AS at FROM json_each(?) e WHERE NOT EXISTS (SELECT 1 FROM stores WHERE id = e.value)",
    values: [JSON.stringify(storeIds)],
    pointer: (at) => `/rules/exclusions/store_ids/${at}`,
    detail: "There is no store with this id.",
    code: "REFERENCE_NOT_FOUND",
  };
}
