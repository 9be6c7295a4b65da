import { exports } from "cloudflare:workers";

const BASE = "http://localhost";

/** What an answer of the API came to, as the tests look at it. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Calls the Worker over HTTP as an administrator. A body is sent as JSON; headers given here replace the usual ones. */
export async function admin(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return await call(method, path, body, { Authorization: "Bearer test-admin-token", ...headers });
}

/** Calls the Worker over HTTP. */
export async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await exports.default.fetch(`${BASE}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const stream = response.headers.get("Content-Type") === "text/event-stream" ? response.body : null;
  const text = stream ? await beginning(stream) : await response.text();
  const json = /json/.test(response.headers.get("Content-Type") ?? "");
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : { text } };
}

/** What a stream that goes on begins with: how often to come again, and what there is to tell at once. */
async function beginning(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  for (let part = 0; part < 2; part++) text += decoder.decode((await reader.read()).value);
  await reader.cancel();
  return text;
}

/** Creates something and gives it back as the API shows it. */
export async function create(resource: string, body: unknown): Promise<Record<string, unknown> & { id: string }> {
  const answer = await admin("POST", `/v1/admin/${resource}`, body);
  if (answer.status !== 201) throw new Error(`${resource}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, unknown> & { id: string };
}
