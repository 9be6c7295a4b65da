import type { Door } from "../policy.ts";
import type { Dialect } from "./dialect.ts";
import { readPlaybackLog } from "./playback-log.ts";
import { proofEvents } from "./proof-event.ts";

/** Which dialect is spoken at which door. Behind it, all records are play logs and go the same way. */
export const DIALECTS: Record<Door, Dialect> = {
  "playback-log": { idField: "log_id", listField: "logs", read: readPlaybackLog, errors: {} },
  impression: { idField: "log_id", listField: "impressions", read: readPlaybackLog, errors: {} },
  stream: { idField: "log_id", listField: "logs", read: readPlaybackLog, errors: {} },
  "proof-event": proofEvents,
};
