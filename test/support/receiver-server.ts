import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answering, CONTROL_HOST, type Received } from "./receiver-protocol.ts";

/**
 * The receiver of webhooks, and of whatever else the Worker fetches: a handler of Node's own HTTP server, behind the Worker's outbound side.
 * Each path is a receiver of its own. Tests say through the control host what it answers, and read there what it got.
 */
const scripts = new Map<string, Answering[]>();
const received = new Map<string, Received[]>();
const LINGER_MS = 200;
/** Answers that are still owed, by path. */
const waiting = new Map<string, Set<() => void>>();

export async function receiver(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "/";
  const body = await bodyOf(request);
  const host = request.headers.host ?? "";
  if (host === CONTROL_HOST) {
    control(request.method ?? "", path, body, response);
    return;
  }
  const all = received.get(path) ?? [];
  received.set(path, all);
  const open = waiting.get(path) ?? new Set();
  waiting.set(path, open);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  all.push({ host, open: open.size + 1, method: request.method ?? "", headers, body });
  const script = scripts.get(path) ?? [];
  answer(script[Math.min(all.length, script.length) - 1] ?? {}, response, open);
}

function answer(answering: Answering, response: ServerResponse, open: Set<() => void>): void {
  const give = () => {
    response.writeHead(answering.status ?? 204, answering.headers ?? {});
    response.end(answering.body ?? "");
  };
  if (answering.drop) response.destroy();
  else if (answering.hang || answering.together) {
    open.add(give);
    response.on("close", () => open.delete(give));
    if (open.size === answering.together) {
      setTimeout(() => {
        const due = [...open];
        open.clear();
        for (const each of due) each();
      }, LINGER_MS);
    }
  } else give();
}

function control(method: string, path: string, body: string, response: ServerResponse): void {
  if (method === "PUT") scripts.set(path, JSON.parse(body) as Answering[]);
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(received.get(path) ?? []));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
