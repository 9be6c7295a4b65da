import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { anyContains, archived, equals, type Resource, tagged } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { dayField, idField, nameField, tagsField, timeField } from "../platform/fields.ts";
import { campaigns } from "./tables.ts";

const optionalFields = {
  start_date: dayField.nullable().optional(),
  end_date: dayField.nullable().optional(),
  tags: tagsField.optional(),
};

/** What an advertiser's brand has booked. A play may cite it for ever, so it is archived, never deleted. */
export const campaignResource: Resource<typeof campaigns.$inferSelect> = {
  noun: "campaign",
  plural: "campaigns",
  path: "/v1/admin/campaigns",
  table: campaigns,
  create: z.strictObject({ id: idField.optional(), brand_name: nameField, name: nameField, ...optionalFields }).openapi("CampaignCreate"),
  change: z
    .strictObject({ brand_name: nameField.optional(), name: nameField.optional(), ...optionalFields, archived: z.boolean().optional() })
    .openapi("CampaignChange"),
  answer: z
    .object({
      id: z.uuid(),
      brand_name: z.string(),
      name: z.string(),
      start_date: dayField.nullable(),
      end_date: dayField.nullable(),
      tags: z.array(z.string()),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Campaign"),
  filters: {
    brand_name: equals(campaigns.brand_name, nameField),
    on: {
      schema: dayField.optional().meta({ description: "Campaigns whose dates hold this day" }),
      where: (day) => sql`(coalesce(${campaigns.start_date}, ${day}) <= ${day} AND coalesce(${campaigns.end_date}, ${day}) >= ${day})`,
    },
    tag: tagged(campaigns.tags_json),
    archived: archived(campaigns.archived_at),
    q: anyContains([campaigns.name, campaigns.brand_name]),
  },
  visible: { brand: (name) => sql`${campaigns.brand_name} = ${name}` },
  uses: (campaign) => [
    { type: "playlist", query: "SELECT id, name FROM playlists WHERE campaign_id = ? AND archived_at IS NULL", values: [campaign.id] },
  ],
  check(campaign) {
    const { start_date, end_date } = campaign;
    if (start_date === null || end_date === null || start_date <= end_date) return [];
    return [{ pointer: "/end_date", detail: "The end must not be before the start." }];
  },
};

export const campaignRoutes = resourceRouter(campaignResource);
