// Made of the Worker's OpenAPI document by `bun run types`. Not edited by hand.

export type AdGroup = {
  id: string;
  campaign_id: string;
  name: string;
  tags: (string)[];
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type AdGroupChange = {
  name?: string;
  tags?: (string)[];
  archived?: boolean;
};

export type AdGroupCreate = {
  id?: string;
  campaign_id: string;
  name: string;
  tags?: (string)[];
};

export type ApiToken = {
  id: string;
  name: string;
  role: "admin" | "operator" | "viewer" | "reporter";
  /** What it is held to; null: nothing. */
  scope: Record<string, unknown> | null;
  state: "active" | "expired" | "revoked";
  created_by: string;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
  /** To the hour. */
  last_used_at: string | null;
};

export type ApiTokenCreate = {
  /** Who uses it, and for what */
  name: string;
  /** Five years ahead at most, and not after the end of the token that makes it. Default: in 90 days. */
  expires_at?: string;
  role: "admin" | "operator";
} | {
  /** Who uses it, and for what */
  name: string;
  /** Five years ahead at most, and not after the end of the token that makes it. Default: in 90 days. */
  expires_at?: string;
  role: "viewer";
  /** Absent or null: it sees the whole network. */
  scope?: {
    supplier_id?: string;
    /** As its campaigns have it, letter for letter */
    brand_name?: string;
  } | null;
} | {
  /** Who uses it, and for what */
  name: string;
  /** Five years ahead at most, and not after the end of the token that makes it. Default: in 90 days. */
  expires_at?: string;
  role: "reporter";
  scope: {
    all_content?: true;
    content_ids?: (string)[];
    /** The content that plays for them */
    campaign_ids?: (string)[];
  };
};

export type ApiTokenCreated = (ApiToken) & ({
  /** Shown once: it is kept nowhere, so an answer that is repeated for an Idempotency-Key is without it. */
  token?: string;
});

export type ArchiveState = {
  /** Compacted Parquet files */
  parts: number;
  bytes: number;
  /** Plays that lie in them */
  plays: number;
  /** Segments that wait to be compacted */
  segments_open: number;
  plays_open: number;
  /** Days whose manifest is older than their parts */
  manifests_stale: number;
  /** The first UTC day of receipt that there are parts of */
  first_day: string | null;
  last_day: string | null;
  /** The first day of which all single plays are in the database; null: none ever went */
  single_plays_from: string | null;
  /** The 60 latest days that were compared, those that differ first */
  checks: ({
    day: string;
    checked_at: string;
    /** The sums of the archive are those of the database. */
    matches: boolean;
    findings: Record<string, unknown>;
  })[];
};

export type AuditEntry = {
  id: string;
  actor_user_id: string;
  /** What the user or token is called now; null: neither. */
  actor_name: string | null;
  action: string;
  target_type: string;
  target_id: string;
  /** What it is called now; null: it has no name, or is gone. */
  target_name: string | null;
  created_at: string;
  /** What was before and after, or what was asked. */
  details: Record<string, unknown>;
  /** From where: the address's network (/24, /48), its keyed hash and country. null: not from a person's request. */
  origin: {
    network: string;
    address_hash: string;
    country: string;
    correlation_id: string;
  } | null;
};

export type BatchAnswer = {
  processed: number;
  duplicates: number;
  failed: number;
  errors: ({
    index: number;
    log_id: string | null;
    code: "VALIDATION_ERROR" | "DEVICE_MISMATCH" | "CHECKSUM_MISMATCH" | "SIGNATURE_REQUIRED" | "INVALID_SIGNATURE" | "ID_CONFLICT" | "INVALID_CAMPAIGN" | "INVALID_CONTENT" | "INVALID_TIME_RANGE" | "INVALID_DURATION" | "FUTURE_TIMESTAMP" | "TOO_OLD" | "CLOCK_SKEW" | "HISTORY_LOST";
    error: string;
    retryable: boolean;
  })[];
  epoch: string;
  expected_sequence: number;
  correlation_id: string;
};

export type Campaign = {
  id: string;
  brand_name: string;
  name: string;
  start_date: string | null;
  end_date: string | null;
  tags: (string)[];
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type CampaignChange = {
  brand_name?: string;
  name?: string;
  start_date?: string | null;
  end_date?: string | null;
  tags?: (string)[];
  archived?: boolean;
};

export type CampaignCreate = {
  id?: string;
  brand_name: string;
  name: string;
  start_date?: string | null;
  end_date?: string | null;
  tags?: (string)[];
};

export type Claim = {
  id: string;
  status: "pending" | "approved" | "rejected" | "used" | "expired";
  asked_by: "admin" | "device";
  device_info: Record<string, unknown> | null;
  has_key: boolean;
  store_id: string | null;
  group_id: string | null;
  name: string | null;
  device_id: string | null;
  created_at: string;
  expires_at: string;
  decided_at: string | null;
  decided_by: string | null;
  used_at: string | null;
  used_kid: string | null;
};

export type Content = {
  id: string;
  external_id: string | null;
  name: string;
  type: "video" | "image" | "web";
  tags: (string)[];
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type ContentAnalytics = {
  content_id: string;
  title: string;
  from: string;
  to: string;
  /** The first day that is still kept. */
  kept_from: string;
  starts_count: number;
  completed_count: number;
  /** Time listened or watched, by what sessions have grown. */
  played_seconds: number;
  unique_sessions: Distinct;
  unique_devices: Distinct;
  /** Days with telemetry, the oldest first. */
  days: ({
    day: string;
    starts_count: number;
    completed_count: number;
    /** Time listened or watched, by what sessions have grown. */
    played_seconds: number;
    unique_sessions: Distinct;
    unique_devices: Distinct;
  })[];
};

export type ContentChange = {
  external_id?: string | null;
  name?: string;
  tags?: (string)[];
  archived?: boolean;
};

export type ContentCreate = {
  id?: string;
  external_id?: string | null;
  name: string;
  type: "video" | "image" | "web";
  tags?: (string)[];
};

export type ContentUpload = {
  id: string;
  content_id: string;
  sha256: string;
  bytes: number;
  part_bytes: number;
  version_hash: string | null;
  duration_ms: number | null;
  /** Null until it is complete. */
  version_id: string | null;
  created_at: string;
};

export type ContentUploadCreate = {
  /** Of the whole file. */
  sha256: string;
  /** Of the whole file. */
  bytes: number;
  /** Of each part but the last, which has the rest. */
  part_bytes?: number;
  version_hash?: string | null;
  duration_ms?: number | null;
};

export type ContentUploadPart = {
  number: number;
  bytes: number;
  received_at: string;
};

export type ContentUploadStatus = (ContentUpload) & ({
  parts_count: number;
  /** Those that have arrived. */
  parts: (ContentUploadPart)[];
});

export type ContentVersion = {
  id: string;
  content_id: string;
  version_hash: string;
  url: string | null;
  sha256: string;
  bytes: number | null;
  duration_ms: number | null;
  mime: string | null;
  created_at: string;
};

export type ContentVersionCreate = {
  id?: string;
  /** Of the file; it names the version. A page on the web has that of its address by default. */
  sha256?: string;
  /** Another name of the version. Default: sha256. */
  version_hash?: string;
  /** Where players get it, if it is not kept here. */
  url?: string | null;
  bytes?: number | null;
  duration_ms?: number | null;
  mime?: string | null;
};

export type DeadLetter = {
  id: string;
  device_id: string | null;
  chunk_id: string | null;
  /** UNREADABLE: no chunk. CHUNK_CONFLICT: another chunk stands under its id. UNRECORDABLE: D1 will not have it. */
  reason: string;
  plays_count: number;
  created_at: string;
  redriven_at: string | null;
  /** Whether a chunk stands in the ledger under its id. */
  recorded: boolean;
  r2_key: string;
};

export type DeadLetterContents = (DeadLetter) & ({
  readable: boolean;
  /** Why it cannot be read. */
  error: string | null;
  /** Its first 100 plays, where it can be read. */
  plays: (Record<string, unknown>)[];
  /** Its first 4000 characters, where it cannot. */
  text: string;
});

export type Device = {
  id: string;
  external_name: string;
  store_id: string | null;
  group_id: string | null;
  status: "unpaired" | "active" | "revoked";
  last_seen_at: string | null;
  device_info: Record<string, unknown> | null;
  player_version: string | null;
  created_at: string;
  updated_at: string;
  revoked_at: string | null;
  version: number;
  /** When it was last heard of, where it has fallen silent. */
  offline_at: string | null;
  /** What it said as of last_seen_at, 10 min ago at most. */
  heartbeat: Record<string, unknown> | null;
  /** Newest first; in the answer for a single device only. */
  keys?: (DeviceKey)[];
};

export type DeviceActivity = {
  /** The beginning of the first hour */
  from: string;
  /** Now */
  to: string;
  hours: ({
    at: string;
    /** Recorded plays that started in this hour */
    plays_count: number;
    billable_count: number;
    /** Records refused in this hour */
    refused_count: number;
  })[];
  /** null: it has never sent a heartbeat, or its object does not answer now. */
  heartbeats: {
    last_at: string | null;
    silent: boolean;
    interval_s: number;
    /** One in ten minutes, oldest first */
    samples: ({
      at: string;
      clock_offset_ms: number;
      disk_used_bytes: number;
      disk_total_bytes: number | null;
    })[];
    /** When it was not heard of, and came back */
    silences: ({
      from: string;
      to: string;
    })[];
  } | null;
};

export type DeviceAnalytics = {
  device_id: string;
  from: string;
  to: string;
  /** The first day that is still kept. */
  kept_from: string;
  /** Starts that telemetry told of. What is billed stands in the proof of play. */
  plays_count: number;
  completed_count: number;
  /** Time listened or watched, by what sessions have grown. */
  played_seconds: number;
  distinct_contents: Distinct;
  /** null: none in the range. */
  last_activity_at: string | null;
};

export type DeviceChange = {
  external_name?: string;
  store_id?: string | null;
  group_id?: string | null;
};

export type DeviceCommand = {
  id: string;
  device_id: string;
  type: "reboot" | "refresh_plan" | "screenshot" | "set_volume" | "clear_cache" | "update";
  params: Record<string, unknown>;
  status: "waiting" | "done" | "failed" | "expired" | "cancelled";
  /** What the device said of it. */
  result: Record<string, unknown> | null;
  created_at: string;
  created_by: string;
  expires_at: string;
  settled_at: string | null;
};

export type DeviceCommandCreate = {
  type: "reboot";
  params?: Record<string, unknown>;
  /** How long it waits; a day without it. */
  expires_in_s?: number;
} | {
  type: "refresh_plan";
  params?: Record<string, unknown>;
  /** How long it waits; a day without it. */
  expires_in_s?: number;
} | {
  type: "screenshot";
  params?: Record<string, unknown>;
  /** How long it waits; a day without it. */
  expires_in_s?: number;
} | {
  type: "set_volume";
  params: {
    /** Percent */
    level: number;
  };
  /** How long it waits; a day without it. */
  expires_in_s?: number;
} | {
  type: "clear_cache";
  params?: Record<string, unknown>;
  /** How long it waits; a day without it. */
  expires_in_s?: number;
} | {
  type: "update";
  params?: {
    /** Without it: the newest that the player knows of. */
    version?: string;
  };
  /** How long it waits; a day without it. */
  expires_in_s?: number;
};

export type DeviceCreate = {
  id?: string;
  external_name: string;
  store_id?: string | null;
  group_id?: string | null;
};

export type DeviceGroup = {
  id: string;
  name: string;
  policy: GroupPolicy;
  default_playlist_id: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type DeviceGroupChange = {
  name?: string;
  policy?: GroupPolicy;
  /** What plays where no schedule is on */
  default_playlist_id?: string | null;
};

export type DeviceGroupCreate = {
  id?: string;
  name: string;
  policy?: GroupPolicy;
  /** What plays where no schedule is on */
  default_playlist_id?: string | null;
};

export type DeviceKey = {
  kid: string;
  alg: "RS256" | "PS256" | "ES256" | "EdDSA";
  valid_from: string;
  valid_to: string | null;
};

export type Distinct = {
  count: number;
  /** As a share of the count: 0 where it is exact (up to 256), else that of the sketch, 0.0163. */
  standard_error: number;
};

export type EventsAnswer = {
  accepted: number;
  duplicates: number;
  rejected: number;
  errors: ({
    index: number;
    event_id: string | null;
    code: "VALIDATION_ERROR" | "DEVICE_MISMATCH" | "CHECKSUM_MISMATCH" | "SIGNATURE_REQUIRED" | "INVALID_SIGNATURE" | "ID_CONFLICT" | "INVALID_CAMPAIGN" | "INVALID_CONTENT" | "INVALID_TIME_RANGE" | "INVALID_DURATION" | "FUTURE_TIMESTAMP" | "TOO_OLD" | "CLOCK_SKEW" | "HISTORY_LOST";
    error: string;
    retryable: boolean;
  })[];
  epoch: string;
  expected_sequence: number;
  correlation_id: string;
};

export type ExplainedSchedule = {
  schedule_id: string;
  name: string | null;
  playlist_id: string;
  priority: number;
  /** When it is on next, as far as the plan of that day reaches. */
  next_at: string | null;
  reason: "plays" | "archived" | "excluded_store" | "not_yet" | "ended" | "excluded_date" | "outside_dayparts" | "takeover" | "lower_priority" | "empty_playlist" | "no_time_left";
  start_date?: string;
  end_date?: string;
  date?: string;
  store_id?: string;
  takeover_id?: string;
  /** The schedules of higher priority that play. */
  than?: (string)[];
  their_priority?: number;
};

export type GroupPolicy = {
  requests_per_minute?: number;
  max_age_hours?: {
    "playback-log"?: number;
    impression?: number;
    stream?: number;
    "proof-event"?: number;
  };
  signature?: "required" | "optional";
  unsigned_billable?: boolean;
  batch_signature?: boolean;
  storage_cap_bytes?: number;
  heartbeat_interval_s?: number;
};

export type Health = {
  status: "ok" | "failed";
  parts: {
    database: "ok" | "failed";
    storage: "ok" | "failed";
    queue: "ok" | "failed";
  };
};

export type Heartbeat = {
  /** Now, by the device's clock (RFC 3339). */
  device_time: string;
  now_playing: NowPlaying;
  disk_used_bytes: number;
  disk_total_bytes?: number | null;
  /** Of the plan that is played; null without one. */
  plan_etag: string | null;
  /** Cut to 500 characters. */
  last_error?: string | null;
  /** Numbers that only grow. `restarts` and `download_failures` are watched. */
  counters: Record<string, number>;
  player_version?: string | null;
  /** What became of commands. Sent again until the command is no longer among the answer's. */
  command_results?: ({
    id: string;
    status: "done" | "failed";
    /** Up to 2,000 bytes; cut where it is longer. */
    detail?: Record<string, unknown> | null;
  })[] | null;
};

export type HeartbeatAnswer = {
  server_time: string;
  /** Device − server. */
  clock_offset_ms: number;
  /** Of the plan as it is now; null: fetch it to find out, with If-None-Match. */
  plan_etag: string | null;
  epoch: string;
  expected_sequence: number;
  commands: ({
    id: string;
    type: "reboot" | "refresh_plan" | "screenshot" | "set_volume" | "clear_cache" | "update";
    params: Record<string, unknown>;
    created_at: string;
    expires_at: string;
  })[];
  policy: {
    heartbeat_interval_s: number;
    storage_cap_bytes: number | null;
    requests_per_minute: number;
    signature: "required" | "optional";
    batch_signature: boolean;
  };
  next_heartbeat_s: number;
};

export type ImpressionBatch = {
  sent_at?: string;
  impressions: (PlaybackLog)[];
};

export type Incident = {
  id: string;
  /** null for what is no device's. */
  device_id: string | null;
  device_name: string | null;
  /** Where the device stands now */
  store_id: string | null;
  store_name: string | null;
  /** The store's */
  timezone: string | null;
  type: "OFFLINE_DURING_HOURS" | "PLAYBACK_STUCK" | "DOWNLOAD_FAIL" | "LOW_STORAGE" | "CRASH_LOOP" | "CLOCK_DRIFT" | "SEQUENCE_GAP" | "PIPELINE_LAG" | "ARCHIVE_MISMATCH" | "TOKEN_REUSE" | "CHUNK_CONFLICT";
  severity: "low" | "medium" | "high";
  details: Record<string, unknown>;
  created_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  /** What that user or token is called now; null for who sees only a part. */
  acknowledged_by_name: string | null;
  notes: string | null;
  resolved_at: string | null;
  /** Who resolved it; null where it resolved itself. */
  resolved_by: string | null;
  resolved_by_name: string | null;
  version: number;
};

export type IncidentChange = {
  notes: string | null;
};

export type Invitation = {
  id: string;
  /** Of the first administrator; of somebody new; a new password. */
  kind: "setup" | "invitation" | "reset";
  email: string | null;
  /** Whose new password. */
  user_id: string | null;
  role: "admin" | "operator" | "viewer";
  scope: Record<string, unknown> | null;
  state: "open" | "accepted" | "expired" | "revoked";
  created_by: string;
  created_at: string;
  expires_at: string;
  accepted_at: string | null;
  accepted_by: string | null;
  revoked_at: string | null;
};

export type InvitationCreate = {
  email: string;
  role: "admin" | "operator" | "viewer";
  /** For viewers. Absent or null: they see the whole network. */
  scope?: {
    supplier_id?: string;
    /** As its campaigns have it, letter for letter */
    brand_name?: string;
  } | null;
};

export type InvitationMade = (Invitation) & ({
  /** To be sent to whom it is for. Shown once, as the token in it: neither is kept. */
  link?: string;
  token?: string;
});

export type IssuedTokens = {
  device_id: string;
  /** JWT for Authorization: Bearer, good for an hour */
  device_token: string;
  /** When the device token ends */
  expires_at: string;
  /** Gets the next pair; works for 90 days, until its successor is first used */
  refresh_token: string;
};

export type Me = {
  id: string;
  kind: "user" | "token" | "secret";
  name: string;
  email: string | null;
  role: "admin" | "operator" | "viewer" | "reporter";
  scope: Record<string, unknown> | null;
  two_factor_enabled: boolean | null;
  session: {
    id: string;
    created_at: string;
    expires_at: string;
  } | null;
};

export type NowPlaying = {
  content_id?: string | null;
  content_version?: string | null;
  campaign_id?: string | null;
  playlist_id?: string | null;
  slot_id?: string | null;
  started_at?: string | null;
  /** How long the item lasts: playing is stuck after three of these, and 15 min at least. */
  duration_s?: number | null;
} | null;

export type OperatingHours = {
  mon?: ({
    from: string;
    to: string;
  })[];
  tue?: ({
    from: string;
    to: string;
  })[];
  wed?: ({
    from: string;
    to: string;
  })[];
  thu?: ({
    from: string;
    to: string;
  })[];
  fri?: ({
    from: string;
    to: string;
  })[];
  sat?: ({
    from: string;
    to: string;
  })[];
  sun?: ({
    from: string;
    to: string;
  })[];
  holidays?: ({
    date: string;
    hours: ({
      from: string;
      to: string;
    })[];
  })[];
} | null;

export type Overview = {
  generated_at: string;
  /** How many there are of each */
  devices: {
    online: number;
    /** Paired, and fallen silent */
    offline: number;
    /** Paired, and has sent no heartbeat yet */
    never_seen: number;
    unpaired: number;
    revoked: number;
  };
  /** Plays by the minute in which they were recorded, the last hour's. null to a viewer of one supplier. */
  minutes: ({
    at: string;
    plays_count: number;
  })[] | null;
  /** What was refused in the last 24 hours, by code, the most first */
  refused: ({
    code: string;
    count: number;
    devices: number;
  })[];
  /** Those that are open */
  incidents: {
    high: number;
    medium: number;
    low: number;
    unacknowledged: number;
  };
};

export type Pipeline = {
  queues: Record<string, {
      backlog_count: number | null;
      backlog_bytes: number | null;
      oldest_message_at: string | null;
    }>;
  ledger: {
    last_recorded_at: string | null;
  };
  dead_letters: {
    open: number;
    plays: number;
  };
  aggregates: {
    marked_days: number;
    oldest_marked_day: string | null;
    generations: number;
  };
  archive: {
    segments_to_compact: number;
  };
  profile_pushes: {
    open: number;
    oldest_at: string | null;
  };
  jobs: ({
    job: string;
    ran_at: string;
    ok: boolean;
    result?: unknown;
  })[];
  generated_at: string;
};

export type Plan = {
  device_id: string;
  store_id: string | null;
  timezone: string;
  valid_from: string;
  valid_to: string;
  etag: string;
  /** Without holes, from the first instant of the store's day on. */
  segments: (PlanSegment)[];
  items: Record<string, PlanItem>;
};

export type PlanExplanation = {
  at: string;
  /** What the store's clock shows then. */
  local: string;
  timezone: string;
  segment: PlanSegment;
  /** Those that the segment plays. */
  items: Record<string, PlanItem>;
  schedules: (ExplainedSchedule)[];
};

export type PlanItem = {
  content_id: string;
  type: "video" | "image" | "web";
  sha256: string;
  url: string | null;
  bytes: number | null;
  /** How long it shows; null: a video, to its end. */
  duration_ms: number | null;
  campaign_id: string | null;
  ad_group_id: string | null;
  /** How often it may play at most. A player passes over what is used up. */
  caps: {
    max_plays_per_hour?: number;
    max_plays_per_day?: number;
  };
};

export type PlanSegment = {
  from: string;
  to: string;
  /** Those that play; none: the default playlist. */
  schedule_ids: (string)[];
  /** Played over and over. */
  loop: (PlanSlot)[];
  /** Where every slot of the loop has a cap: what plays when all are used up. */
  fallback?: (PlanSlot)[];
  /** The emergency message that stands in place of everything. */
  takeover_id?: string;
};

/** A place in the loop. Fields that are also the item's take the item's place. */
export type PlanSlot = {
  /** What a play log cites. */
  slot_id: string;
  /** The content version: a key of items. */
  item: string;
  /** Null: the message of a takeover. */
  playlist_id: string | null;
  /** How long it shows; null: a video, to its end. */
  duration_ms?: number | null;
  campaign_id?: string | null;
  ad_group_id?: string | null;
  /** How often it may play at most. A player passes over what is used up. */
  caps?: {
    max_plays_per_hour?: number;
    max_plays_per_day?: number;
  };
};

export type PlannedReport = {
  /** Where the plays were read, as of proof of play. */
  source: "aggregates" | "events" | "device_activity";
  generated_at: string;
  from: string;
  to: string;
  group_by: ("day" | "device" | "campaign" | "store" | "supplier")[];
  items: (PlannedRow)[];
  /** Follow it to null: a page may hold fewer rows than asked for, even none. */
  next_cursor: string | null;
  totals?: {
    /** Plays that start in the plan's time. null: no plan stood, so nothing is known; 0: one stood, and had nothing of this. */
    planned_plays: number | null;
    planned_ms: number | null;
    /** Accepted plays of any status. */
    played_plays: number;
    /** null where source is device_activity: by device and day alone. */
    completed: number | null;
    billable_plays: number;
    played_ms: number;
    /** played_plays / planned_plays, to four places; null where none was planned. */
    delivery: number | null;
  };
};

export type PlannedRow = {
  day?: string;
  device_id?: string | null;
  device_name?: string | null;
  /** null: filler, and messages of takeovers. */
  campaign_id?: string | null;
  campaign_name?: string | null;
  store_id?: string | null;
  store_name?: string | null;
  supplier_id?: string | null;
  supplier_name?: string | null;
  /** Plays that start in the plan's time. null: no plan stood, so nothing is known; 0: one stood, and had nothing of this. */
  planned_plays: number | null;
  planned_ms: number | null;
  /** Accepted plays of any status. */
  played_plays: number;
  /** null where source is device_activity: by device and day alone. */
  completed: number | null;
  billable_plays: number;
  played_ms: number;
  /** played_plays / planned_plays, to four places; null where none was planned. */
  delivery: number | null;
};

export type PlayOfReport = {
  event_id: string;
  device_id: string;
  device_name: string | null;
  /** The store's day that it counts for */
  day: string;
  /** Of its store */
  timezone: string | null;
  /** Corrected by the clock's offset */
  started_at: string;
  ended_at: string;
  /** As the device's clock had it */
  started_at_raw: string;
  ended_at_raw: string;
  received_at: string;
  duration_ms: number;
  expected_ms: number | null;
  type: string;
  result: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR";
  billable: boolean;
  quality: number;
  flags: (string)[];
  door: string;
  epoch: string;
  sequence: number | null;
  /** null: filler */
  campaign_id: string | null;
  campaign_name: string | null;
  ad_group_id: string | null;
  store_id: string | null;
  store_name: string | null;
  supplier_id: string | null;
  content_id: string;
  content_name: string | null;
  content_version: string | null;
  playlist_id: string | null;
  slot_id: string | null;
  record_hash: string;
  key_id: string | null;
  policy_version: string;
  correlation_id: string;
  /** device.incarnation.number of the chunk that it travelled in */
  chunk: string;
  /** The archive's segment, where it was read there; give it with the question for the proof. */
  segment_id: string | null;
};

export type PlayProof = {
  play: PlayOfReport;
  /** What the device sent, without the signature */
  record: Record<string, unknown> | null;
  /** The same as JCS (RFC 8785), byte for byte what was signed, where the record itself was */
  record_text: string;
  /** SHA-256 of the record without its checksum, computed now */
  record_hash: string;
  /** That hash is the one recorded with the play. */
  record_holds: boolean;
  signed_by: "record" | "batch" | "nobody";
  signature: string | null;
  /** Checked now, with the device's registered key. null: there is none. */
  signature_holds: boolean | null;
  /** What was signed, where the batch was: the record's SHA-256 is among the lines. */
  batch_lines: string | null;
  /** The device's public key */
  key: {
    kid: string;
    jwk: Record<string, unknown>;
  } | null;
  archive: {
    segment_id: string;
    r2_key: string;
    sha256: string;
    chunk: string;
    chunk_index: number;
  };
};

export type PlayVerdict = {
  log_id: string;
  status: "accepted" | "duplicate";
  billable: boolean;
  quality_score: number;
  flags: (string)[];
  epoch: string;
  expected_sequence: number;
  correlation_id: string;
};

export type PlaybackLog = {
  log_id?: string | null;
  device_id: string;
  campaign_id?: string | null;
  ad_group_id?: string | null;
  content_id: string;
  content_version?: string | null;
  playlist_id?: string | null;
  slot_id?: string | null;
  started_at: string;
  ended_at: string;
  duration_actual?: number | null;
  duration_seconds?: number | null;
  duration_expected?: number | null;
  status: string;
  sequence?: number | null;
  epoch?: string | null;
  location?: {
    lat: number;
    lng: number;
  } | null;
  screenshot_hash?: string | null;
  metadata?: Record<string, unknown> | null;
  checksum?: string | null;
  signature?: string | null;
};

export type PlaybackLogBatch = {
  sent_at?: string;
  logs: (PlaybackLog)[];
};

export type Playlist = {
  id: string;
  name: string;
  campaign_id: string | null;
  ad_group_id: string | null;
  tags: (string)[];
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
  /** In their order; in the answer for a single playlist only. */
  items?: (PlaylistItem)[];
};

export type PlaylistChange = {
  name?: string;
  /** Whose plays these are. Without one they are filler, and never billed. */
  campaign_id?: string | null;
  /** A part of that campaign */
  ad_group_id?: string | null;
  tags?: (string)[];
  archived?: boolean;
};

export type PlaylistCreate = {
  id?: string;
  name: string;
  /** Whose plays these are. Without one they are filler, and never billed. */
  campaign_id?: string | null;
  /** A part of that campaign */
  ad_group_id?: string | null;
  tags?: (string)[];
};

export type PlaylistItem = {
  id: string;
  playlist_id: string;
  content_version_id: string;
  content_id: string;
  content_name: string;
  order_index: number;
  weight: number;
  duration_ms: number | null;
};

export type PlaylistItemChange = {
  /** How often it appears in one round, evenly spread. Default: 1. */
  weight?: number;
  /** How long an image or a page plays; 10 s where none is given. A video plays for its own length. */
  duration_ms?: number | null;
  order_index?: number;
};

export type PlaylistItemCreate = {
  content_version_id: string;
  /** How often it appears in one round, evenly spread. Default: 1. */
  weight?: number;
  /** How long an image or a page plays; 10 s where none is given. A video plays for its own length. */
  duration_ms?: number | null;
  /** From 0. Default: the end. */
  order_index?: number;
};

export type PlaylistItems = {
  items: ({
    /** Of an item that is there already; it keeps it. */
    id?: string;
    content_version_id: string;
    /** How often it appears in one round, evenly spread. Default: 1. */
    weight?: number;
    /** How long an image or a page plays; 10 s where none is given. A video plays for its own length. */
    duration_ms?: number | null;
  })[];
};

export type PlaysOfReport = {
  /** events: the database's single plays, newest first. archive: the day's Parquet files, in the order of recording. */
  source: "events" | "archive";
  items: (PlayOfReport)[];
  /** Follow it to null: a page may hold fewer plays than asked for, even none. */
  next_cursor: string | null;
  /** Segments of the archive that could not be read: their plays are missing here. */
  damaged: ({
    segment_id: string;
    problem: string;
  })[];
};

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  correlation_id: string;
  errors?: ({
    pointer: string;
    detail: string;
  })[];
};

export type ProofEvent = {
  event_id?: string | null;
  device_id?: string | null;
  type: string;
  play_id?: string | null;
  device_time_ts: string;
  playlist_id?: string | null;
  campaign_id?: string | null;
  content_id: string;
  content_version?: string | null;
  duration_ms?: number | null;
  result?: string | null;
  payload?: unknown;
  sequence?: number | null;
  epoch?: string | null;
  checksum?: string | null;
  signature?: string | null;
};

export type ProofEvents = {
  sent_at?: string;
  events: (ProofEvent)[];
};

export type ProofOfPlayReport = {
  /** What was read. aggregates: sums, for as long as the product runs. events: single plays, for questions by device inside the hot window. device_activity: sums by device and day, beyond it: plays, billable and duration only. */
  source: "aggregates" | "events" | "device_activity";
  generated_at: string;
  from: string;
  to: string;
  group_by: ("day" | "campaign" | "ad_group" | "store" | "supplier" | "content" | "device" | "status")[];
  items: (ProofOfPlayRow)[];
  next_cursor: string | null;
  totals?: {
    /** Accepted plays of any status. */
    plays_count: number;
    completed_count?: number;
    partial_count?: number;
    skipped_count?: number;
    interrupted_count?: number;
    error_count?: number;
    billable_count: number;
    /** Reported starts; a start is not a play. */
    starts_count?: number;
    total_duration_ms: number;
  };
};

export type ProofOfPlayRow = {
  day?: string;
  /** null: filler, played without a campaign. */
  campaign_id?: string | null;
  campaign_name?: string | null;
  ad_group_id?: string | null;
  ad_group_name?: string | null;
  store_id?: string | null;
  store_name?: string | null;
  supplier_id?: string | null;
  supplier_name?: string | null;
  content_id?: string | null;
  content_name?: string | null;
  device_id?: string | null;
  device_name?: string | null;
  status?: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR";
  /** Accepted plays of any status. */
  plays_count: number;
  completed_count?: number;
  partial_count?: number;
  skipped_count?: number;
  interrupted_count?: number;
  error_count?: number;
  billable_count: number;
  /** Reported starts; a start is not a play. */
  starts_count?: number;
  /** null by status, unless source is events: the aggregates keep no duration by status. */
  total_duration_ms: number | null;
};

export type RecordedPlay = {
  event_id: string;
  /** The store's day that it counts for */
  day: string;
  /** Corrected by the clock's offset */
  started_at: string;
  ended_at: string;
  /** As the device's clock had it */
  started_at_raw: string;
  received_at: string;
  duration_ms: number;
  expected_ms: number | null;
  result: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR";
  billable: boolean;
  quality: number;
  flags: (string)[];
  door: string;
  epoch: string;
  sequence: number | null;
  content_id: string;
  content_name: string | null;
  content_version: string | null;
  /** null: filler */
  campaign_id: string | null;
  campaign_name: string | null;
  playlist_id: string | null;
  slot_id: string | null;
  store_id: string | null;
  record_hash: string;
  key_id: string | null;
  policy_version: string;
  correlation_id: string;
};

export type Refusals = {
  from: string;
  to: string;
  items: ({
    code: string;
    /** What the code means */
    error: string | null;
    retryable: boolean;
    count: number;
    doors: (string)[];
    /** How many devices sent such records */
    devices: number;
    /** The 5 devices that sent the most of them */
    most: ({
      device_id: string;
      device_name: string | null;
      count: number;
    })[];
  })[];
  /** Each hour, also those in which nothing was refused */
  hours: ({
    at: string;
    count: number;
  })[];
};

export type RefusedRecords = {
  items: ({
    at: string;
    door: string;
    code: string;
    error: string;
    log_id: string | null;
    /** The record as received, cut where it is long. */
    record: string;
  })[];
};

export type Replay = {
  id: string;
  /** `incomplete`: something of the archive could not be read (see `damaged`), and the aggregates were left as they are. */
  status: "filling" | "done" | "incomplete" | "abandoned";
  from_day: string;
  to_day: string;
  /** Segments with plays of these days from before the replay began. */
  segments_total: number;
  segments_filled: number;
  /** What could not be read, or is not there: segment, day or chunk. */
  damaged: (Record<string, unknown>)[];
  requested_by: string;
  created_at: string;
  ended_at: string | null;
};

export type Schedule = {
  id: string;
  name: string;
  target_type: "DEVICE" | "GROUP";
  target_id: string;
  playlist_id: string;
  timezone: string;
  rules: ScheduleRules;
  tags: (string)[];
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type ScheduleChange = {
  name?: string;
  target_type?: "DEVICE" | "GROUP";
  /** A device's or a device group's id */
  target_id?: string;
  playlist_id?: string;
  /** "store" (the default): the zone of the store where the device stands. Or an IANA zone. */
  timezone?: string;
  rules?: ScheduleRules;
  tags?: (string)[];
  archived?: boolean;
};

export type ScheduleCreate = {
  id?: string;
  name: string;
  target_type: "DEVICE" | "GROUP";
  /** A device's or a device group's id */
  target_id: string;
  playlist_id: string;
  /** "store" (the default): the zone of the store where the device stands. Or an IANA zone. */
  timezone?: string;
  rules?: ScheduleRules;
  tags?: (string)[];
};

export type ScheduleRules = {
  /** Of schedules that are on, the highest play. */
  priority?: number;
  /** The first day, by the clock of the schedule's zone */
  start_date?: string | null;
  /** The last day, included */
  end_date?: string | null;
  dayparts?: ({
    days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
    from: string;
    to: string;
  })[];
  frequency_cap?: {
    max_plays_per_hour?: number;
    max_plays_per_day?: number;
  } | null;
  exclusions?: {
    dates?: (string)[];
    store_ids?: (string)[];
  } | null;
  /** Its part of the loop among schedules of its priority. */
  weight?: number;
  /** Seconds of every hour, evenly interleaved, before the others share what is left. */
  share_of_voice_s_per_hour?: number | null;
};

export type SequencerStatus = {
  incarnation: string | null;
  /** Its storage was lost: plays from before its birth wait for an operator's decision. */
  history_lost: boolean;
  /** Plays ever accepted by this incarnation. */
  accepted: number;
  waiting_plays: number;
  unconfirmed_chunks: number;
  unconfirmed_plays: number;
  outbox_bytes: number;
  uncounted_refusals: number;
  epochs: ({
    epoch: string;
    expected_sequence: number;
    /** Numbers that never came, as ranges: the gaps. */
    missing: ((number)[])[];
  })[];
};

export type Session = {
  id: string;
  current: boolean;
  /** From where: /24 of IPv4, /48 of IPv6. */
  network: string;
  user_agent: string;
  created_at: string;
  /** To some minutes. */
  last_seen_at: string;
  expires_at: string;
};

export type StartedReplay = {
  id: string;
  status: "filling";
  from_day: string;
  to_day: string;
  requested_by: string;
  created_at: string;
};

export type Store = {
  id: string;
  supplier_id: string;
  name: string;
  city: string | null;
  area: string | null;
  address: string | null;
  timezone: string;
  lat: number | null;
  lng: number | null;
  operating_hours: OperatingHours;
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type StoreChange = {
  supplier_id?: string;
  name?: string;
  timezone?: string;
  city?: string | null;
  area?: string | null;
  address?: string | null;
  lat?: number | null;
  lng?: number | null;
  operating_hours?: OperatingHours;
  archived?: boolean;
};

export type StoreCreate = {
  id?: string;
  supplier_id: string;
  name: string;
  timezone: string;
  city?: string | null;
  area?: string | null;
  address?: string | null;
  lat?: number | null;
  lng?: number | null;
  operating_hours?: OperatingHours;
};

export type StoredScreenshot = {
  sha256: string;
  bytes: number;
  mime: string;
};

export type Supplier = {
  id: string;
  name: string;
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type SupplierChange = {
  name?: string;
  archived?: boolean;
};

export type SupplierCreate = {
  id?: string;
  name: string;
};

export type Takeover = {
  id: string;
  name: string;
  target_type: "ALL" | "GROUP" | "STORE";
  /** null: the whole network. */
  target_id: string | null;
  playlist_id: string | null;
  content_version_id: string | null;
  started_at: string;
  /** When it ends or ended by itself; null: it stands until it is lifted. */
  ends_at: string | null;
  lifted_at: string | null;
  lifted_by: string | null;
  created_at: string;
  created_by: string;
  /** Whether it is on now: neither lifted nor ended. */
  active: boolean;
};

export type TakeoverCreate = {
  /** For people: what it is about */
  name: string;
  /** The whole network, a device group, or a store */
  target_type: "ALL" | "GROUP" | "STORE";
  /** The group's or store's id. Left out for ALL. */
  target_id?: string | null;
  /** What is shown: a playlist, */
  playlist_id?: string | null;
  /** or a single content version. */
  content_version_id?: string | null;
  /** When it ends by itself. Without it, it stands until it is lifted. */
  ends_at?: string | null;
};

export type TelemetryAnswer = {
  accepted: true;
  sampled?: true;
  correlationId: string;
};

export type TelemetryBatch = {
  events: (TelemetryEvent)[];
};

export type TelemetryBatchAnswer = {
  /** Sampled ones among them. */
  accepted: number;
  rejected: number;
  duplicates: number;
  sampled?: true;
  sampledCount?: number;
  correlationId: string;
  errors: ({
    index: number;
    eventId: string | null;
    code: "VALIDATION_ERROR" | "INVALID_EVENT_TYPE" | "INVALID_TRACK_ID" | "INVALID_TIMESTAMP" | "INVALID_POSITION" | "INVALID_DURATION" | "INVALID_SESSION_ID" | "INVALID_DEVICE_ID" | "TRACK_ACCESS_DENIED" | "ID_CONFLICT" | "PLAYER_LIMIT" | "RATE_LIMIT_EXCEEDED" | "SERVICE_UNAVAILABLE";
    error: string;
    retryable: boolean;
  })[];
};

export type TelemetryEvent = {
  /** In any case. */
  eventType: "play_start" | "play_stop" | "play_progress" | "play_complete" | "seek";
  /** A content's id (UUID) or external id (ULID). */
  trackId: string;
  /** At most 24 hours old, 7 days in a batch; at most 5 min ahead. */
  clientTimestamp: string;
  positionSeconds?: number;
  /** How much of the track was played in the session so far: only what it has grown by is added. */
  durationPlayedSeconds?: number;
  sessionId?: string;
  /** A reporter's name for its player, hashed already. */
  deviceId?: string;
  clientVersion?: string;
  /** Absent: derived from the event, so that a retry still meets itself. */
  eventId?: string;
};

export type TelemetryFeed = {
  items: (TelemetryFeedEvent)[];
};

export type TelemetryFeedEvent = {
  type: "play_start" | "play_stop" | "play_progress" | "play_complete" | "seek";
  content_id: string;
  title: string | null;
  /** null: a reporter that names no device. */
  device_id: string | null;
  /** By the player's clock. */
  at: string;
  received_at: string;
  position_seconds: number | null;
};

export type TopContent = {
  since: string;
  items: ({
    content_id: string;
    title: string;
    starts_count: number;
    completed_count: number;
    /** Time listened or watched, by what sessions have grown. */
    played_seconds: number;
  })[];
};

export type User = {
  id: string;
  name: string;
  email: string;
  role: "admin" | "operator" | "viewer";
  /** What a viewer is held to; null: nothing. */
  scope: Record<string, unknown> | null;
  two_factor_enabled: boolean;
  last_sign_in_at: string | null;
  disabled_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
};

export type UserChange = {
  name?: string;
  role?: "admin" | "operator" | "viewer";
  scope?: {
    supplier_id?: string;
    /** As its campaigns have it, letter for letter */
    brand_name?: string;
  } | null;
  disabled?: boolean;
};

export type Webhook = {
  id: string;
  name: string;
  url: string;
  events: ("incident.opened" | "incident.resolved" | "device.paired" | "playback.logged")[];
  status: "active" | "disabled";
  /** BY_HAND: by an administrator. GONE: the receiver answered 410. FAILURES: nothing got through for five days. */
  disabled_reason: "BY_HAND" | "GONE" | "FAILURES" | null;
  disabled_at: string | null;
  /** Since when nothing got through; null: the last attempt did */
  failing_since_at: string | null;
  /** Grows with each new secret */
  secret_version: number;
  /** Until when messages are signed with the secret before, too */
  previous_secret_expires_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
  /** Messages that are still to be delivered; of a single webhook */
  messages_pending?: number;
};

export type WebhookAttempt = {
  id: string;
  webhook_id: string;
  message_id: string;
  created_at: string;
  outcome: "delivered" | "refused" | "gone" | "redirect" | "timeout" | "unreachable" | "forbidden_target" | "unreadable";
  status_code: number | null;
  duration_ms: number;
  error: string | null;
  /** The beginning of the answer's body */
  response: string | null;
  /** Of the body that was sent */
  body_sha256: string | null;
};

export type WebhookChange = {
  name?: string;
  /** https on port 443 of a public domain name. Redirects are not followed. */
  url?: string;
  events?: ("incident.opened" | "incident.resolved" | "device.paired" | "playback.logged")[];
  status?: "active" | "disabled";
};

export type WebhookCreate = {
  name: string;
  /** https on port 443 of a public domain name. Redirects are not followed. */
  url: string;
  events: ("incident.opened" | "incident.resolved" | "device.paired" | "playback.logged")[];
};

export type WebhookCreated = (Webhook) & ({
  /** Signs the messages (Standard Webhooks). Shown once. */
  secret: string;
});

export type WebhookMessage = {
  /** The webhook-id that the receiver sees, at every attempt */
  id: string;
  webhook_id: string;
  type: "incident.opened" | "incident.resolved" | "device.paired" | "playback.logged" | "webhook.test";
  /** When it happened */
  created_at: string;
  status: "pending" | "delivered" | "failed";
  tries: number;
  next_attempt_at: string | null;
  ended_at: string | null;
  /** Of playback.logged: the segment of the archive whose plays it tells */
  segment_id: string | null;
  /** Which 500 of the segment's plays, from 1 */
  part: number | null;
};

export type WebhookSecret = {
  id: string;
  /** Shown once */
  secret: string;
  secret_version: number;
  previous_secret_expires_at: string | null;
  version: number;
};

/** Every call of the API. */
export interface Api {
  "DELETE /v1/admin/content/{id}/uploads/{upload_id}": {
    path: { id: string; upload_id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/device-groups/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/me/sessions/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/playlists/{id}/items/{item_id}": {
    path: { id: string; item_id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/schedules/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/stores/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/suppliers/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/users/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "DELETE /v1/admin/webhooks/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: null;
  };
  "GET /healthz": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: Health;
  };
  "GET /metrics": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: string;
  };
  "GET /v1/admin/ad-groups": {
    path: undefined;
    query: { limit?: number; cursor?: string; campaign_id?: string; tag?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (AdGroup)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/ad-groups/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: AdGroup;
  };
  "GET /v1/admin/analytics/content/{id}": {
    path: { id: string };
    query: { from?: string; to?: string };
    body: undefined;
    answer: ContentAnalytics;
  };
  "GET /v1/admin/analytics/devices/{id}": {
    path: { id: string };
    query: { from?: string; to?: string };
    body: undefined;
    answer: DeviceAnalytics;
  };
  "GET /v1/admin/analytics/live": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: string;
  };
  "GET /v1/admin/analytics/recent": {
    path: undefined;
    query: { count?: number };
    body: undefined;
    answer: TelemetryFeed;
  };
  "GET /v1/admin/analytics/top-content": {
    path: undefined;
    query: { count?: number; since?: string };
    body: undefined;
    answer: TopContent;
  };
  "GET /v1/admin/audit-log": {
    path: undefined;
    query: { limit?: number; cursor?: string; target_type?: string; target_id?: string; action?: string; actor_user_id?: string; from?: string; to?: string; address?: string | string };
    body: undefined;
    answer: {
      items: (AuditEntry)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/audit-log.csv": {
    path: undefined;
    query: { target_type?: string; target_id?: string; action?: string; actor_user_id?: string; from?: string; to?: string; address?: string | string };
    body: undefined;
    answer: string;
  };
  "GET /v1/admin/audit-log/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: AuditEntry;
  };
  "GET /v1/admin/campaigns": {
    path: undefined;
    query: { limit?: number; cursor?: string; brand_name?: string; on?: string; tag?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Campaign)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/campaigns/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Campaign;
  };
  "GET /v1/admin/claims": {
    path: undefined;
    query: { limit?: number; cursor?: string; status?: "pending" | "approved" | "rejected" | "used" | "expired"; claim_code?: string };
    body: undefined;
    answer: {
      items: (Claim)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/content": {
    path: undefined;
    query: { limit?: number; cursor?: string; type?: "video" | "image" | "web"; external_id?: string; tag?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Content)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/content-versions": {
    path: undefined;
    query: { limit?: number; cursor?: string; content_id?: string; sha256?: string };
    body: undefined;
    answer: {
      items: (ContentVersion)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/content/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Content;
  };
  "GET /v1/admin/content/{id}/uploads/{upload_id}": {
    path: { id: string; upload_id: string };
    query: undefined;
    body: undefined;
    answer: ContentUploadStatus;
  };
  "GET /v1/admin/content/{id}/versions": {
    path: { id: string };
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: {
      items: (ContentVersion)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/content/{id}/versions/{version_id}": {
    path: { id: string; version_id: string };
    query: undefined;
    body: undefined;
    answer: ContentVersion;
  };
  "GET /v1/admin/content/{id}/versions/{version_id}/file": {
    path: { id: string; version_id: string };
    query: undefined;
    body: undefined;
    answer: Blob;
  };
  "GET /v1/admin/device-groups": {
    path: undefined;
    query: { limit?: number; cursor?: string; default_playlist_id?: string; q?: string };
    body: undefined;
    answer: {
      items: (DeviceGroup)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/device-groups/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: DeviceGroup;
  };
  "GET /v1/admin/devices": {
    path: undefined;
    query: { limit?: number; cursor?: string; store_id?: string; group_id?: string; status?: "unpaired" | "active" | "revoked"; offline?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Device)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/devices/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Device;
  };
  "GET /v1/admin/devices/{id}/activity": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: DeviceActivity;
  };
  "GET /v1/admin/devices/{id}/commands": {
    path: { id: string };
    query: { limit?: number; cursor?: string; status?: "waiting" | "done" | "failed" | "expired" | "cancelled"; type?: "reboot" | "refresh_plan" | "screenshot" | "set_volume" | "clear_cache" | "update" };
    body: undefined;
    answer: {
      items: (DeviceCommand)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/devices/{id}/commands/{command_id}": {
    path: { id: string; command_id: string };
    query: undefined;
    body: undefined;
    answer: DeviceCommand;
  };
  "GET /v1/admin/devices/{id}/plan": {
    path: { id: string };
    query: { at?: string };
    body: undefined;
    answer: PlanExplanation;
  };
  "GET /v1/admin/devices/{id}/plan/timeline": {
    path: { id: string };
    query: { at?: string };
    body: undefined;
    answer: Plan;
  };
  "GET /v1/admin/devices/{id}/plays": {
    path: { id: string };
    query: { limit?: number; cursor?: string; day?: string; campaign_id?: string; content_id?: string; result?: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR"; billable?: "true" | "false" };
    body: undefined;
    answer: {
      items: (RecordedPlay)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/devices/{id}/refused": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: RefusedRecords;
  };
  "GET /v1/admin/devices/{id}/sequencer": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: SequencerStatus;
  };
  "GET /v1/admin/incidents": {
    path: undefined;
    query: { limit?: number; cursor?: string; device_id?: string; type?: "OFFLINE_DURING_HOURS" | "PLAYBACK_STUCK" | "DOWNLOAD_FAIL" | "LOW_STORAGE" | "CRASH_LOOP" | "CLOCK_DRIFT" | "SEQUENCE_GAP" | "PIPELINE_LAG" | "ARCHIVE_MISMATCH" | "TOKEN_REUSE" | "CHUNK_CONFLICT"; severity?: "low" | "medium" | "high"; state?: "open" | "resolved"; acknowledged?: "true" | "false"; store_id?: string };
    body: undefined;
    answer: {
      items: (Incident)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/incidents/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Incident;
  };
  "GET /v1/admin/invitations": {
    path: undefined;
    query: { limit?: number; cursor?: string; state?: "open" | "accepted" | "expired" | "revoked" };
    body: undefined;
    answer: {
      items: (Invitation)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/invitations/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Invitation;
  };
  "GET /v1/admin/me": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: Me;
  };
  "GET /v1/admin/me/sessions": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: {
      items: (Session)[];
    };
  };
  "GET /v1/admin/overview": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: Overview;
  };
  "GET /v1/admin/pipeline": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: Pipeline;
  };
  "GET /v1/admin/pipeline/archive": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: ArchiveState;
  };
  "GET /v1/admin/pipeline/dead-letters": {
    path: undefined;
    query: { limit?: number; cursor?: string; state?: "open" | "redriven" | "all" };
    body: undefined;
    answer: {
      items: (DeadLetter)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/pipeline/dead-letters/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: DeadLetterContents;
  };
  "GET /v1/admin/pipeline/refusals": {
    path: undefined;
    query: { hours?: number };
    body: undefined;
    answer: Refusals;
  };
  "GET /v1/admin/pipeline/replays": {
    path: undefined;
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: {
      items: (Replay)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/pipeline/replays/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Replay;
  };
  "GET /v1/admin/playlists": {
    path: undefined;
    query: { limit?: number; cursor?: string; campaign_id?: string; ad_group_id?: string; content_id?: string; content_version_id?: string; tag?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Playlist)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/playlists/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Playlist;
  };
  "GET /v1/admin/playlists/{id}/items": {
    path: { id: string };
    query: { limit?: number; cursor?: string };
    body: undefined;
    answer: {
      items: (PlaylistItem)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/plays": {
    path: undefined;
    query: { day: string; campaign_id?: (string)[]; ad_group_id?: (string)[]; store_id?: (string)[]; supplier_id?: (string)[]; device_id?: (string)[]; content_id?: (string)[]; status?: "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR"; billable?: "true" | "false"; source?: "archive"; limit?: number; cursor?: string };
    body: undefined;
    answer: PlaysOfReport;
  };
  "GET /v1/admin/plays/{device_id}/{event_id}": {
    path: { device_id: string; event_id: string };
    query: { day: string; segment_id?: string };
    body: undefined;
    answer: PlayProof;
  };
  "GET /v1/admin/reports/planned": {
    path: undefined;
    query: { from?: string; to?: string; group_by?: string; campaign_id?: (string)[]; store_id?: (string)[]; supplier_id?: (string)[]; device_id?: (string)[]; totals?: "true" | "false"; limit?: number; cursor?: string };
    body: undefined;
    answer: PlannedReport;
  };
  "GET /v1/admin/reports/planned.csv": {
    path: undefined;
    query: { from?: string; to?: string; group_by?: string; campaign_id?: (string)[]; store_id?: (string)[]; supplier_id?: (string)[]; device_id?: (string)[]; totals?: "true" | "false" };
    body: undefined;
    answer: string;
  };
  "GET /v1/admin/reports/proof-of-play": {
    path: undefined;
    query: { from?: string; to?: string; group_by?: string; campaign_id?: (string)[]; ad_group_id?: (string)[]; store_id?: (string)[]; supplier_id?: (string)[]; device_id?: (string)[]; content_id?: (string)[]; totals?: "true" | "false"; limit?: number; cursor?: string };
    body: undefined;
    answer: ProofOfPlayReport;
  };
  "GET /v1/admin/reports/proof-of-play.csv": {
    path: undefined;
    query: { from?: string; to?: string; group_by?: string; campaign_id?: (string)[]; ad_group_id?: (string)[]; store_id?: (string)[]; supplier_id?: (string)[]; device_id?: (string)[]; content_id?: (string)[]; totals?: "true" | "false" };
    body: undefined;
    answer: string;
  };
  "GET /v1/admin/schedules": {
    path: undefined;
    query: { limit?: number; cursor?: string; target_type?: "DEVICE" | "GROUP"; target_id?: string; playlist_id?: string; device_id?: string; on?: string; tag?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Schedule)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/schedules/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Schedule;
  };
  "GET /v1/admin/screenshots/{sha256}": {
    path: { sha256: string };
    query: undefined;
    body: undefined;
    answer: Blob;
  };
  "GET /v1/admin/stores": {
    path: undefined;
    query: { limit?: number; cursor?: string; supplier_id?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Store)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/stores/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Store;
  };
  "GET /v1/admin/suppliers": {
    path: undefined;
    query: { limit?: number; cursor?: string; archived?: "true" | "false"; q?: string };
    body: undefined;
    answer: {
      items: (Supplier)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/suppliers/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Supplier;
  };
  "GET /v1/admin/takeovers": {
    path: undefined;
    query: { limit?: number; cursor?: string; active?: "true" | "false"; target_type?: "ALL" | "GROUP" | "STORE"; target_id?: string; playlist_id?: string; content_version_id?: string; device_id?: string; q?: string };
    body: undefined;
    answer: {
      items: (Takeover)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/takeovers/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Takeover;
  };
  "GET /v1/admin/tokens": {
    path: undefined;
    query: { limit?: number; cursor?: string; role?: "admin" | "operator" | "viewer" | "reporter"; q?: string; state?: "active" | "expired" | "revoked" };
    body: undefined;
    answer: {
      items: (ApiToken)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/tokens/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: ApiToken;
  };
  "GET /v1/admin/users": {
    path: undefined;
    query: { limit?: number; cursor?: string; role?: "admin" | "operator" | "viewer"; q?: string; disabled?: "true" | "false" };
    body: undefined;
    answer: {
      items: (User)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/users/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: User;
  };
  "GET /v1/admin/webhooks": {
    path: undefined;
    query: { limit?: number; cursor?: string; status?: "active" | "disabled"; q?: string };
    body: undefined;
    answer: {
      items: (Webhook)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/webhooks/{id}": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Webhook;
  };
  "GET /v1/admin/webhooks/{id}/attempts": {
    path: { id: string };
    query: { limit?: number; cursor?: string; message_id?: string; outcome?: "delivered" | "refused" | "gone" | "redirect" | "timeout" | "unreachable" | "forbidden_target" | "unreadable" };
    body: undefined;
    answer: {
      items: (WebhookAttempt)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/webhooks/{id}/messages": {
    path: { id: string };
    query: { limit?: number; cursor?: string; status?: "pending" | "delivered" | "failed"; type?: "incident.opened" | "incident.resolved" | "device.paired" | "playback.logged" | "webhook.test" };
    body: undefined;
    answer: {
      items: (WebhookMessage)[];
      next_cursor: string | null;
    };
  };
  "GET /v1/admin/webhooks/{id}/messages/{message_id}/body": {
    path: { id: string; message_id: string };
    query: undefined;
    body: undefined;
    answer: {
      type: string;
      timestamp: string;
    };
  };
  "GET /v1/device/content/{sha256}": {
    path: { sha256: string };
    query: undefined;
    body: undefined;
    answer: Blob;
  };
  "GET /v1/device/plan": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: Plan;
  };
  "GET /v1/device/stream": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: null;
  };
  "PATCH /v1/admin/ad-groups/{id}": {
    path: { id: string };
    query: undefined;
    body: AdGroupChange;
    answer: AdGroup;
  };
  "PATCH /v1/admin/campaigns/{id}": {
    path: { id: string };
    query: undefined;
    body: CampaignChange;
    answer: Campaign;
  };
  "PATCH /v1/admin/content/{id}": {
    path: { id: string };
    query: undefined;
    body: ContentChange;
    answer: Content;
  };
  "PATCH /v1/admin/device-groups/{id}": {
    path: { id: string };
    query: undefined;
    body: DeviceGroupChange;
    answer: DeviceGroup;
  };
  "PATCH /v1/admin/devices/{id}": {
    path: { id: string };
    query: undefined;
    body: DeviceChange;
    answer: Device;
  };
  "PATCH /v1/admin/incidents/{id}": {
    path: { id: string };
    query: undefined;
    body: IncidentChange;
    answer: Incident;
  };
  "PATCH /v1/admin/me": {
    path: undefined;
    query: undefined;
    body: {
      name: string;
    };
    answer: Me;
  };
  "PATCH /v1/admin/playlists/{id}": {
    path: { id: string };
    query: undefined;
    body: PlaylistChange;
    answer: Playlist;
  };
  "PATCH /v1/admin/playlists/{id}/items/{item_id}": {
    path: { id: string; item_id: string };
    query: undefined;
    body: PlaylistItemChange;
    answer: PlaylistItem;
  };
  "PATCH /v1/admin/schedules/{id}": {
    path: { id: string };
    query: undefined;
    body: ScheduleChange;
    answer: Schedule;
  };
  "PATCH /v1/admin/stores/{id}": {
    path: { id: string };
    query: undefined;
    body: StoreChange;
    answer: Store;
  };
  "PATCH /v1/admin/suppliers/{id}": {
    path: { id: string };
    query: undefined;
    body: SupplierChange;
    answer: Supplier;
  };
  "PATCH /v1/admin/users/{id}": {
    path: { id: string };
    query: undefined;
    body: UserChange;
    answer: User;
  };
  "PATCH /v1/admin/webhooks/{id}": {
    path: { id: string };
    query: undefined;
    body: WebhookChange;
    answer: Webhook;
  };
  "POST /api/auth/change-password": {
    path: undefined;
    query: undefined;
    body: {
      current_password: string;
      new_password: string;
    };
    answer: {
      changed: true;
    };
  };
  "POST /api/auth/sign-in/email": {
    path: undefined;
    query: undefined;
    body: {
      email: string;
      password: string;
    };
    answer: {
      /** A code is asked next; nobody is signed in before. */
      two_factor_required: boolean;
    };
  };
  "POST /api/auth/sign-out": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: {
      signed_out: true;
    };
  };
  "POST /api/auth/two-factor/disable": {
    path: undefined;
    query: undefined;
    body: {
      password: string;
    };
    answer: {
      disabled: true;
    };
  };
  "POST /api/auth/two-factor/enable": {
    path: undefined;
    query: undefined;
    body: {
      password: string;
    };
    answer: {
      totp_uri: string;
      /** Each works once. Shown this once. */
      backup_codes: (string)[];
    };
  };
  "POST /api/auth/two-factor/generate-backup-codes": {
    path: undefined;
    query: undefined;
    body: {
      password: string;
    };
    answer: {
      /** Each works once. Shown this once. */
      backup_codes: (string)[];
    };
  };
  "POST /api/auth/two-factor/verify-backup-code": {
    path: undefined;
    query: undefined;
    body: {
      code: string;
    };
    answer: {
      verified: true;
    };
  };
  "POST /api/auth/two-factor/verify-totp": {
    path: undefined;
    query: undefined;
    body: {
      code: string;
    };
    answer: {
      verified: true;
    };
  };
  "POST /api/v1/playback-logs": {
    path: undefined;
    query: undefined;
    body: PlaybackLog;
    answer: PlayVerdict;
  };
  "POST /api/v1/playback-logs/batch": {
    path: undefined;
    query: undefined;
    body: PlaybackLogBatch;
    answer: BatchAnswer;
  };
  "POST /telemetry/playback": {
    path: undefined;
    query: undefined;
    body: TelemetryEvent;
    answer: TelemetryAnswer;
  };
  "POST /telemetry/playback/batch": {
    path: undefined;
    query: undefined;
    body: TelemetryBatch;
    answer: TelemetryBatchAnswer;
  };
  "POST /v1/admin/ad-groups": {
    path: undefined;
    query: undefined;
    body: AdGroupCreate;
    answer: AdGroup;
  };
  "POST /v1/admin/campaigns": {
    path: undefined;
    query: undefined;
    body: CampaignCreate;
    answer: Campaign;
  };
  "POST /v1/admin/claims/{id}/approve": {
    path: { id: string };
    query: undefined;
    body: {
      /** Where the new device stands */
      store_id?: string | null;
      /** Whose policy it follows */
      group_id?: string | null;
      name?: string | null;
      /** The device whose player is placed or replaced. It keeps its store, group and name, so these are then left out. */
      device_id?: string | null;
    };
    answer: Claim;
  };
  "POST /v1/admin/claims/{id}/reject": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Claim;
  };
  "POST /v1/admin/content": {
    path: undefined;
    query: undefined;
    body: ContentCreate;
    answer: Content;
  };
  "POST /v1/admin/content/{id}/uploads": {
    path: { id: string };
    query: undefined;
    body: ContentUploadCreate;
    answer: ContentUpload;
  };
  "POST /v1/admin/content/{id}/uploads/{upload_id}/complete": {
    path: { id: string; upload_id: string };
    query: undefined;
    body: undefined;
    answer: ContentVersion;
  };
  "POST /v1/admin/content/{id}/versions": {
    path: { id: string };
    query: undefined;
    body: ContentVersionCreate;
    answer: ContentVersion;
  };
  "POST /v1/admin/content/{id}/versions/upload": {
    path: { id: string };
    query: { sha256?: string; version_hash?: string; duration_ms?: number };
    body: Blob;
    answer: ContentVersion;
  };
  "POST /v1/admin/device-groups": {
    path: undefined;
    query: undefined;
    body: DeviceGroupCreate;
    answer: DeviceGroup;
  };
  "POST /v1/admin/devices": {
    path: undefined;
    query: undefined;
    body: DeviceCreate;
    answer: Device;
  };
  "POST /v1/admin/devices/{id}/commands": {
    path: { id: string };
    query: undefined;
    body: DeviceCommandCreate;
    answer: DeviceCommand;
  };
  "POST /v1/admin/devices/{id}/commands/{command_id}/cancel": {
    path: { id: string; command_id: string };
    query: undefined;
    body: undefined;
    answer: DeviceCommand;
  };
  "POST /v1/admin/devices/{id}/revoke": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: {
      device_id: string;
      status: "revoked";
      revoked_at: string;
    };
  };
  "POST /v1/admin/devices/{id}/sequencer/trust": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: {
      device_id: string;
      incarnation: string;
      status: "trusted";
      plays_learnt: number;
    };
  };
  "POST /v1/admin/incidents/{id}/acknowledge": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Incident;
  };
  "POST /v1/admin/incidents/{id}/resolve": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Incident;
  };
  "POST /v1/admin/invitations": {
    path: undefined;
    query: undefined;
    body: InvitationCreate;
    answer: InvitationMade;
  };
  "POST /v1/admin/invitations/setup": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: InvitationMade;
  };
  "POST /v1/admin/invitations/{id}/revoke": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Invitation;
  };
  "POST /v1/admin/me/sessions/revoke-all": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: {
      ended: number;
    };
  };
  "POST /v1/admin/pipeline/dead-letters/{id}/redrive": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: {
      id: string;
      status: "redriven";
    };
  };
  "POST /v1/admin/pipeline/redrive": {
    path: undefined;
    query: undefined;
    body: {
      /** Absent: the oldest open ones, 100 at most. */
      ids?: (string)[];
    };
    answer: {
      redriven: (string)[];
      failed: ({
        id: string;
        code: string;
        detail: string;
      })[];
    };
  };
  "POST /v1/admin/pipeline/relist": {
    path: undefined;
    query: undefined;
    body: undefined;
    answer: {
      added: number;
    };
  };
  "POST /v1/admin/pipeline/replay": {
    path: undefined;
    query: undefined;
    body: {
      from: string;
      to: string;
    };
    answer: StartedReplay;
  };
  "POST /v1/admin/pipeline/replays/{id}/abandon": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Replay;
  };
  "POST /v1/admin/playlists": {
    path: undefined;
    query: undefined;
    body: PlaylistCreate;
    answer: Playlist;
  };
  "POST /v1/admin/playlists/{id}/items": {
    path: { id: string };
    query: undefined;
    body: PlaylistItemCreate;
    answer: PlaylistItem;
  };
  "POST /v1/admin/schedules": {
    path: undefined;
    query: undefined;
    body: ScheduleCreate;
    answer: Schedule;
  };
  "POST /v1/admin/stores": {
    path: undefined;
    query: undefined;
    body: StoreCreate;
    answer: Store;
  };
  "POST /v1/admin/suppliers": {
    path: undefined;
    query: undefined;
    body: SupplierCreate;
    answer: Supplier;
  };
  "POST /v1/admin/takeovers": {
    path: undefined;
    query: undefined;
    body: TakeoverCreate;
    answer: Takeover;
  };
  "POST /v1/admin/takeovers/{id}/lift": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: Takeover;
  };
  "POST /v1/admin/tokens": {
    path: undefined;
    query: undefined;
    body: ApiTokenCreate;
    answer: ApiTokenCreated;
  };
  "POST /v1/admin/tokens/{id}/revoke": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: ApiToken;
  };
  "POST /v1/admin/users/{id}/reset-password": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: InvitationMade;
  };
  "POST /v1/admin/users/{id}/reset-two-factor": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: User;
  };
  "POST /v1/admin/webhooks": {
    path: undefined;
    query: undefined;
    body: WebhookCreate;
    answer: WebhookCreated;
  };
  "POST /v1/admin/webhooks/{id}/messages/{message_id}/resend": {
    path: { id: string; message_id: string };
    query: undefined;
    body: undefined;
    answer: {
      message_id: string;
      status: "pending";
    };
  };
  "POST /v1/admin/webhooks/{id}/recover": {
    path: { id: string };
    query: undefined;
    body: {
      from: string;
      to?: string;
    };
    answer: {
      messages: number;
    };
  };
  "POST /v1/admin/webhooks/{id}/rotate-secret": {
    path: { id: string };
    query: undefined;
    body: {
      overlap_s?: number;
    };
    answer: WebhookSecret;
  };
  "POST /v1/admin/webhooks/{id}/test": {
    path: { id: string };
    query: undefined;
    body: undefined;
    answer: {
      message_id: string;
      status: "pending";
    };
  };
  "POST /v1/device/events": {
    path: undefined;
    query: undefined;
    body: ProofEvents;
    answer: EventsAnswer;
  };
  "POST /v1/device/heartbeat": {
    path: undefined;
    query: undefined;
    body: Heartbeat;
    answer: HeartbeatAnswer;
  };
  "POST /v1/device/impressions": {
    path: undefined;
    query: undefined;
    body: PlaybackLog | ImpressionBatch;
    answer: PlayVerdict | BatchAnswer;
  };
  "POST /v1/device/pairing/claim": {
    path: undefined;
    query: undefined;
    body: {
      claim_code: string;
      /** What the player says of itself: model, serial, player_version, resolution */
      device_info?: Record<string, unknown>;
      /** A public JWK: RSA of 2048 to 4096 bits, P-256 or Ed25519 */
      public_key?: unknown;
      device_code?: string;
      proof?: string;
    };
    answer: IssuedTokens | {
      status: "pending";
      retry_after_s: number;
    };
  };
  "POST /v1/device/pairing/create-claim": {
    path: undefined;
    query: undefined;
    body: {
      /** Where the new device stands */
      store_id?: string | null;
      /** Whose policy it follows */
      group_id?: string | null;
      name?: string | null;
      /** The device whose player is placed or replaced. It keeps its store, group and name, so these are then left out. */
      device_id?: string | null;
      /** What the player says of itself: model, serial, player_version, resolution */
      device_info?: Record<string, unknown>;
      /** A public JWK: RSA of 2048 to 4096 bits, P-256 or Ed25519 */
      public_key?: unknown;
    };
    answer: {
      claim_code: string;
      claim_id: string;
      expires_at: string;
      /** The asking player's secret */
      device_code?: string;
    };
  };
  "POST /v1/device/time": {
    path: undefined;
    query: undefined;
    body: {
      t0: number;
    };
    answer: {
      t0: number;
      t1: number;
      t2: number;
    };
  };
  "POST /v1/device/token": {
    path: undefined;
    query: undefined;
    body: {
      refresh_token: string;
    };
    answer: IssuedTokens;
  };
  "POST /v1/invitations/accept": {
    path: undefined;
    query: undefined;
    body: {
      /** Of the link */
      token: string;
      /** 12 characters at least */
      password: string;
      /** Of somebody new */
      name?: string;
      /** Of the first administrator */
      email?: string;
    };
    answer: {
      id: string;
      name: string;
      email: string;
      role: "admin" | "operator" | "viewer";
    };
  };
  "POST /v1/invitations/look": {
    path: undefined;
    query: undefined;
    body: {
      /** Of the link */
      token: string;
    };
    answer: {
      kind: "setup" | "invitation" | "reset";
      email: string | null;
      name: string | null;
      role: "admin" | "operator" | "viewer";
      scope: Record<string, unknown> | null;
      expires_at: string;
    };
  };
  "PUT /v1/admin/content/{id}/uploads/{upload_id}/parts/{number}": {
    path: { id: string; upload_id: string; number: number };
    query: undefined;
    body: Blob;
    answer: ContentUploadPart;
  };
  "PUT /v1/admin/playlists/{id}/items": {
    path: { id: string };
    query: undefined;
    body: PlaylistItems;
    answer: {
      items: (PlaylistItem)[];
      /** The playlist's */
      version: number;
    };
  };
  "PUT /v1/device/screenshots/{sha256}": {
    path: { sha256: string };
    query: undefined;
    body: Blob;
    answer: StoredScreenshot;
  };
}
