import { z } from "@hono/zod-openapi";
import { archived, contains, equals, type Resource, tagged } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { ofVisibleContent } from "../campaigns/visible.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { playlistsUsingContent } from "../playlists/usage.ts";
import { takeoversShowing } from "../takeovers/usage.ts";
import { content } from "./tables.ts";

const TYPES = ["video", "image", "web"] as const;
const MAX_TAGS = 50;

const externalId = z.ulid().toUpperCase();
const tags = z.array(z.string().trim().min(1).max(64)).max(MAX_TAGS);

/** A piece of media. Its files are its versions. A play may cite it for ever, so it is archived, never deleted. */
export const contentResource: Resource<typeof content.$inferSelect> = {
  noun: "content",
  plural: "content",
  path: "/v1/admin/content",
  table: content,
  create: z
    .strictObject({
      id: idField.optional(),
      external_id: externalId.nullable().optional(),
      name: nameField,
      type: z.enum(TYPES),
      tags: tags.optional(),
    })
    .openapi("ContentCreate"),
  change: z
    .strictObject({
      external_id: externalId.nullable().optional(),
      name: nameField.optional(),
      tags: tags.optional(),
      archived: z.boolean().optional(),
    })
    .openapi("ContentChange"),
  answer: z
    .object({
      id: z.uuid(),
      external_id: z.string().nullable(),
      name: z.string(),
      type: z.enum(TYPES),
      tags: z.array(z.string()),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Content"),
  filters: {
    type: equals(content.type, z.enum(TYPES)),
    external_id: equals(content.external_id, externalId),
    tag: tagged(content.tags_json),
    archived: archived(content.archived_at),
    q: contains(content.name),
  },
  visible: ofVisibleContent(content.id),
  unique: ["external_id"],
  uses: (row, _purpose, now) => [playlistsUsingContent(row.id), takeoversShowing(row.id, now)],
};

export const contentRoutes = resourceRouter(contentResource);
