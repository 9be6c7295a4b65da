import { type Answer, backoffMs, refusalOf } from "./http.ts";
import type { QueuedLog, RefusedLog, Settlement } from "./queue.ts";

/** Where the server stands in a device's sequence. */
export interface SequencePosition {
  epoch: string;
  expectedSequence: number;
}

/** What an answer to a batch means for the device. */
export type BatchOutcome =
  | {
      kind: "settled";
      settlement: Settlement;
      /** What the server now holds, duplicates included. */
      processed: number;
      duplicates: number;
      position: SequencePosition | null;
    }
  /** The token was not taken. */
  | { kind: "unauthorized" }
  /** The server cannot take this request as it is: one that is smaller may do. */
  | { kind: "too-much" }
  | { kind: "wait"; retryAfterMs: number | null; reason: string }
  /** The device may not write any more. */
  | { kind: "stopped"; code: string };

/** Statuses that blame the request itself: sending the same again would be refused again. */
const FAULTY_REQUEST = new Set([400, 413, 415, 422]);

/** Reads the answer to a batch. `now` is the device's clock in ms; `random` spreads the put-off logs. */
export function judgeAnswer(answer: Answer, batch: QueuedLog[], now: number, random: number): BatchOutcome {
  if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null, reason: answer.error };
  if (answer.status === 202) return settle(answer.body, batch, now, random);
  const refusal = refusalOf(answer);
  if (answer.status === 401) return { kind: "unauthorized" };
  // A 403 by anything between here and the server is no reason to fall silent for ever.
  if (answer.status === 403 && refusal.code === "DEVICE_REVOKED") return { kind: "stopped", code: refusal.code };
  if (!FAULTY_REQUEST.has(answer.status)) return { kind: "wait", retryAfterMs: answer.retryAfterMs, reason: refusal.code };
  const [only] = batch;
  if (batch.length !== 1 || !only) return { kind: "too-much" };
  // Without the server's own word something in between does not let it pass: it is no reason to give up a play, nor to hold up others.
  const isServers = typeof answer.body.code === "string";
  return {
    kind: "settled",
    settlement: {
      acknowledged: [],
      refused: isServers ? [refused(only, refusal.code, refusal.message)] : [],
      deferred: isServers ? [] : [putOff(only, now, random)],
    },
    processed: 0,
    duplicates: 0,
    position: null,
  };
}

function settle(body: Record<string, unknown>, batch: QueuedLog[], now: number, random: number): BatchOutcome {
  const { processed, duplicates } = body;
  const errors = readErrors(body.errors, batch.length);
  // An answer that does not account for every log acknowledges none of them: sent again, they come back as duplicates.
  if (!errors || processed !== batch.length - errors.size || typeof duplicates !== "number")
    return { kind: "wait", retryAfterMs: null, reason: "UNREADABLE_ANSWER" };
  const settlement: Settlement = { acknowledged: [], refused: [], deferred: [] };
  for (const [index, log] of batch.entries()) {
    const error = errors.get(index);
    if (!error) settlement.acknowledged.push(log.log_id);
    else if (error.retryable) settlement.deferred.push(putOff(log, now, random));
    else settlement.refused.push(refused(log, error.code, error.error));
  }
  return { kind: "settled", settlement, processed, duplicates, position: readPosition(body) };
}

interface RecordError {
  code: string;
  error: string;
  retryable: boolean;
}

/** The errors by index; null where they cannot be told. */
function readErrors(value: unknown, sent: number): Map<number, RecordError> | null {
  if (!Array.isArray(value)) return null;
  const errors = new Map<number, RecordError>();
  for (const entry of value as unknown[]) {
    if (typeof entry !== "object" || entry === null) return null;
    const { index, code, error, retryable } = entry as Record<string, unknown>;
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= sent) return null;
    if (typeof code !== "string" || typeof retryable !== "boolean") return null;
    errors.set(index, { code, error: typeof error === "string" ? error : code, retryable });
  }
  return errors;
}

function readPosition(body: Record<string, unknown>): SequencePosition | null {
  const { epoch, expected_sequence: expectedSequence } = body;
  return typeof epoch === "string" && typeof expectedSequence === "number" ? { epoch, expectedSequence } : null;
}

function putOff({ deferrals, log_id }: QueuedLog, now: number, random: number): Settlement["deferred"][number] {
  return { log_id, notBefore: now + backoffMs(deferrals + 1, random) };
}

function refused(log: QueuedLog, code: string, error: string): RefusedLog {
  return { log_id: log.log_id, text: log.text, code, error };
}
