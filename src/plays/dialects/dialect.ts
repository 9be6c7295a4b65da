import type { PlayLog } from "../play.ts";
import type { RejectionCode } from "../rejection.ts";

/** A record that has the shape of its dialect. `log.id` is `''` where the record names none. */
export type ShapedRecord = { ok: true; deviceId: string; log: PlayLog } | { ok: false; pointer: string; error: string };

/** A wire format that comes in: how its records are read. Its answers are its routes' (`play-log-routes.ts`, `event-routes.ts`). */
export interface Dialect {
  /** The field by which a record names itself. */
  idField: "log_id" | "event_id";
  /** The field of a body that holds several records, which is also what they are called. */
  listField: "logs" | "impressions" | "events";
  /** Reads one record. Never throws: what is wrong is told by field. `deviceId` is the sender's, for records that name no device. */
  read(record: unknown, deviceId: string): ShapedRecord;
  /** What a refusal by the sequencer means here, where the general sentence says too little. */
  errors: Partial<Record<RejectionCode, string>>;
}
