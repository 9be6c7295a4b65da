import { sha256Hex } from "../platform/encoding.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { type Outcome, parseRetryAfter } from "./decide.ts";
import { ATTEMPT_TIMEOUT_MS, MAX_RESPONSE_BYTES, MAX_RESPONSE_CHARS } from "./limits.ts";
import { signatureHeaders } from "./signature.ts";
import { targetFault } from "./target.ts";

/** An attempt as the log keeps it. */
export interface Attempt {
  outcome: Outcome;
  /** What the receiver answered; null where it did not. */
  status_code: number | null;
  duration_ms: number;
  error: string | null;
  /** The beginning of the answer's body. */
  response: string | null;
  /** Of the body that was sent; null where nothing was. */
  body_sha256: string | null;
  retryAfterMs: number | null;
}

/** What is sent to whom. */
export interface Posting {
  url: string;
  id: string;
  body: string;
  secrets: readonly string[];
}

const NOTHING = { status_code: null, error: null, response: null, body_sha256: null, retryAfterMs: null };

/**
 * Posts a message once. Follows no redirect, waits for 15 s at most, and reads no more of the answer than the log keeps. Never throws.
 * @param now ms since 1970, which the message is signed with
 */
export async function post(posting: Posting, now: number, timeoutMs = ATTEMPT_TIMEOUT_MS): Promise<Attempt> {
  const fault = targetFault(posting.url);
  if (fault) return { ...NOTHING, outcome: "forbidden_target", duration_ms: 0, error: `The URL ${fault}.` };
  const body_sha256 = await sha256Hex(posting.body);
  const startedAt = Date.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(posting.url, {
      method: "POST",
      redirect: "manual",
      signal: timeout,
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "Alive-Signage-Webhooks/1",
        ...(await signatureHeaders(posting.secrets, posting.id, now, posting.body)),
      },
      body: posting.body,
    });
    const text = await beginningOf(response);
    return {
      outcome: outcomeOf(response.status),
      status_code: response.status,
      duration_ms: Date.now() - startedAt,
      error: null,
      response: text,
      body_sha256,
      retryAfterMs: parseRetryAfter(response.headers.get("Retry-After"), now),
    };
  } catch (error) {
    const outcome = timeout.aborted ? "timeout" : "unreachable";
    const said = timeout.aborted ? `No answer within ${timeoutMs} ms.` : String(error).slice(0, MAX_RESPONSE_CHARS);
    return { ...NOTHING, outcome, duration_ms: Date.now() - startedAt, error: said, body_sha256 };
  }
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return "delivered";
  if (status === 410) return "gone";
  return status >= 300 && status < 400 ? "redirect" : "refused";
}

/** The first characters of an answer's body; the rest is not waited for. A body that breaks off changes nothing of what its status said. */
async function beginningOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= MAX_RESPONSE_BYTES) break;
    }
  } catch (error) {
    log("debug", "webhook answer broken off", { error: describeError(error) });
  }
  return new TextDecoder().decode(Buffer.concat(parts).subarray(0, MAX_RESPONSE_BYTES)).slice(0, MAX_RESPONSE_CHARS);
}
