import { createRoute, z } from "@hono/zod-openapi";
import { auditStatement } from "../../audit/audit.ts";
import { guarded } from "../../auth/access.ts";
import { OPERATE, reads } from "../../auth/principal.ts";
import { Problem } from "../../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../../platform/http.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../../platform/paging.ts";
import { toIso } from "../../platform/time.ts";
import { decodeChunk } from "../chunk.ts";
import { playRows } from "../columns.ts";
import { type PlayQueueEnv, playQueues } from "../queues.ts";
import { relistDeadLetters } from "./dead-letters.ts";
import { redriveLetter, redriveMany } from "./redrive.ts";

/** How the pipeline stands, and its dead letters: look, redrive. */
export const pipelineRoutes = createRouter();

const reading = { ...guarded(reads({})), tags: ["Pipeline"] };
const changing = { ...guarded(OPERATE), tags: ["Pipeline"] };
const queueSchema = z.object({
  backlog_count: z.int().nullable(),
  backlog_bytes: z.int().nullable(),
  oldest_message_at: z.string().nullable(),
});
const pipelineSchema = z
  .object({
    queues: z.record(z.string(), queueSchema),
    ledger: z.object({ last_recorded_at: z.string().nullable() }),
    dead_letters: z.object({ open: z.int(), plays: z.int() }),
    aggregates: z.object({ marked_days: z.int(), oldest_marked_day: z.string().nullable(), generations: z.int() }),
    archive: z.object({ segments_to_compact: z.int() }),
    profile_pushes: z.object({ open: z.int(), oldest_at: z.string().nullable() }),
    jobs: z.array(z.object({ job: z.string(), ran_at: z.string(), ok: z.boolean(), result: z.unknown() })),
    generated_at: z.string(),
  })
  .openapi("Pipeline");

pipelineRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: "/v1/admin/pipeline",
    summary: "Backlogs, lags, dead letters and the last run of each job",
    responses: responses(200, "How the pipeline stands now", pipelineSchema),
  }),
  async (c) => c.json(await pipelineState(c.env, Date.now()), 200),
);

interface CountRow {
  n: number;
  plays: number;
  oldest: number | null;
  day: string | null;
}

async function pipelineState(env: Env, now: number): Promise<z.infer<typeof pipelineSchema>> {
  const count = (sql: string) => env.DB.prepare(sql);
  const [letters, days, segments, pushes, jobs] = await env.DB.batch([
    count("SELECT count(*) AS n, coalesce(sum(plays_count), 0) AS plays FROM dead_letters WHERE redriven_at IS NULL"),
    count(
      `SELECT count(*) AS n, min(d.day) AS day, (SELECT count(*) FROM aggregate_generations) AS plays
       FROM aggregate_generations g JOIN aggregate_days d ON d.generation = g.id WHERE g.live = 1 AND d.dirty = 1`,
    ),
    count("SELECT count(*) AS n, (SELECT max(recorded_at) FROM segments) AS oldest FROM segments WHERE compacted_at IS NULL"),
    count("SELECT count(*) AS n, min(created_at) AS oldest FROM profile_pushes WHERE acknowledged_at IS NULL"),
    count("SELECT job, ran_at, ok, result_json FROM job_runs ORDER BY job"),
  ]);
  const row = (result: D1Result | undefined) => (result?.results[0] ?? {}) as Partial<CountRow>;
  return {
    queues: {
      ...(await playBacklogs(env)),
      "play-events-dead": await backlogOf(env.PLAY_EVENTS_DEAD),
      "device-reports": await backlogOf(env.DEVICE_REPORTS),
    },
    ledger: { last_recorded_at: toIso(row(segments).oldest) },
    dead_letters: { open: row(letters).n ?? 0, plays: row(letters).plays ?? 0 },
    aggregates: { marked_days: row(days).n ?? 0, oldest_marked_day: row(days).day ?? null, generations: row(days).plays ?? 1 },
    archive: { segments_to_compact: row(segments).n ?? 0 },
    profile_pushes: { open: row(pushes).n ?? 0, oldest_at: toIso(row(pushes).oldest) },
    jobs: ((jobs?.results ?? []) as unknown as { job: string; ran_at: number; ok: number; result_json: string }[]).map((run) => ({
      job: run.job,
      ran_at: toIso(run.ran_at) ?? "",
      ok: run.ok === 1,
      result: JSON.parse(run.result_json) as unknown,
    })),
    generated_at: toIso(now) ?? "",
  };
}

