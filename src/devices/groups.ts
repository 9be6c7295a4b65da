import { z } from "@hono/zod-openapi";
import { contains, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { groupPolicySchema } from "./policy.ts";
import { profilePushStatement, scopes } from "./profile.ts";
import { deliverProfilesSoon } from "./push.ts";
import { deviceGroups } from "./tables.ts";

/** Devices that share a policy. A policy is replaced as a whole: what the new one does not name is the default again. */
export const groupResource: Resource<typeof deviceGroups.$inferSelect> = {
  noun: "device_group",
  plural: "device groups",
  path: "/v1/admin/device-groups",
  table: deviceGroups,
  create: z.strictObject({ id: idField.optional(), name: nameField, policy: groupPolicySchema.optional() }).openapi("DeviceGroupCreate"),
  change: z.strictObject({ name: nameField.optional(), policy: groupPolicySchema.optional() }).openapi("DeviceGroupChange"),
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
  filters: { q: contains(deviceGroups.name) },
  effects(db, before, after, now) {
    if (!before || before.policy_json === after.policy_json) return [];
    return [profilePushStatement(db, scopes.group(after.id), now)];
  },
  deliver: deliverProfilesSoon,
};

export const groupRoutes = resourceRouter(groupResource);
