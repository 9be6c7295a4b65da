import { z } from "@hono/zod-openapi";
import { timeField } from "../platform/fields.ts";

const capsSchema = z.object({ max_plays_per_hour: z.int().optional(), max_plays_per_day: z.int().optional() });

const termsShape = {
  duration_ms: z.int().nullable().meta({ description: "How long it shows; null: a video, to its end." }),
  campaign_id: z.string().nullable(),
  ad_group_id: z.string().nullable(),
  caps: capsSchema.meta({ description: "How often it may play at most. A player passes over what is used up." }),
};

const slotSchema = z
  .object({
    slot_id: z.string().meta({ description: "What a play log cites." }),
    item: z.string().meta({ description: "The content version: a key of items." }),
    playlist_id: z.string().nullable().meta({ description: "Null: the message of a takeover." }),
  })
  .extend(z.object(termsShape).partial().shape)
  .openapi("PlanSlot", { description: "A place in the loop. Fields that are also the item's take the item's place." });

export const segmentSchema = z
  .object({
    from: timeField,
    to: timeField,
    schedule_ids: z.array(z.string()).meta({ description: "Those that play; none: the default playlist." }),
    loop: z.array(slotSchema).meta({ description: "Played over and over." }),
    fallback: z
      .array(slotSchema)
      .optional()
      .meta({ description: "Where every slot of the loop has a cap: what plays when all are used up." }),
    takeover_id: z.string().optional().meta({ description: "The emergency message that stands in place of everything." }),
  })
  .openapi("PlanSegment");

export const itemsSchema = z.record(
  z.string(),
  z
    .object({
      content_id: z.string(),
      type: z.enum(["video", "image", "web"]),
      sha256: z.string(),
      url: z.string().nullable(),
      bytes: z.int().nullable(),
      ...termsShape,
    })
    .openapi("PlanItem"),
);

export const planSchema = z
  .object({
    device_id: z.string(),
    store_id: z.string().nullable(),
    timezone: z.string(),
    valid_from: timeField,
    valid_to: timeField,
    etag: z.string(),
    segments: z.array(segmentSchema).meta({ description: "Without holes, from the first instant of the store's day on." }),
    items: itemsSchema,
  })
  .openapi("Plan");

const reasons = [
  "plays",
  "archived",
  "excluded_store",
  "not_yet",
  "ended",
  "excluded_date",
  "outside_dayparts",
  "takeover",
  "lower_priority",
  "empty_playlist",
  "no_time_left",
] as const;

export const explanationSchema = z
  .object({
    at: timeField,
    local: z.string().meta({ description: "What the store's clock shows then." }),
    timezone: z.string(),
    segment: segmentSchema,
    items: itemsSchema.meta({ description: "Those that the segment plays." }),
    schedules: z.array(
      z
        .object({
          schedule_id: z.string(),
          name: z.string().nullable(),
          playlist_id: z.string(),
          priority: z.int(),
          next_at: timeField.nullable().meta({ description: "When it is on next, as far as the plan of that day reaches." }),
          reason: z.enum(reasons),
          start_date: z.string().optional(),
          end_date: z.string().optional(),
          date: z.string().optional(),
          store_id: z.string().optional(),
          takeover_id: z.string().optional(),
          than: z.array(z.string()).optional().meta({ description: "The schedules of higher priority that play." }),
          their_priority: z.int().optional(),
        })
        .openapi("ExplainedSchedule"),
    ),
  })
  .openapi("PlanExplanation");