/** The backlog of each queue of plays, by its name. */
export async function playBacklogs(env: PlayQueueEnv): Promise<Record<string, z.infer<typeof queueSchema>>> {
  const backlogs = playQueues(env).map(async ({ name, queue }) => [name, await backlogOf(queue)] as const);
  return Object.fromEntries(await Promise.all(backlogs));
}

/** A queue's backlog; nulls where the platform does not say. */
export async function backlogOf(queue: Queue): Promise<z.infer<typeof queueSchema>> {
  try {
    const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
    return {
      backlog_count: backlogCount,
      backlog_bytes: backlogBytes,
      oldest_message_at: oldestMessageTimestamp ? oldestMessageTimestamp.toISOString() : null,
    };
  } catch {
    return { backlog_count: null, backlog_bytes: null, oldest_message_at: null };
  }
}

const letterSchema = z
  .object({
    id: z.string(),
    device_id: z.string().nullable(),
    chunk_id: z.string().nullable(),
    reason: z
      .string()
      .meta({ description: "UNREADABLE: no chunk. CHUNK_CONFLICT: another chunk stands under its id. UNRECORDABLE: D1 will not have it." }),
    plays_count: z.int(),
    created_at: z.string(),
    redriven_at: z.string().nullable(),
    recorded: z.boolean().meta({ description: "Whether a chunk stands in the ledger under its id." }),
    r2_key: z.string(),
  })
  .openapi("DeadLetter");

interface LetterRow {
  id: string;
  r2_key: string;
  device_id: string;
  chunk_id: string;
  reason: string;
  plays_count: number;
  created_at: number;
  redriven_at: number | null;
  recorded: number;
}

const LETTERS = `SELECT d.*, EXISTS (SELECT 1 FROM chunk_ledger l WHERE d.chunk_id <> ''
  AND d.chunk_id = l.device_id || '.' || l.incarnation || '.' || l.number AND l.device_id = d.device_id) AS recorded FROM dead_letters d`;

function presentLetter(row: LetterRow): z.infer<typeof letterSchema> {
  return {
    id: row.id,
    device_id: row.device_id || null,
    chunk_id: row.chunk_id || null,
    reason: row.reason,
    plays_count: row.plays_count,
    created_at: toIso(row.created_at) ?? "",
    redriven_at: toIso(row.redriven_at),
    recorded: row.recorded === 1,
    r2_key: row.r2_key,
  };
}

pipelineRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: "/v1/admin/pipeline/dead-letters",
    summary: "List dead letters, oldest first",
    request: { query: z.strictObject({ ...pageQuery, state: z.enum(["open", "redriven", "all"]).default("open") }) },
    responses: responses(200, "A page of dead letters", pageSchema(letterSchema)),
  }),
  async (c) => {
    const { limit, cursor, state } = c.req.valid("query");
    const after = (decodeCursor(cursor) ?? "0|").split("|");
    const { results } = await c.env.DB.prepare(
      `${LETTERS} WHERE (?1 = 'all' OR (d.redriven_at IS NULL) = (?1 = 'open')) AND (d.created_at, d.id) > (?2, ?3) ORDER BY d.created_at, d.id LIMIT ?4`,
    )
      .bind(state, Number(after[0]) || 0, after.slice(1).join("|"), limit + 1)
      .all<LetterRow>();
    const page = pageOf(results, limit, (row) => `${row.created_at}|${row.id}`);
    return c.json({ items: page.items.map(presentLetter), next_cursor: page.next_cursor }, 200);
  },
);

const MAX_PLAYS_SHOWN = 100;
const MAX_TEXT_SHOWN = 4000;
const lookSchema = letterSchema
  .extend({
    readable: z.boolean(),
    error: z.string().nullable().meta({ description: "Why it cannot be read." }),
    plays: z.array(z.record(z.string(), z.unknown())).meta({ description: `Its first ${MAX_PLAYS_SHOWN} plays, where it can be read.` }),
    text: z.string().meta({ description: `Its first ${MAX_TEXT_SHOWN} characters, where it cannot.` }),
  })
  .openapi("DeadLetterContents");

pipelineRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: "/v1/admin/pipeline/dead-letters/{id}",
    summary: "Look into a dead letter",
    request: { params: z.object({ id: z.string() }) },
    responses: responses(200, "The letter and what is in it", lookSchema),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const row = await c.env.DB.prepare(`${LETTERS} WHERE d.id = ?`).bind(id).first<LetterRow>();
    if (!row) throw new Problem("not-found", `There is no dead letter ${id}.`);
    const object = await c.env.BUCKET.get(row.r2_key);
    const contents = object
      ? readLetter(new Uint8Array(await object.arrayBuffer()))
      : { readable: false, error: "R2 does not have it.", plays: [], text: "" };
    return c.json({ ...presentLetter(row), ...contents }, 200);
  },
);

