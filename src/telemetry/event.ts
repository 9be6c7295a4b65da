/** What players tell of a showing as it goes on. */
export const TELEMETRY_TYPES = ["play_start", "play_stop", "play_progress", "play_complete", "seek"] as const;
export type TelemetryType = (typeof TELEMETRY_TYPES)[number];

/** An event as its player reported it. Times in ms since 1970, lengths in ms. */
export interface TelemetryEvent {
  type: TelemetryType;
  /** A content's id (UUID, lower case) or external id (ULID, upper case). */
  track: string;
  at: number;
  positionMs: number | null;
  /** How much of the track was played in its session so far. */
  playedMs: number | null;
  sessionId: string | null;
  deviceId: string | null;
  clientVersion: string | null;
  eventId: string | null;
}

/** What the sequencer needs of an event: what tells it apart, and what is counted. */
export interface TelemetryFacts {
  /** A UUID in telemetry's own space of ids. */
  id: string;
  /** 8 bytes of the record's hash, hex. */
  hash: string;
  type: TelemetryType;
  contentId: string;
  at: number;
  positionMs: number | null;
  playedMs: number | null;
  /** 8 bytes of the session's hash, hex; `''` without one. */
  session: string;
  /** The same of session and track; `''` without a session. */
  run: string;
}

/** An event as it travels in a chunk and is summed up. */
export interface TelemetryRow {
  type: TelemetryType;
  content_id: string;
  at: number;
  position_ms: number | null;
  /** What it adds to the time played. */
  played_ms: number;
  session: string;
  received_at: number;
  correlation_id: string;
  /** Whether who sent it is one player; else many that gave no name. */
  named: boolean;
}

interface TelemetryRejection {
  /** The field that is at fault; null where it is no single one. */
  field: string | null;
  error: string;
  retryable: boolean;
}

/** Every reason for which an event is refused. */
export const TELEMETRY_REJECTIONS = {
  VALIDATION_ERROR: { field: null, error: "A field is of the wrong type or form.", retryable: false },
  INVALID_EVENT_TYPE: { field: "eventType", error: `must be one of ${TELEMETRY_TYPES.join(", ")}`, retryable: false },
  INVALID_TRACK_ID: { field: "trackId", error: "must be a content's id (UUID) or external id (ULID)", retryable: false },
  INVALID_TIMESTAMP: {
    field: "clientTimestamp",
    error: "must be an RFC 3339 time, at most 24 hours old (7 days in a batch) and at most 5 min ahead",
    retryable: false,
  },
  INVALID_POSITION: { field: "positionSeconds", error: "must be a number of seconds from 0 to 86400", retryable: false },
  INVALID_DURATION: { field: "durationPlayedSeconds", error: "must be a number of seconds from 0 to 86400", retryable: false },
  INVALID_SESSION_ID: { field: "sessionId", error: "must have 1 to 64 characters", retryable: false },
  INVALID_DEVICE_ID: { field: "deviceId", error: "must have 1 to 64 characters", retryable: false },
  TRACK_ACCESS_DENIED: {
    field: "trackId",
    error: "There is no such track, or the caller may not report on it.",
    retryable: false,
  },
  ID_CONFLICT: { field: "eventId", error: "The id was used for another event.", retryable: false },
  PLAYER_LIMIT: { field: "deviceId", error: "The token reports for 1,000 players already.", retryable: false },
  RATE_LIMIT_EXCEEDED: { field: null, error: "Over the player's rate; send events in batches.", retryable: true },
  SERVICE_UNAVAILABLE: { field: null, error: "Cannot be taken now; send the same event again.", retryable: true },
} as const satisfies Record<string, TelemetryRejection>;

export type TelemetryCode = keyof typeof TELEMETRY_REJECTIONS;

/** The name under which refusals of telemetry are counted, by hour and reason. */
export const TELEMETRY_DOOR = "telemetry";
/** The reason under which thinned events are counted, beside the refusals. */
export const SAMPLED = "SAMPLED";
