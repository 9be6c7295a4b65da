import type { ProblemType } from "../platform/errors.ts";

/** What a type of problem means to the caller, and what the caller should do. Served under `/docs/errors/<type>`. */
export const PROBLEM_TEXTS: Record<ProblemType, { means: string; remedy: string }> = {
  "validation-error": {
    means: "A part of the request is missing, unknown, or not of its form. `errors` names each place by a JSON pointer.",
    remedy: "Correct what `errors` names. Sending the same request again has the same result.",
  },
  unauthorized: {
    means: "The request carries no token, or one that is not in force; or somebody could not be signed in.",
    remedy:
      "Send the token as `Authorization: Bearer`. `code` says what is wrong: `TOKEN_MISSING`, `TOKEN_UNKNOWN`, `TOKEN_EXPIRED` or `TOKEN_REVOKED`; `SESSION_EXPIRED` at the console: sign in again. A device fetches a new one with its refresh token; for an API token ask an administrator.",
  },
  forbidden: {
    means: "The caller is known, but may not do this.",
    remedy:
      "`detail` says which role it takes. Code `OUT_OF_SCOPE`: the caller sees only one supplier or brand, and this cannot be narrowed to it. `CROSS_SITE`: a browser's cookie speaks only for the console's own pages. `ACCESS_REQUIRED`: sign in at Cloudflare Access first. Ask an administrator; sending it again does not help.",
  },
  "device-revoked": {
    means: "An administrator revoked this device. It may write nothing more; what it delivered before is kept.",
    remedy: "Stop sending. Pair the player again if it is to come back.",
  },
  "track-access-denied": {
    means: "There is no such track, or the caller may not report on it.",
    remedy: "Check `trackId`, and that the content is in the device's plan or in what the reporter's token names.",
  },
  "not-found": {
    means: "There is nothing at this path, or nothing with this id.",
    remedy: "Check the path and the id.",
  },
  "claim-not-found": {
    means: "No claim has this code. Codes hold for ten minutes.",
    remedy: "Check the code for typing errors, or make a new one.",
  },
  conflict: {
    means:
      "The request contradicts what is there. `code` says how, as `ALREADY_EXISTS`, `IDEMPOTENCY_KEY_REUSED` or `IN_USE`; what it is used by stands in `used_by`, 100 of each kind, and how many in `used_by_total`.",
    remedy: "Read what is there, and decide anew. For another request, use another Idempotency-Key.",
  },
  "claim-used": {
    means: "Another player used this claim code. A code pairs one player.",
    remedy: "Make a new code. If nobody of yours used it, look at the device that it paired.",
  },
  "claim-expired": {
    means: "The claim code is older than ten minutes.",
    remedy: "Make a new code.",
  },
  "link-closed": {
    means: "The link to set a password was used, has expired, or was taken back: `code` is `LINK_USED`, `LINK_EXPIRED` or `LINK_REVOKED`.",
    remedy: "Ask an administrator for another.",
  },
  "precondition-failed": {
    means: "Somebody changed it since it was read; the ETag in `If-Match` is not the current one.",
    remedy: "Read it again, apply the change to what is there now, and send the new ETag.",
  },
  "payload-too-large": {
    means: "The body has more bytes than this path takes.",
    remedy: "Send less at a time; a large file of content in parts.",
  },
  "unsupported-media-type": {
    means: "The body is not announced as JSON.",
    remedy: "Send `Content-Type: application/json`.",
  },
  "range-not-satisfiable": {
    means: "The range that was asked for begins behind the file's end. `Content-Range` says how many bytes the file has.",
    remedy: "If you have that many, check their hash: the file is whole. Else ask for the file from its beginning.",
  },
  "upgrade-required": {
    means: "The path is a WebSocket, and the request does not ask for one.",
    remedy: "Open it as a WebSocket (RFC 6455), with the subprotocols that its guide names.",
  },
  "batch-too-large": {
    means: "The batch holds no record, or more than this door takes.",
    remedy: "Split the batch. Records keep their ids, so nothing is counted twice.",
  },
  "play-refused": {
    means: "The play log was read and refused. `code` says by which rule.",
    remedy: "If `retryable` is true, send it again later. Otherwise drop it from the queue and keep it among the refused.",
  },
  unprocessable: {
    means: "The request is well formed, but cannot be answered. `detail` says why, and where the answer is.",
    remedy: "Change the request as `detail` says.",
  },
  "rate-limit-exceeded": {
    means: "Too many requests in a short time.",
    remedy: "Wait as many seconds as `Retry-After` says. Batches carry many records in one request.",
  },
  "internal-error": {
    means: "A fault of the platform. It is logged under the correlation id.",
    remedy: "Send the request again later; play logs keep their ids, changes an Idempotency-Key. Report the correlation id if it stays.",
  },
  "service-unavailable": {
    means: "A part of the platform cannot be reached now, or a device's outbox is full.",
    remedy:
      "Send it again after `Retry-After` seconds: play logs keep their ids, changes an Idempotency-Key. Whether a change was made before the connection broke is not known; both see to it that it is made once.",
  },
};