function readLetter(bytes: Uint8Array): Pick<z.infer<typeof lookSchema>, "readable" | "error" | "plays" | "text"> {
  try {
    const { plays } = decodeChunk(bytes);
    return {
      readable: true,
      error: null,
      plays: playRows(plays, MAX_PLAYS_SHOWN).map(({ play, proof }) => ({ ...play, record: proof.record })),
      text: "",
    };
  } catch (error) {
    return {
      readable: false,
      error: String(error).slice(0, 500),
      plays: [],
      text: new TextDecoder().decode(bytes).slice(0, MAX_TEXT_SHOWN),
    };
  }
}

pipelineRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: "/v1/admin/pipeline/dead-letters/{id}/redrive",
    summary: "Send a dead letter again",
    request: { params: z.object({ id: z.string() }) },
    responses: responses(202, "It is in the queue again", z.object({ id: z.string(), status: z.literal("redriven") })),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    await redriveLetter(c.env, id, c.get("actor"), Date.now());
    return c.json({ id, status: "redriven" as const }, 202);
  },
);

const manySchema = z.strictObject({
  ids: z.array(z.string()).min(1).max(100).optional().meta({ description: "Absent: the oldest open ones, 100 at most." }),
});

pipelineRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: "/v1/admin/pipeline/redrive",
    summary: "Send many dead letters again",
    request: { body: { required: true, content: { "application/json": { schema: manySchema } } } },
    responses: responses(
      202,
      "What became of each",
      z.object({ redriven: z.array(z.string()), failed: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })) }),
    ),
  }),
  async (c) => c.json(await redriveMany(c.env, c.req.valid("json").ids, c.get("actor"), Date.now()), 202),
);

pipelineRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: "/v1/admin/pipeline/relist",
    summary: "Rebuild the list of dead letters from R2",
    responses: responses(200, "How many were added", z.object({ added: z.int() })),
  }),
  async (c) => {
    const added = await relistDeadLetters(c.env);
    await audit(c, "dead-letter.relist", "dead-letters", { added });
    return c.json({ added }, 200);
  },
);

const trustSchema = z.object({ device_id: z.uuid(), incarnation: z.uuid(), status: z.literal("trusted"), plays_learnt: z.int() });

pipelineRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: "/v1/admin/devices/{id}/sequencer/trust",
    summary: "Decide that a sequencer whose history was lost may take older plays again",
    description:
      "A sequencer whose storage was lost refuses plays from before its new birth (HISTORY_LOST), since it cannot tell whether they were counted. Trusting it lets them in, after it has learnt from D1 which of them were: those are duplicates then. Wait until the queue has drained, so that D1 knows all of them. Where single plays are kept out of D1 (EVENT_ROWS), it cannot learn and is not trusted.",
    request: { params: z.object({ id: z.uuid() }) },
    responses: responses(200, "The sequencer takes older plays from now on", trustSchema),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const known = await c.env.DB.prepare("SELECT incarnation FROM sequencer_incarnations WHERE device_id = ? ORDER BY born_at DESC LIMIT 1")
      .bind(id)
      .first<{ incarnation: string }>();
    if (!known) throw new Problem("not-found", `No sequencer of a device ${id} was ever born.`);
    if (c.env.EVENT_ROWS === "off") {
      throw new Problem("unprocessable", "Single plays are kept out of D1 (EVENT_ROWS), so the sequencer cannot learn what was counted.", {
        code: "NO_EVENT_ROWS",
      });
    }
    // Learnt first, written down after: were it the other way round, a failure in between would let plays in twice.
    const learnt = await c.env.SEQUENCER.getByName(id).trust();
    const now = Date.now();
    await c.env.DB.batch([
      c.env.DB.prepare("UPDATE sequencer_incarnations SET trusted_at = ? WHERE device_id = ? AND incarnation = ?").bind(
        now,
        id,
        known.incarnation,
      ),
      auditStatement(
        c.env.DB,
        {
          actor: c.get("actor"),
          action: "sequencer.trust",
          targetType: "device",
          targetId: id,
          details: { incarnation: known.incarnation },
        },
        now,
      ),
    ]);
    return c.json({ device_id: id, incarnation: known.incarnation, status: "trusted" as const, plays_learnt: learnt }, 200);
  },
);

async function audit(c: AppContext, action: string, targetId: string, details: Record<string, unknown>): Promise<void> {
  await auditStatement(c.env.DB, { actor: c.get("actor"), action, targetType: "pipeline", targetId, details }, Date.now()).run();
}
