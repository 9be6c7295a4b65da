import type { ContentfulStatusCode } from "hono/utils/http-status";

/**
 * The types of problem that the API answers with (RFC 9457), each with its status and title.
 * A type's page is served under `/docs/errors/<type>`.
 */
export const PROBLEM_TYPES = {
  "validation-error": { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "Not authenticated" },
  forbidden: { status: 403, title: "Not allowed" },
  "device-revoked": { status: 403, title: "The device is revoked" },
  "track-access-denied": { status: 403, title: "No access to this track" },
  "not-found": { status: 404, title: "Not found" },
  "claim-not-found": { status: 404, title: "No such claim code" },
  conflict: { status: 409, title: "Conflict" },
  "claim-used": { status: 409, title: "The claim code was used" },
  "claim-expired": { status: 410, title: "The claim code has expired" },
  "link-closed": { status: 410, title: "The link is good no more" },
  "precondition-failed": { status: 412, title: "Changed by somebody else" },
  "payload-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body is not JSON" },
  "range-not-satisfiable": { status: 416, title: "The file has no such range" },
  "upgrade-required": { status: 426, title: "This path is a WebSocket" },
  "batch-too-large": { status: 400, title: "Too many records" },
  "play-refused": { status: 422, title: "The play log is refused" },
  unprocessable: { status: 422, title: "The request cannot be answered" },
  "rate-limit-exceeded": { status: 429, title: "Too many requests" },
  "internal-error": { status: 500, title: "Something went wrong here" },
  "service-unavailable": { status: 503, title: "Not available now" },
} as const satisfies Record<string, { status: ContentfulStatusCode; title: string }>;

export type ProblemType = keyof typeof PROBLEM_TYPES;

/** Where in the request a fault is: a JSON pointer (RFC 6901) and a sentence. */
export interface FieldError {
  pointer: string;
  detail: string;
}

export interface ProblemOptions {
  /** A stable upper-case code for programs. Default: the type, upper-cased. */
  code?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
  /** Further members of the problem document. */
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** An error that is meant for the caller. Thrown anywhere under a route; `onError` in `workers/http.ts` turns it into problem+json. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly options: ProblemOptions;

  constructor(
    readonly type: ProblemType,
    readonly detail: string,
    options: ProblemOptions = {},
  ) {
    super(detail, { cause: options.cause });
    this.status = PROBLEM_TYPES[type].status;
    this.code = options.code ?? type.toUpperCase().replaceAll("-", "_");
    this.options = options;
  }
}

/** The body of a problem document (RFC 9457). */
export function problemBody(problem: Problem, correlationId: string): Record<string, unknown> {
  return {
    type: `/docs/errors/${problem.type}`,
    title: PROBLEM_TYPES[problem.type].title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    correlation_id: correlationId,
    ...(problem.options.errors ? { errors: problem.options.errors } : {}),
    ...problem.options.extra,
  };
}
