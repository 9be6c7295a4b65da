import { uuidv7 } from "uuidv7";
import { findRow } from "../audit/changes.ts";
import { newRow } from "../audit/resource.ts";
import { Problem } from "../platform/errors.ts";
import { contentResource } from "./content.ts";
import type { StoredFile } from "./files.ts";
import type { FileKind } from "./kinds.ts";
import { contentVersions } from "./tables.ts";

/** What the uploader may say of a new version, beside its file. */
export interface VersionFields {
  version_hash?: string | null | undefined;
  duration_ms?: number | null | undefined;
}

/**
 * The type of a piece of content that takes new versions.
 * @throws Problem `not-found`, or `conflict` with code `CONTENT_ARCHIVED`.
 */
export async function openContentType(db: D1Database, id: string): Promise<FileKind["type"]> {
  const row = (await findRow(db, contentResource, id)) as { type: FileKind["type"]; archived_at: number | null };
  if (row.archived_at !== null) {
    throw new Problem("conflict", "The content is archived; restore it first.", { code: "CONTENT_ARCHIVED" });
  }
  return row.type;
}

/** The row of the version that a stored file becomes. Pure but for its id; `now` in ms. */
export function versionRow(contentId: string, file: StoredFile, { version_hash, duration_ms }: VersionFields, now: number) {
  const body = { ...file, version_hash: version_hash ?? file.sha256, duration_ms: duration_ms ?? null };
  return { ...newRow(contentVersions, body, uuidv7(), now), content_id: contentId };
}
