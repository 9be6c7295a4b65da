import { z } from "@hono/zod-openapi";
import { archived, contains, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { dayField, idField, nameField, timeField } from "../platform/fields.ts";
import { campaigns } from "./tables.ts";

const dates = { start_date: dayField.nullable().optional(), end_date: dayField.nullable().optional() };

/** What an advertiser's brand has booked. A play may cite it for ever, so it is archived, never deleted. */
export const campaignResource: Resource<typeof campaigns.$inferSelect> = {
  noun: "campaign",
  plural: "campaigns",
  path: "/v1/admin/campaigns",
  table: campaigns,
  create: z.strictObject({ id: idField.optional(), brand_name: nameField, name: nameField, ...dates }).openapi("CampaignCreate"),
  change: z
    .strictObject({ brand_name: nameField.optional(), name: nameField.optional(), ...dates, archived: z.boolean().optional() })
    .openapi("CampaignChange"),
  answer: z
    .object({
      id: z.uuid(),
      brand_name: z.string(),
      name: z.string(),
      start_date: dayField.nullable(),
      end_date: dayField.nullable(),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Campaign"),
  filters: { archived: archived(campaigns.archived_at), q: contains(campaigns.name) },
  check(campaign) {
    const { start_date, end_date } = campaign;
    if (start_date === null || end_date === null || start_date <= end_date) return [];
    return [{ pointer: "/end_date", detail: "The end must not be before the start." }];
  },
};

export const campaignRoutes = resourceRouter(campaignResource);
