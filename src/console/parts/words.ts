/** What codes mean, in one sentence for people. What is not listed here is shown by its code alone. */

/** Why a record was refused. */
export const REFUSALS: Record<string, string> = {
  VALIDATION_ERROR: "A field is missing, or of the wrong type or form",
  DEVICE_MISMATCH: "It names another device than the one that sent it",
  CHECKSUM_MISMATCH: "Its checksum is not that of the record",
  SIGNATURE_REQUIRED: "It is not signed",
  INVALID_SIGNATURE: "Its signature does not hold for the device's key",
  ID_CONFLICT: "Its id was used for another record",
  INVALID_CAMPAIGN: "There is no such campaign",
  INVALID_CONTENT: "There is no such content, or no such version of it",
  INVALID_TIME_RANGE: "It ends before it starts",
  INVALID_DURATION: "Its duration is impossible",
  FUTURE_TIMESTAMP: "It ends in the future",
  TOO_OLD: "It is older than its door lets in",
  CLOCK_SKEW: "The device's clock is off by over 30 minutes",
  HISTORY_LOST: "The device's history was lost; an operator must decide",
};

/** What lowers a play's quality, or keeps it from being billed. */
export const FLAGS: Record<string, string> = {
  CLOCK_DRIFT: "Clock off by over 10 minutes",
  CLOCK_UNVERIFIED: "Nothing told how wrong the clock was",
  LATE: "Older than 4 hours when it came",
  STATUS_CHANGED: "The server's status is not the device's",
  DURATION_MISMATCH: "Its span is longer than its duration",
  EXPECTED_MISMATCH: "The device expected another duration than the slot; not billed",
  EXPECTED_UNKNOWN: "Nothing says how long it should be; not billed",
  OUT_OF_ORDER: "It came behind a later one",
  SEQUENCE_GAP: "Numbers before it are missing",
  SEQUENCE_CONFLICT: "Another play has its number; not billed",
  LOCATION_MISMATCH: "Over 5 km from the store; not billed",
  UNSIGNED: "Not signed; not billed unless the group's policy says otherwise",
  NOT_SCHEDULED: "Not in the device's plan at that time",
  CATALOG_UNVERIFIED: "The catalogue could not be asked",
};

/** What an incident is, what it means, and what to do. */
export const INCIDENTS: Record<string, { title: string; todo: string }> = {
  OFFLINE_DURING_HOURS: {
    title: "Offline while its store is open",
    todo: "Ask the store whether the screen has power and network. It resolves itself with the next heartbeat, or when the store closes.",
  },
  PLAYBACK_STUCK: {
    title: "Playback is stuck",
    todo: "The player is alive, but shows nothing new. Send it the command to restart; if that does not help, look at its last screenshot and error.",
  },
  DOWNLOAD_FAIL: {
    title: "Downloads fail",
    todo: "Look at the store's network and at the disk. What is not downloaded is not played.",
  },
  LOW_STORAGE: {
    title: "Disk nearly full",
    todo: "Send the command to clear its cache, or shorten what its plan holds.",
  },
  CRASH_LOOP: {
    title: "Restarts again and again",
    todo: "Look at the last error and the player's version; content that was changed lately is a common cause.",
  },
  CLOCK_DRIFT: {
    title: "Clock is far off",
    todo: "Over 30 minutes its plays are refused. Set the device's clock, or let it ask a time server.",
  },
  SEQUENCE_GAP: {
    title: "Plays are missing in its sequence",
    todo: "The device counted plays that never came. They may still wait on the device; if its storage was lost, they are lost.",
  },
  PIPELINE_LAG: {
    title: "The pipeline lags",
    todo: "Plays are safe, but reach reports late. Look at the pipeline's backlogs; it resolves itself when they drain.",
  },
  ARCHIVE_MISMATCH: {
    title: "Archive and database differ",
    todo: "Look at the days that differ, then replay them from the archive.",
  },
  TOKEN_REUSE: {
    title: "A refresh token was used twice",
    todo: "Two players may use one device's identity, or its storage was copied. Revoke it and pair it anew.",
  },
  CHUNK_CONFLICT: {
    title: "Two chunks under one id",
    todo: "Look at the dead letter and decide which of them counts; then resolve this by hand.",
  },
};

/** `OFFLINE_DURING_HOURS` → its title; a type that is not known, in plain letters. */
export function incidentTitle(type: string): string {
  return INCIDENTS[type]?.title ?? type.toLowerCase().replaceAll("_", " ");
}

/** What a device can be told, and what it does then. */
export const COMMANDS: Record<string, string> = {
  refresh_plan: "Fetch the plan again",
  screenshot: "Take a picture of the screen",
  reboot: "Restart the player",
  clear_cache: "Forget its files and fetch them anew",
  set_volume: "Set the volume",
  update: "Update the player",
};
