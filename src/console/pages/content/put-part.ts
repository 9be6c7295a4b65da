import { addressOf } from "../../api/client.ts";
import { ApiError, noAnswer } from "../../api/error.ts";
import { apiToken, askToSignIn } from "../../api/session.ts";

const PART = "/v1/admin/content/{id}/uploads/{upload_id}/parts/{number}";

export interface PartOf {
  id: string;
  upload_id: string;
  number: number;
}

/**
 * Sends one part of a file, and tells how much of it has gone: which `fetch` cannot. Where the session has ended, asks to sign in, and goes
 * on.
 * @throws ApiError, or DOMException `AbortError` when told to stop.
 */
export async function putPart(path: PartOf, part: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  try {
    await putOnce(path, part, onSent, signal);
  } catch (error) {
    if (!(error instanceof ApiError && error.signedOut) || !(await askToSignIn())) throw error;
    await putOnce(path, part, onSent, signal);
  }
}

function putOnce(path: PartOf, part: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", stop);
      act();
    };
    request.open("PUT", addressOf(PART, { path }));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Requested-With", "alive-console");
    const token = apiToken();
    if (token !== null) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded }) => onSent(Math.min(loaded, part.size));
    request.onload = () => settle(() => (request.status >= 200 && request.status < 300 ? resolve() : reject(errorIn(request))));
    request.onerror = () => settle(() => reject(noAnswer()));
    request.onabort = () => settle(() => reject(new DOMException("Stopped", "AbortError")));
    if (signal.aborted) return reject(new DOMException("Stopped", "AbortError"));
    signal.addEventListener("abort", stop);
    request.send(part);
  });
}

function errorIn(request: XMLHttpRequest): ApiError {
  let problem: { code?: string; title?: string; detail?: string; correlation_id?: string } = {};
  try {
    problem = JSON.parse(request.responseText) as typeof problem;
  } catch {
    // Whatever stood between answered, and not the Worker.
  }
  return new ApiError(
    request.status,
    problem.code ?? `HTTP_${request.status}`,
    problem.title ?? "The server refused this",
    problem.detail ?? `The server answered ${request.status}.`,
    problem.correlation_id ?? null,
  );
}
