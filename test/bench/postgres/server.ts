/**
 * The same intake as an engineer would write it for a server of his own: Fastify, node:crypto, pg with prepared statements, PostgreSQL 15,
 * answering after COMMIT. One or two processes share the port. Runs under the pinned Node:
 *
 *     node test/bench/postgres/server.ts '{"port":8795,"processes":2,"database":"postgres:///bench?host=/tmp/x","secret":"…"}'
 */
import cluster from "node:cluster";
import { createHash, randomUUID } from "node:crypto";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import pg from "pg";
import { type RateWindow, takeRequest } from "../../../src/plays/sequencer/rate.ts";
import { type EpochState, expectedSequence, findSequence, useEpoch } from "../../../src/plays/sequencer/sequence.ts";
import { judge, type PlaybackLog } from "./judge.ts";
import { logSchema } from "./shape.ts";
import { type Candidate, type Catalogue, countRefusals, type Device, keep, loadCatalogue } from "./store.ts";
import { type Identity, identify, prove } from "./verify.ts";

interface ServerOptions {
  port: number;
  processes: number;
  database: string;
  secret: string;
}

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_RECORDS = 100;
/** All processes together hold fewer than PostgreSQL's 100 connections. */
const CONNECTIONS_A_PROCESS = 8;

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
async function serve(): Promise<void> {
  const pool = new pg.Pool({ connectionString: options.database, max: CONNECTIONS_A_PROCESS });
  const intake = new Intake(pool, await loadCatalogue(pool));
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES });
  app.post("/api/v1/playback-logs/batch", (request, reply) => intake.batch(request, reply));
  app.post("/api/v1/playback-logs", (request, reply) => intake.single(request, reply));
  await app.listen({ port: options.port, host: "127.0.0.1" });
}

interface Outcome {
  processed: number;
  duplicates: number;
  errors: { index: number; log_id: string | null; code: string }[];
  epoch: string;
  expected_sequence: number;
}

class Intake {
  readonly #pool: pg.Pool;
  readonly #catalogue: Catalogue;
  readonly #secret = new TextEncoder().encode(options.secret);
  readonly #kid = createHash("sha256").update(`token-kid:${options.secret}`).digest("hex").slice(0, 12);
  readonly #rates = new Map<string, RateWindow>();

  constructor(pool: pg.Pool, catalogue: Catalogue) {
    this.#pool = pool;
    this.#catalogue = catalogue;
  }

  async batch(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const body = request.body as { logs?: unknown } | null;
    const logs = body?.logs;
    if (!Array.isArray(logs) || logs.length === 0 || logs.length > MAX_RECORDS) return reply.code(400).send({ code: "VALIDATION_ERROR" });
    const outcome = await this.#take(request, reply, logs);
    return outcome ? reply.code(202).send({ ...outcome, failed: outcome.errors.length }) : reply;
  }

  async single(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const outcome = await this.#take(request, reply, [request.body]);
    if (!outcome) return reply;
    const [error] = outcome.errors;
    if (error) return reply.code(422).send(error);
    return reply.code(202).send({ status: outcome.duplicates > 0 ? "duplicate" : "accepted", ...outcome });
  }

