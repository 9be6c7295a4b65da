import { z } from "@hono/zod-openapi";
import { createRouter, responses } from "../../platform/http.ts";
import { proofEventSchema } from "../dialects/proof-event.ts";
import { answerFields, duplicatesAmong, errorsOf } from "./answers.ts";
import { rateHeaders, readBatch, receive } from "./receive.ts";

/** The door for proof events: players that report the start and the end of a play by themselves. */
export const eventRoutes = createRouter();

const PATH = "/v1/device/events";

eventRoutes.post(PATH, async (c) => {
  const { records, epoch, expectedSequence, rate } = await receive(c, "proof-event", (body) => readBatch(body, "proof-event"));
  const errors = errorsOf(records, "event_id");
  const duplicates = duplicatesAmong(records);
  return c.json(
    {
      accepted: records.length - duplicates - errors.length,
      duplicates,
      rejected: errors.length,
      errors,
      epoch,
      expected_sequence: expectedSequence,
      correlation_id: c.get("correlationId"),
    },
    202,
    rateHeaders(rate),
  );
});

// The route above checks by itself, in the order of the product's rules, and is described here for OpenAPI only.
const answerSchema = z
  .object({
    accepted: z.int(),
    duplicates: z.int(),
    rejected: z.int(),
    ...answerFields("event_id"),
  })
  .openapi("EventsAnswer");
eventRoutes.openAPIRegistry.registerPath({
  method: "post",
  path: PATH,
  tags: ["Play logs"],
  security: [{ device: [] }],
  summary: "Report up to 500 starts and ends of plays",
  request: {
    headers: z.object({
      "Sent-At": z.string().optional().meta({ description: "When the request leaves, by the device's clock (RFC 3339)." }),
    }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({ sent_at: z.string().optional(), events: z.array(proofEventSchema.openapi("ProofEvent")).min(1).max(500) })
            .openapi("ProofEvents"),
        },
      },
    },
  },
  responses: responses(202, "What became of the events; accepted + duplicates + rejected = sent.", answerSchema),
});
