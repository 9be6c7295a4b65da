interface Rejection {
  /** One sentence for whoever reads the answer. */
  error: string;
  /** Whether the same record may be accepted later. Where not, the device drops it from its queue. */
  retryable: boolean;
}

/**
 * Every reason for which a play log is refused. The order is that of the checks.
 * A log that is refused behind its signature still uses up its sequence number (`admit.ts`).
 */
export const REJECTIONS = {
  VALIDATION_ERROR: { error: "A field is missing, or of the wrong type or form.", retryable: false },
  DEVICE_MISMATCH: { error: "The record names another device than the token does.", retryable: false },
  CHECKSUM_MISMATCH: { error: "The checksum is not that of the record.", retryable: false },
  SIGNATURE_REQUIRED: { error: "The record is not signed.", retryable: false },
  INVALID_SIGNATURE: { error: "The signature does not hold for the record and the device's key.", retryable: false },
  ID_CONFLICT: { error: "The id was used for another record.", retryable: false },
  INVALID_CAMPAIGN: { error: "There is no such campaign.", retryable: false },
  INVALID_CONTENT: { error: "There is no such content, or no such version of it.", retryable: false },
  INVALID_TIME_RANGE: { error: "The play ends before it starts.", retryable: false },
  INVALID_DURATION: { error: "The duration is negative, over 4 hours, or longer than the play's span allows.", retryable: false },
  FUTURE_TIMESTAMP: { error: "The play ends in the future.", retryable: false },
  TOO_OLD: { error: "The play is older than this door lets in.", retryable: false },
  // Final, though the clock may be set right: the times in the signed record stay wrong by an amount that is then unknown.
  CLOCK_SKEW: { error: "The device's clock is off by over 30 minutes.", retryable: false },
  HISTORY_LOST: {
    error: "The device's sequencer was set up anew and cannot tell whether a play from before was counted; an operator must decide.",
    retryable: true,
  },
} as const satisfies Record<string, Rejection>;

export type RejectionCode = keyof typeof REJECTIONS;
