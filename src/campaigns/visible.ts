import { type SQLWrapper, sql } from "drizzle-orm";
import type { Visibility } from "../auth/principal.ts";

/** Rows whose column names a campaign of a brand. */
export function ofVisibleCampaign(column: SQLWrapper): Visibility {
  return { brand: (brandName) => sql`${column} IN (SELECT id FROM campaigns WHERE brand_name = ${brandName})` };
}

/** Rows whose column names a playlist that plays for a campaign of a brand. */
export function ofVisiblePlaylist(column: SQLWrapper): Visibility {
  return {
    brand: (brandName) =>
      sql`${column} IN (SELECT p.id FROM playlists p JOIN campaigns c ON c.id = p.campaign_id WHERE c.brand_name = ${brandName})`,
  };
}

/** Rows whose column names content that is in such a playlist. */
export function ofVisibleContent(column: SQLWrapper): Visibility {
  return {
    brand: (brandName) =>
      sql`${column} IN (SELECT v.content_id FROM campaigns c JOIN playlists p ON p.campaign_id = c.id
          JOIN playlist_items i ON i.playlist_id = p.id JOIN content_versions v ON v.id = i.content_version_id
          WHERE c.brand_name = ${brandName})`,
  };
}
