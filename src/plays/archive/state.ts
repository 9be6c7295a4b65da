import { createRoute, z } from "@hono/zod-openapi";
import { guarded } from "../../auth/access.ts";
import { reads } from "../../auth/principal.ts";
import { dayField, timeField } from "../../platform/fields.ts";
import { createRouter, responses } from "../../platform/http.ts";
import { toIso } from "../../platform/time.ts";

/** How the archive stands, and what comparing it with the database found. */
export const archiveStateRoutes = createRouter();

const LISTED_CHECKS = 60;

const stateSchema = z
  .object({
    parts: z.int().meta({ description: "Compacted Parquet files" }),
    bytes: z.int(),
    plays: z.int().meta({ description: "Plays that lie in them" }),
    segments_open: z.int().meta({ description: "Segments that wait to be compacted" }),
    plays_open: z.int(),
    manifests_stale: z.int().meta({ description: "Days whose manifest is older than their parts" }),
    first_day: dayField.nullable().meta({ description: "The first UTC day of receipt that there are parts of" }),
    last_day: dayField.nullable(),
    single_plays_from: dayField
      .nullable()
      .meta({ description: "The first day of which all single plays are in the database; null: none ever went" }),
    checks: z
      .array(
        z.object({
          day: dayField,
          checked_at: timeField,
          matches: z.boolean().meta({ description: "The sums of the archive are those of the database." }),
          findings: z.record(z.string(), z.unknown()),
        }),
      )
      .meta({ description: `The ${LISTED_CHECKS} latest days that were compared, those that differ first` }),
  })
  .openapi("ArchiveState");

archiveStateRoutes.openapi(
  createRoute({
    ...guarded(reads({})),
    tags: ["Pipeline"],
    method: "get",
    path: "/v1/admin/pipeline/archive",
    summary: "How the archive stands, and whether it equals the database",
    responses: responses(200, "The archive", stateSchema),
  }),
  async (c) => c.json(await readArchiveState(c.env.DB), 200),
);

/** Reads all of it as of one moment. */
export async function readArchiveState(db: D1Database): Promise<z.infer<typeof stateSchema>> {
  const [parts, open, stale, kept, checks] = await db.batch<Record<string, string | number | null>>([
    db.prepare(
      "SELECT count(*) AS parts, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(plays_count), 0) AS plays, min(dt) AS first, max(dt) AS last FROM archive_parts",
    ),
    db.prepare("SELECT count(*) AS segments, coalesce(sum(plays_count), 0) AS plays FROM segments WHERE compacted_at IS NULL"),
    db.prepare("SELECT count(*) AS days FROM archive_manifests WHERE stale = 1"),
    db.prepare("SELECT kept_from FROM event_rows_window WHERE id = 1"),
    db.prepare(`SELECT day, checked_at, matches, findings_json FROM archive_checks ORDER BY matches, day DESC LIMIT ${LISTED_CHECKS}`),
  ]);
  const one = (result: typeof parts) => result?.results[0] ?? {};
  const text = (value: string | number | null | undefined) => (typeof value === "string" ? value : null);
  return {
    parts: Number(one(parts).parts),
    bytes: Number(one(parts).bytes),
    plays: Number(one(parts).plays),
    segments_open: Number(one(open).segments),
    plays_open: Number(one(open).plays),
    manifests_stale: Number(one(stale).days),
    first_day: text(one(parts).first),
    last_day: text(one(parts).last),
    single_plays_from: text(one(kept).kept_from),
    checks: (checks?.results ?? []).map((row) => ({
      day: String(row.day),
      checked_at: toIso(Number(row.checked_at)),
      matches: row.matches === 1,
      findings: JSON.parse(String(row.findings_json)) as Record<string, unknown>,
    })),
  };
}
