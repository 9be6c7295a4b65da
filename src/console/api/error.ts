/** One fault of a field: where in what was sent (a JSON pointer, RFC 6901), and a sentence. */
export interface FieldFault {
  pointer: string;
  detail: string;
}

interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  correlation_id?: string;
  errors?: FieldFault[];
}

/** What a 401 says where it is not about what was just typed (a wrong password, a wrong code). */
const SIGNED_OUT = new Set(["TOKEN_MISSING", "TOKEN_UNKNOWN", "TOKEN_EXPIRED", "TOKEN_REVOKED", "SESSION_EXPIRED", "UNAUTHORIZED"]);

/**
 * What every failed call throws. `status` is 0 where no answer came at all. `message` is a sentence for people: the problem's `detail`.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    /** A few words, to stand above `message`. */
    readonly title: string,
    detail: string,
    readonly correlationId: string | null,
    readonly fields: FieldFault[] = [],
    /** How long the server asks to wait. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
  }

  /** Whether the same call may well succeed in a moment: the network or a part of the platform is away. */
  get transient(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** Whether nobody is signed in, or no longer. */
  get signedOut(): boolean {
    return this.status === 401 && SIGNED_OUT.has(this.code);
  }

  /** Whether somebody else changed the thing since it was read (If-Match). */
  get outdated(): boolean {
    return this.status === 412;
  }
}

/** The error of an answer that is none of 2xx. Reads its body. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const problem = (await answer.json().catch(() => ({}))) as ProblemDocument;
  const retryAfter = Number(answer.headers.get("Retry-After") ?? Number.NaN);
  return new ApiError(
    answer.status,
    problem.code ?? `HTTP_${answer.status}`,
    problem.title ?? "The server refused this",
    problem.detail ?? `The server answered ${answer.status}.`,
    problem.correlation_id ?? answer.headers.get("X-Correlation-Id"),
    problem.errors ?? [],
    Number.isNaN(retryAfter) ? null : retryAfter,
  );
}

/** The error of a request that no answer came to. */
export function noAnswer(): ApiError {
  return new ApiError(0, "NO_ANSWER", "The server does not answer", "Check the network; this page tries again by itself.", null);
}

/** Any thrown thing as an {@link ApiError}, for showing it. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "PAGE_FAULT", "This page has a fault", error instanceof Error ? error.message : String(error), null);
}