  /** Null where the request as a whole was refused, and answered. */
  async #take(request: FastifyRequest, reply: FastifyReply, records: unknown[]): Promise<Outcome | null> {
    const receivedAt = Date.now();
    const identity = await identify(request.headers.authorization, this.#secret, this.#kid, receivedAt);
    const device = identity ? this.#catalogue.devices.get(identity.deviceId) : undefined;
    if (!identity || !device || device.token_family_id !== identity.familyId) return turnAway(reply, 401);
    if (device.status !== "active") return turnAway(reply, 403);
    const rate = takeRequest(this.#rates.get(device.id) ?? [], receivedAt, device.requests_per_minute);
    if (!rate.ok) return turnAway(reply, 429);
    this.#rates.set(device.id, rate.window);

    const validate = request.getValidationFunction("body") ?? request.compileValidationSchema(logSchema, "body");
    const checked = await Promise.all(
      records.map(async (record, index) => ({
        index,
        record,
        proof: validate(record) ? await this.#check(record as PlaybackLog, identity) : "VALIDATION_ERROR",
      })),
    );
    const candidates: Candidate[] = [];
    const errors: Outcome["errors"] = [];
    for (const { index, record, proof } of checked) {
      if (typeof proof === "string") errors.push({ index, log_id: (record as Partial<PlaybackLog> | null)?.log_id ?? null, code: proof });
      else candidates.push({ index, log: record as PlaybackLog, proof });
    }
    return await this.#keep(identity, device, receivedAt, sentAtOf(request), candidates, errors);
  }

  async #check(log: PlaybackLog, identity: Identity): ReturnType<typeof prove> {
    if (log.device_id !== identity.deviceId) return "DEVICE_MISMATCH";
    return await prove(log, identity.key, options.processes === 1);
  }

  async #keep(
    identity: Identity,
    device: Device,
    receivedAt: number,
    sentAt: number | null,
    candidates: Candidate[],
    errors: Outcome["errors"],
  ): Promise<Outcome> {
    if (errors.length > 0)
      await countRefusals(
        this.#pool,
        device.id,
        receivedAt,
        errors.map(({ code }) => code),
      );
    if (candidates.length === 0) return { processed: 0, duplicates: 0, errors, epoch: "0", expected_sequence: 1 };
    const request = { device, receivedAt, keyId: identity.kid, correlationId: randomUUID() };
    const kept = await keep(this.#pool, request, candidates, (candidate, epochs) =>
      this.#decide(candidate, epochs, device, receivedAt, sentAt),
    );
    const idOf = new Map(candidates.map(({ index, log }) => [index, log.log_id]));
    errors.push(...kept.refused.map(({ index, code }) => ({ index, code, log_id: idOf.get(index) ?? null })));
    let duplicates = 0;
    for (const { index, log, proof } of candidates) {
      const hash = kept.known.get(log.log_id);
      if (hash === undefined || kept.fresh.has(log.log_id)) continue;
      if (hash === proof.recordHash.toString("hex")) duplicates += 1;
      else errors.push({ index, log_id: log.log_id, code: "ID_CONFLICT" });
    }
    const epoch = kept.epochs.at(-1);
    const processed = candidates.length - errors.filter(({ index }) => idOf.has(index)).length;
    return { processed, duplicates, errors, epoch: epoch?.epoch ?? "0", expected_sequence: epoch ? expectedSequence(epoch) : 1 };
  }

  #decide({ log }: Candidate, epochs: EpochState[], device: Device, receivedAt: number, sentAt: number | null): ReturnType<typeof judge> {
    if (log.campaign_id !== undefined && !this.#catalogue.campaigns.has(log.campaign_id)) return "INVALID_CAMPAIGN";
    const contentDurationMs = this.#catalogue.content.get(log.content_id);
    if (contentDurationMs === undefined) return "INVALID_CONTENT";
    const sequence = log.sequence === undefined ? null : findSequence(useEpoch(epochs, log.epoch ?? "0"), log.sequence);
    return judge(log, { receivedAt, sentAt, store: device.store, contentDurationMs, sequence });
  }
}

function turnAway(reply: FastifyReply, status: number): null {
  void reply.code(status).send({ status });
  return null;
}

function sentAtOf(request: FastifyRequest): number | null {
  const text = request.headers["sent-at"];
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** A benchmark that was interrupted leaves no server behind. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(-process.pid, "SIGKILL");
  }, 1000).unref();
}

if (cluster.isPrimary && options.processes > 1) {
  let ready = 0;
  endWithParent();
  for (let n = 0; n < options.processes; n++) {
    cluster.fork().on("message", () => {
      ready += 1;
      if (ready === options.processes) console.log("ready");
    });
  }
} else {
  await serve();
  if (cluster.isPrimary) {
    endWithParent();
    console.log("ready");
  } else process.send?.("ready");
}
