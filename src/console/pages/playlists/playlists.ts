import { type Answer, call, type Item } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { failed, undoable } from "../../parts/notes.tsx";
import type { Content, Version } from "../content/content.ts";

export type Playlist = Item<"GET /v1/admin/playlists">;
export type PlaylistWithItems = Answer<"GET /v1/admin/playlists/{id}">;

/** How long an image or a page plays where its item does not say. */
export const DEFAULT_ITEM_MS = 10_000;

/** A place in a playlist while it is edited. */
export interface Place {
  /** Its item's id, or a made-up one for a new item. */
  key: string;
  /** Absent for what is not saved yet. */
  id?: string;
  content_version_id: string;
  content_id: string;
  name: string;
  weight: number;
  duration_ms: number | null;
}

export function placesOf({ items = [] }: Pick<PlaylistWithItems, "items">): Place[] {
  return items.map(({ id, content_version_id, content_id, content_name, weight, duration_ms }) => ({
    key: id,
    id,
    content_version_id,
    content_id,
    name: content_name,
    weight,
    duration_ms,
  }));
}

/** How long an item plays: a video its own length, else what the item says; null where nobody knows. Pure. */
export function lengthOf(
  place: Pick<Place, "duration_ms">,
  type: Content["type"] | undefined,
  version: Version | undefined,
): number | null {
  if (type === "video") return version?.duration_ms ?? null;
  return place.duration_ms ?? DEFAULT_ITEM_MS;
}

/** A whole round of a playlist: how many plays and how long. Pure. */
export interface Round {
  plays: number;
  ms: number;
  /** Items whose length nobody knows, which are not in the sum. */
  unknown: number;
}

export function roundOf(places: readonly Place[], lengthOfPlace: (place: Place) => number | null): Round {
  let [plays, ms, unknown] = [0, 0, 0];
  for (const place of places) {
    const length = lengthOfPlace(place);
    plays += place.weight;
    if (length === null) unknown += 1;
    else ms += length * place.weight;
  }
  return { plays, ms, unknown };
}

/** Saves the items as they stand. */
export async function saveItems(id: string, places: readonly Place[], version: number | undefined): Promise<void> {
  const items = places.map(({ id: itemId, content_version_id, weight, duration_ms }) => ({
    ...(itemId ? { id: itemId } : {}),
    content_version_id,
    weight,
    duration_ms,
  }));
  await call("PUT /v1/admin/playlists/{id}/items", { path: { id }, body: { items }, version });
  await readAgain("/v1/admin/playlists");
}

/** Archives or restores a playlist, and offers to take it back. */
export async function setArchived({ id, name }: Playlist, archived: boolean): Promise<void> {
  const change = async (to: boolean) => {
    await call("PATCH /v1/admin/playlists/{id}", { path: { id }, body: { archived: to } });
    await readAgain("/v1/admin/playlists");
  };
  try {
    await change(archived);
    undoable(archived ? `Archived ${name}` : `Restored ${name}`, () => change(!archived));
  } catch (error) {
    failed(archived ? "Not archived" : "Not restored", error);
  }
}
