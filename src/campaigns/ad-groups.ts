import { z } from "@hono/zod-openapi";
import { archived, contains, equals, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { adGroups, campaigns } from "./tables.ts";

/** A part of a campaign. It stays in its campaign, since recorded plays name both. */
export const adGroupResource: Resource<typeof adGroups.$inferSelect> = {
  noun: "ad_group",
  plural: "ad groups",
  path: "/v1/admin/ad-groups",
  table: adGroups,
  create: z.strictObject({ id: idField.optional(), campaign_id: idField, name: nameField }).openapi("AdGroupCreate"),
  change: z.strictObject({ name: nameField.optional(), archived: z.boolean().optional() }).openapi("AdGroupChange"),
  answer: z
    .object({
      id: z.uuid(),
      campaign_id: z.uuid(),
      name: z.string(),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("AdGroup"),
  filters: { campaign_id: equals(adGroups.campaign_id, idField), archived: archived(adGroups.archived_at), q: contains(adGroups.name) },
  references: { campaign_id: campaigns },
};

export const adGroupRoutes = resourceRouter(adGroupResource);
