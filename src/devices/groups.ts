import { z } from "@hono/zod-openapi";
import { contains, equals, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { touchStatements } from "../plans/touch.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { playableRequirements } from "../playlists/usage.ts";
import { takeoversOf } from "../takeovers/usage.ts";
import { openClaims } from "./claims-presets.ts";
import { groupPolicySchema } from "./policy.ts";
import { profilePushStatement, scopes } from "./profile.ts";
import { deliverProfilesSoon } from "./push.ts";
import { deviceGroups } from "./tables.ts";
import { ofVisibleGroup } from "./visible.ts";

const fields = {
  policy: groupPolicySchema.optional(),
  default_playlist_id: idField.nullable().optional().meta({ description: "What plays where no schedule is on" }),
};

/** Devices that share a policy. A policy is replaced as a whole: what the new one does not name is the default again. */
export const groupResource: Resource<typeof deviceGroups.$inferSelect> = {
  noun: "device_group",
  plural: "device groups",
  path: "/v1/admin/device-groups",
  table: deviceGroups,
  create: z.strictObject({ id: idField.optional(), name: nameField, ...fields }).openapi("DeviceGroupCreate"),
  change: z.strictObject({ name: nameField.optional(), ...fields }).openapi("DeviceGroupChange"),
  answer: z
    .object({
      id: z.uuid(),
      name: z.string(),
      policy: groupPolicySchema,
      default_playlist_id: z.uuid().nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("DeviceGroup"),
  filters: { default_playlist_id: equals(deviceGroups.default_playlist_id, idField), q: contains(deviceGroups.name) },
  visible: ofVisibleGroup(deviceGroups.id),
  administered: ["policy"],
  requirements(before, after) {
    const { default_playlist_id } = after;
    if (default_playlist_id === null || before?.default_playlist_id === default_playlist_id) return [];
    return playableRequirements("default_playlist_id", default_playlist_id);
  },
  uses: (group, _purpose, now) => [
    { type: "device", query: "SELECT id, external_name AS name FROM devices WHERE group_id = ?", values: [group.id] },
    {
      type: "schedule",
      query: "SELECT id, name FROM schedules WHERE target_type = 'GROUP' AND target_id = ? AND archived_at IS NULL",
      values: [group.id],
    },
    openClaims("group_id", group.id, now),
    takeoversOf("GROUP", group.id, now),
  ],
  deletable: true,
  effects(db, before, after, now) {
    if (!before) return [];
    return [
      ...(before.policy_json === after.policy_json ? [] : [profilePushStatement(db, scopes.group(after.id), now)]),
      ...touchStatements(db, before.default_playlist_id === after.default_playlist_id ? [] : [{ kind: "group", groupId: after.id }]),
    ];
  },
  deliver: deliverProfilesSoon,
};

export const groupRoutes = resourceRouter(groupResource);
