import { createRoute, z } from "@hono/zod-openapi";
import { withOrigin } from "../audit/origin.ts";
import { createHeaders } from "../audit/routes.ts";
import { authorize } from "../auth/access.ts";
import { identify, speaksAsAdmin } from "../auth/admin.ts";
import { OPERATE } from "../auth/principal.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency, replayedHeader } from "../platform/idempotency.ts";
import { toIso } from "../platform/time.ts";
import { dispatchWebhooksSoon } from "../webhooks/dispatch.ts";
import { createAdminClaim, createDeviceClaim, type NewClaim } from "./claims-create.ts";
import { claimPresetsShape } from "./claims-presets.ts";
import { claimDevice, POLL_AFTER_S } from "./pairing.ts";
import { smallBody } from "./pairing-body.ts";
import { addressKey } from "./pairing-limits.ts";
import { fieldProblem } from "./pairing-proof.ts";
import { refreshTokens } from "./refresh.ts";
import { issuedTokensSchema } from "./refresh-tokens.ts";

const DEVICE_INFO_MAX_CHARS = 4096;
const SECRET_MAX_CHARS = 128;
const PROOF_MAX_CHARS = 4096;
const CODE_MAX_CHARS = 64;
/** Answers that hold secrets are kept nowhere on their way (RFC 6749, 5.1). */
const NO_STORE = { "Cache-Control": "no-store" };

const deviceInfoSchema = z
  .record(z.string().max(64), z.unknown())
  .refine(
    (info) => JSON.stringify(info).length <= DEVICE_INFO_MAX_CHARS,
    `It may have ${DEVICE_INFO_MAX_CHARS} characters of JSON at most.`,
  )
  .meta({ description: "What the player says of itself: model, serial, player_version, resolution", example: { model: "Player 4" } });

/** What `parseDeviceKey` judges; its reasons are better than a schema's. */
const publicKeySchema = z.unknown().meta({ description: "A public JWK: RSA of 2048 to 4096 bits, P-256 or Ed25519" });

const createClaim = createRoute({
  method: "post",
  path: "/v1/device/pairing/create-claim",
  tags: ["Pairing"],
  summary: "Make a claim code",
  description:
    "By an administrator: a code with presets, which needs no approval. By anybody else: a code for the player that asks, " +
    "which an administrator must approve; keep the device_code secret.",
  middleware: [smallBody] as const,
  request: {
    headers: createHeaders,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            ...claimPresetsShape,
            device_info: deviceInfoSchema.optional(),
            public_key: publicKeySchema.optional(),
          }),
        },
      },
    },
  },
  responses: responses(
    201,
    "The code, good for ten minutes and one player",
    z.object({
      claim_code: z.string().meta({ example: "BCDFGHJK" }),
      claim_id: z.uuid(),
      expires_at: z.iso.datetime(),
      device_code: z.string().optional().meta({ description: "The asking player's secret" }),
    }),
  ),
});

const claim = createRoute({
  method: "post",
  path: "/v1/device/pairing/claim",
  tags: ["Pairing"],
  summary: "Pair a player by its claim code",
  description:
    "Send device_info, and public_key with its proof, for an administrator's code; device_code, and proof where a key was given, for " +
    "the player's own. The proof is a compact JWS by the key whose payload is the claim code. The same key may repeat its claim for " +
    "ten minutes, in case the answer was lost.",
  middleware: [smallBody] as const,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            claim_code: z.string().max(CODE_MAX_CHARS),
            device_info: deviceInfoSchema.optional(),
            public_key: publicKeySchema.optional(),
            device_code: z.string().max(SECRET_MAX_CHARS).optional(),
            proof: z.string().max(PROOF_MAX_CHARS).optional(),
          }),
        },
      },
    },
  },
  responses: {
    ...responses(200, "The player is paired", issuedTokensSchema),
    202: {
      description: "An administrator has not decided yet: ask again after retry_after_s",
      content: { "application/json": { schema: z.object({ status: z.literal("pending"), retry_after_s: z.int() }) } },
    },
  },
});

const refresh = createRoute({
  method: "post",
  path: "/v1/device/token",
  tags: ["Pairing"],
  summary: "Renew a player's tokens",
  description:
    "The refresh token goes on working until its successor is first used, so a lost answer may be asked for again. Of several " +
    "successors the first that is used counts. Using a token that was superseded revokes all of the player's tokens.",
  middleware: [smallBody] as const,
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ refresh_token: z.string().max(SECRET_MAX_CHARS) }) } },
    },
  },
  responses: responses(200, "A new pair", issuedTokensSchema),
});

/** The calls by which a player gets and keeps its tokens. */
export const pairingRoutes = createRouter()
  .openapi(createClaim, async (c) => {
    const now = Date.now();
    const body = c.req.valid("json");
    if (speaksAsAdmin(c.req.raw)) {
      await identify(c, now);
      authorize(c, OPERATE);
      forbidFields(body, ["device_info", "public_key"], "Only a player says this of itself.");
      const { store_id, group_id, name, device_id } = body;
      const presets = { store_id, group_id, name, device_id };
      const decider = { actor: c.get("actor"), idempotency: await readIdempotency(c) };
      const made = await withOrigin(c, () => createAdminClaim(c.env, presets, decider, now));
      return c.json(presentNewClaim(made), 201, { ...NO_STORE, ...replayedHeader(made.replayed) });
    }
    forbidFields(body, ["store_id", "group_id", "name", "device_id"], "Only an administrator presets this; send a token.");
    if (!body.device_info) throw fieldProblem("/device_info", "A player that asks must say what it is.");
    const asks = { device_info: body.device_info, public_key: body.public_key };
    const made = await createDeviceClaim(c.env, asks, await addressOf(c, "create"), now);
    return c.json({ ...presentNewClaim(made), device_code: made.deviceCode }, 201, NO_STORE);
  })
  .openapi(claim, async (c) => {
    const result = await claimDevice(c.env, c.req.valid("json"), await addressOf(c, "claim"), Date.now());
    if (result.kind === "paired") {
      c.executionCtx.waitUntil(dispatchWebhooksSoon(c.env));
      return c.json(result.tokens, 200, NO_STORE);
    }
    return c.json({ status: "pending" as const, retry_after_s: POLL_AFTER_S }, 202, { ...NO_STORE, "Retry-After": String(POLL_AFTER_S) });
  })
  .openapi(refresh, async (c) => {
    const tokens = await refreshTokens(c.env, c.req.valid("json").refresh_token, Date.now(), c.req.raw.headers);
    return c.json(tokens, 200, NO_STORE);
  });

async function addressOf(c: AppContext, purpose: "claim" | "create"): Promise<string> {
  return await addressKey(c.env.HASH_SECRET, purpose, c.req.raw.headers);
}

function presentNewClaim(made: NewClaim) {
  return { claim_code: made.claimCode, claim_id: made.claimId, expires_at: toIso(made.expiresAt) ?? "" };
}

function forbidFields(body: Record<string, unknown>, fields: readonly string[], detail: string): void {
  for (const field of fields) if (body[field] !== undefined) throw fieldProblem(`/${field}`, detail);
}
