import { useMemo } from "react";
import { call, type Item } from "../../api/client.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { archiveOrRestore } from "../../parts/archive.tsx";
import { bytes, plural, span } from "../../parts/format.ts";

export type Content = Item<"GET /v1/admin/content">;
export type Version = Item<"GET /v1/admin/content-versions">;
export type ContentType = Content["type"];

export const TYPES: { value: ContentType; label: string }[] = [
  { value: "image", label: "Image" },
  { value: "video", label: "Video" },
  { value: "web", label: "Web page" },
];

export function typeName(type: ContentType): string {
  return TYPES.find(({ value }) => value === type)?.label ?? type;
}

/** What the server takes, by the first bytes of a file. */
export const ACCEPTED = "image/jpeg,image/png,image/gif,image/webp,image/avif,video/mp4,video/webm,text/html";

const MOST_VERSIONS = 20_000;

/** Versions by their content, newest first. */
export function useVersions(): { of: Map<string, Version[]>; pending: boolean } {
  const versions = useRows("GET /v1/admin/content-versions", {}, { all: MOST_VERSIONS });
  const of = useMemo(() => {
    const found = new Map<string, Version[]>();
    for (const version of versions.rows) {
      const list = found.get(version.content_id);
      if (list) list.push(version);
      else found.set(version.content_id, [version]);
    }
    for (const list of found.values()) list.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    return found;
  }, [versions.rows]);
  return { of, pending: versions.pending };
}

/** Reads again whatever shows content or its versions. */
export async function readContentAgain(): Promise<void> {
  await readAgain("/v1/admin/content");
}

/** Archives or restores a piece of content, and offers to take it back. */
export async function setArchived({ id, name }: Content, archived: boolean): Promise<void> {
  await archiveOrRestore(name, archived, async (to) => {
    await call("PATCH /v1/admin/content/{id}", { path: { id }, body: { archived: to } });
    await readContentAgain();
  });
}

/** `Video · 15 s · 4.2 MB · 3 versions` */
export function factsOf(content: Pick<Content, "type">, version: Version, count: number): string {
  return [
    typeName(content.type),
    version.duration_ms === null ? null : span(version.duration_ms),
    version.bytes === null ? null : bytes(version.bytes),
    count > 1 ? plural(count, "version") : null,
  ]
    .filter((part) => part !== null)
    .join(" · ");
}
