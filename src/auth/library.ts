import { Problem, type ProblemType } from "../platform/errors.ts";
import type { AppContext } from "../platform/http.ts";
import type { Beside } from "./better-auth-store.ts";
import { AUTH_PATH } from "./session.ts";
import { unauthorized } from "./tokens.ts";

const REALM = "admin";
/** What of a request the library goes by. */
const HEADERS = ["Cookie", "Origin", "User-Agent", "CF-Connecting-IP"];

const TYPES: Record<number, ProblemType> = {
  400: "validation-error",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  422: "unprocessable",
  429: "rate-limit-exceeded",
};

/**
 * Lets the library do one of its calls for this request: its cookies go into the answer, its refusals become problems with its codes.
 * @returns its answer's body.
 * @throws Problem, or what the library stumbled over.
 */
export async function askLibrary(c: AppContext, path: string, body: unknown, beside: Beside): Promise<Record<string, unknown>> {
  const url = new URL(c.req.url);
  const faults: unknown[] = [];
  const { signInLibrary } = await import("./better-auth.ts");
  const headers = new Headers({ "Content-Type": "application/json" });
  for (const name of HEADERS) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const request = new Request(`${url.origin}${AUTH_PATH}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const response = await signInLibrary({ env: c.env, url, beside, onFault: (fault) => faults.push(fault) }).handler(request);
  // A refusal because the database was away is none: the library takes a session that it could not read for one that is not there.
  if (!response.ok && faults.length > 0) throw faults[0];
  for (const cookie of response.headers.getSetCookie()) c.header("Set-Cookie", cookie, { append: true });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Record<string, unknown>;
  if (response.status >= 500) throw new Error(`sign-in answered ${response.status}`);
  throw problemOf(response.status, text);
}

function problemOf(status: number, text: string): Problem {
  const { code, message } = readRefusal(text);
  const detail = `${message.replace(/\.$/, "")}.`;
  if (status === 401) return unauthorized(detail, code ?? "UNAUTHORIZED", REALM);
  return new Problem(TYPES[status] ?? "internal-error", detail, code === undefined ? {} : { code });
}

function readRefusal(text: string): { code: string | undefined; message: string } {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown };
    return { code: typeof code === "string" ? code : undefined, message: typeof message === "string" ? message : "This was refused" };
  } catch {
    return { code: undefined, message: "This was refused" };
  }
}
