import { noteDown, noteUp } from "./connection.ts";
import { ApiError, errorOf, noAnswer } from "./error.ts";
import type { Api } from "./schema.ts";
import { apiToken, askToSignIn, signedInAs } from "./session.ts";

/** A call of the API, by method and path as in its OpenAPI document: `"GET /v1/admin/devices/{id}"`. */
export type Call = keyof Api;
/** The calls that read. */
export type Read = Extract<Call, `GET ${string}`>;
/** The reads that come in pages. */
export type PagedRead = { [C in Read]: Api[C]["answer"] extends { items: unknown[]; next_cursor: string | null } ? C : never }[Read];
export type Answer<C extends Call> = Api[C]["answer"];
/** A row of a paged read. */
export type Item<C extends PagedRead> = Api[C]["answer"] extends { items: (infer T)[] } ? T : never;

type Loose<T> = T extends object ? { [K in keyof T]: T[K] | undefined } : T;

/** What a call takes: the parts that its route has. */
export type CallOptions<C extends Call> = (Api[C]["path"] extends undefined ? { path?: undefined } : { path: Api[C]["path"] }) & {
  query?: Loose<Api[C]["query"]>;
} & (Api[C]["body"] extends undefined ? { body?: undefined } : { body: Api[C]["body"] }) &
  SendOptions;

interface SendOptions {
  /** The version that a change is made to; where somebody else was faster the call fails with 412 ({@link ApiError.outdated}). */
  version?: number | undefined;
  /** For a POST that may be sent twice, such as from a form: makes nothing twice. */
  idempotencyKey?: string;
  signal?: AbortSignal | undefined;
}

/** The arguments of a call: none, where its route takes nothing. */
export type CallArguments<C extends Call> = Api[C]["path"] extends undefined
  ? Api[C]["body"] extends undefined
    ? [options?: CallOptions<C>]
    : [options: CallOptions<C>]
  : [options: CallOptions<C>];

/** Calls the API. @throws ApiError for every answer but 2xx, and where none comes. */
export async function call<C extends Call>(name: C, ...[options]: CallArguments<C>): Promise<Answer<C>> {
  const [method = "GET", path = ""] = name.split(" ");
  const given = (options ?? {}) as SendOptions & { path?: object; query?: object; body?: unknown };
  const answer = await send(method, addressOf(path, given), given);
  if (answer.status === 204) return null as Answer<C>;
  const type = answer.headers.get("Content-Type") ?? "";
  if (type.includes("json")) return await answer.json();
  return (type.startsWith("text/") ? await answer.text() : await answer.blob()) as Answer<C>;
}

/** The address of a call, for links and event streams: its path with `{places}` filled and its query, in which lists repeat their name. */
export function addressOf(path: string, { path: places = {}, query = {} }: { path?: object; query?: object }): string {
  const filled = Object.entries(places).reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(String(value))), path);
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== null && one !== "") search.append(name, String(one));
  return search.size > 0 ? `${filled}?${search}` : filled;
}

/**
 * Sends a request as who is signed in. Where the session has ended meanwhile, asks to sign in again and sends it once more, so that
 * whoever waits never notices.
 * @throws ApiError
 */
export async function send(
  method: string,
  address: string,
  options: SendOptions & { body?: unknown; headers?: HeadersInit } = {},
): Promise<Response> {
  try {
    return await sendOnce(method, address, options);
  } catch (error) {
    if (!(error instanceof ApiError && error.signedOut) || signedInAs.get() === null || !(await askToSignIn())) throw error;
    return await sendOnce(method, address, options);
  }
}

/** As {@link send}, but nobody is asked to sign in. */
export async function sendOnce(
  method: string,
  address: string,
  { body, headers, version, idempotencyKey, signal }: SendOptions & { body?: unknown; headers?: HeadersInit } = {},
): Promise<Response> {
  const all = new Headers(headers);
  all.set("X-Requested-With", "alive-console");
  const token = apiToken();
  if (token !== null) all.set("Authorization", `Bearer ${token}`);
  if (version !== undefined) all.set("If-Match", `"${version}"`);
  if (idempotencyKey !== undefined) all.set("Idempotency-Key", idempotencyKey);
  const raw = body instanceof Blob || body instanceof ArrayBuffer;
  if (body !== undefined && !raw) all.set("Content-Type", "application/json");
  const content = body === undefined ? null : raw ? body : JSON.stringify(body);
  let answer: Response;
  try {
    answer = await fetch(address, { method, headers: all, body: content, signal: signal ?? null, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    noteDown();
    throw noAnswer();
  }
  if (answer.status === 502 || answer.status === 504) noteDown();
  else noteUp();
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}
