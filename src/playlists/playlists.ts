import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { archived, contains, equals, isRestored, type Resource, tagged } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { adGroups, campaigns } from "../campaigns/tables.ts";
import { ofVisibleCampaign } from "../campaigns/visible.ts";
import { touchStatements } from "../plans/touch.ts";
import { idField, nameField, tagsField, timeField } from "../platform/fields.ts";
import type { Requirement } from "../platform/requirement.ts";
import { itemSchema, readItems } from "./items-read.ts";
import { playlists } from "./tables.ts";
import { usesOfPlaylist } from "./usage.ts";

const optionalFields = {
  campaign_id: idField.nullable().optional().meta({ description: "Whose plays these are. Without one they are filler, and never billed." }),
  ad_group_id: idField.nullable().optional().meta({ description: "A part of that campaign" }),
  tags: tagsField.optional(),
};

type PlaylistRow = typeof playlists.$inferSelect;

/** Ordered, weighted content versions. A play may cite it for ever, so it is archived, never deleted. */
export const playlistResource: Resource<PlaylistRow> = {
  noun: "playlist",
  plural: "playlists",
  path: "/v1/admin/playlists",
  table: playlists,
  create: z.strictObject({ id: idField.optional(), name: nameField, ...optionalFields }).openapi("PlaylistCreate"),
  change: z.strictObject({ name: nameField.optional(), ...optionalFields, archived: z.boolean().optional() }).openapi("PlaylistChange"),
  answer: z
    .object({
      id: z.uuid(),
      name: z.string(),
      campaign_id: z.uuid().nullable(),
      ad_group_id: z.uuid().nullable(),
      tags: z.array(z.string()),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
      items: z.array(itemSchema).optional().meta({ description: "In their order; in the answer for a single playlist only." }),
    })
    .openapi("Playlist"),
  filters: {
    campaign_id: equals(playlists.campaign_id, idField),
    ad_group_id: equals(playlists.ad_group_id, idField),
    content_id: {
      schema: idField.optional(),
      where: (id) =>
        sql`${playlists.id} IN (SELECT i.playlist_id FROM playlist_items i JOIN content_versions v ON v.id = i.content_version_id WHERE v.content_id = ${id})`,
    },
    content_version_id: {
      schema: idField.optional(),
      where: (id) => sql`${playlists.id} IN (SELECT playlist_id FROM playlist_items WHERE content_version_id = ${id})`,
    },
    tag: tagged(playlists.tags_json),
    archived: archived(playlists.archived_at),
    q: contains(playlists.name),
  },
  visible: ofVisibleCampaign(playlists.campaign_id),
  references: { campaign_id: campaigns, ad_group_id: adGroups },
  check({ campaign_id, ad_group_id }) {
    if (ad_group_id === null || campaign_id !== null) return [];
    return [{ pointer: "/campaign_id", detail: "An ad group is part of a campaign: name that as well." }];
  },
  requirements: (before, after) => [...adGroupRequirements(before, after), ...(isRestored(before, after) ? [contentLive(after.id)] : [])],
  uses: (playlist, _purpose, now) => usesOfPlaylist(playlist.id, now),
  effects(db, before, after) {
    if (!before || (before.campaign_id === after.campaign_id && before.ad_group_id === after.ad_group_id)) return [];
    return touchStatements(db, [{ kind: "playlist", playlistId: after.id }]);
  },
  detail: async (db, playlist) => ({ items: await readItems(db, playlist.id) }),
};

export const playlistRoutes = resourceRouter(playlistResource);

function adGroupRequirements(before: PlaylistRow | null, after: PlaylistRow): Requirement[] {
  const same = before?.campaign_id === after.campaign_id && before?.ad_group_id === after.ad_group_id;
  if (same || after.ad_group_id === null) return [];
  return [
    {
      breaches: "SELECT NULL AS at FROM ad_groups WHERE id = ? AND campaign_id <> ?",
      values: [after.ad_group_id, after.campaign_id],
      pointer: () => "/ad_group_id",
      detail: "This ad group belongs to another campaign.",
      code: "AD_GROUP_OF_OTHER_CAMPAIGN",
    },
  ];
}

/** What comes back from the archive may hold no content that was archived meanwhile. */
function contentLive(playlistId: string): Requirement {
  return {
    breaches: `SELECT DISTINCT NULL AS at FROM playlist_items i JOIN content_versions v ON v.id = i.content_version_id
               JOIN content c ON c.id = v.content_id WHERE i.playlist_id = ? AND c.archived_at IS NOT NULL`,
    values: [playlistId],
    pointer: () => "/archived",
    detail: "It holds content that is archived; restore that first, or take it out.",
    code: "CONTENT_ARCHIVED",
  };
}
