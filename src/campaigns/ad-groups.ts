import { z } from "@hono/zod-openapi";
import { archived, contains, equals, type Resource, tagged } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { idField, nameField, tagsField, timeField } from "../platform/fields.ts";
import { adGroups, campaigns } from "./tables.ts";
import { ofVisibleCampaign } from "./visible.ts";

/** A part of a campaign. It stays in its campaign, since recorded plays name both. */
export const adGroupResource: Resource<typeof adGroups.$inferSelect> = {
  noun: "ad_group",
  plural: "ad groups",
  path: "/v1/admin/ad-groups",
  table: adGroups,
  create: z
    .strictObject({ id: idField.optional(), campaign_id: idField, name: nameField, tags: tagsField.optional() })
    .openapi("AdGroupCreate"),
  change: z
    .strictObject({ name: nameField.optional(), tags: tagsField.optional(), archived: z.boolean().optional() })
    .openapi("AdGroupChange"),
  answer: z
    .object({
      id: z.uuid(),
      campaign_id: z.uuid(),
      name: z.string(),
      tags: z.array(z.string()),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("AdGroup"),
  filters: {
    campaign_id: equals(adGroups.campaign_id, idField),
    tag: tagged(adGroups.tags_json),
    archived: archived(adGroups.archived_at),
    q: contains(adGroups.name),
  },
  visible: ofVisibleCampaign(adGroups.campaign_id),
  references: { campaign_id: campaigns },
  uses: (adGroup) => [
    { type: "playlist", query: "SELECT id, name FROM playlists WHERE ad_group_id = ? AND archived_at IS NULL", values: [adGroup.id] },
  ],
};

export const adGroupRoutes = resourceRouter(adGroupResource);
