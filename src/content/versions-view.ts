import { createRoute, z } from "@hono/zod-openapi";
import { findRow, findVisible, listRows } from "../audit/changes.ts";
import { equals } from "../audit/resource.ts";
import { conditionsOf, idParams, listQuery, tagOf } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, scopeTerms } from "../auth/principal.ts";
import { ofVisibleContent } from "../campaigns/visible.ts";
import { Problem } from "../platform/errors.ts";
import { idField, sha256Field } from "../platform/fields.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { pageSchema } from "../platform/paging.ts";
import { presentRow } from "../platform/rows.ts";
import { contentResource } from "./content.ts";
import { answerFile } from "./download.ts";
import { contentVersions } from "./tables.ts";
import { VERSIONS_PATH, type Version, versionResource, versionSchema } from "./versions.ts";

const filters = { content_id: equals(contentVersions.content_id, idField), sha256: equals(contentVersions.sha256, sha256Field) };
const visible = ofVisibleContent(contentVersions.content_id);
const tags = [tagOf(versionResource)];

/** Versions as they are looked at: those of all content in one list, and the file of one. */
export const versionViewRoutes = createRouter();

versionViewRoutes.openapi(
  createRoute({
    ...guarded(reads(visible)),
    tags,
    method: "get",
    path: "/v1/admin/content-versions",
    summary: "List the versions of all content",
    description: "By id: so a file is found by its hash, whichever content holds it.",
    request: { query: listQuery(filters) },
    responses: responses(200, "A page of versions, by id", pageSchema(versionSchema)),
  }),
  async (c) => {
    const query = c.req.valid("query");
    const conditions = [...conditionsOf(filters, query), ...scopeTerms(viewerScope(c), visible)];
    const page = await listRows(c.env.DB, contentVersions, query, conditions);
    return c.json({ ...page, items: page.items.map((row) => presentRow(row) as Version) }, 200);
  },
);

versionViewRoutes.openapi(
  createRoute({
    ...guarded(reads(contentResource.visible)),
    tags,
    method: "get",
    path: `${VERSIONS_PATH}/{version_id}/file`,
    summary: "The file of a content version, to be looked at",
    description: "As devices get it: Range and If-None-Match work. Its headers keep a browser from taking it for a page of this origin.",
    request: { params: idParams.extend({ version_id: idField }) },
    responses: {
      200: { description: "The file", content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  async (c) => {
    const { id, version_id } = c.req.valid("param");
    await findVisible(c.env.DB, contentResource, id, viewerScope(c));
    const version = await findRow(c.env.DB, versionResource, version_id);
    if (version.content_id !== id) throw new Problem("not-found", "There is no content version with this id.");
    return await answerFile(c, String(version.sha256));
  },
);
