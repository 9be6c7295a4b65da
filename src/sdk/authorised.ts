import type { Host, HttpRequest } from "./host.ts";
import { errorText, readAnswer, refusalOf } from "./http.ts";
import type { TokenKeeper } from "./tokens.ts";

/** Why a request got no answer that says anything of what was asked. */
export type Withheld =
  /** Not now: no network, or the server is busy. `retryAfterMs` is the server's own wish. */
  | { kind: "wait"; retryAfterMs: number | null; reason: string }
  /** The device may not write or read any more: it was revoked, or must be paired anew. */
  | { kind: "stopped"; code: string };

export type Asked = { kind: "answered"; response: Response } | Withheld;

/** What every call of a paired device needs. */
export interface DeviceAccess {
  host: Host;
  baseUrl: string;
  tokens: TokenKeeper;
}

/**
 * Sends a request with the device's token, and once more with a fresh one where the first was refused. `path` is the
 * server's own. Never throws for what the network or the server does; the body of the response is still to be read.
 */
export async function askAsDevice(access: DeviceAccess, path: string, request: HttpRequest): Promise<Asked> {
  const first = await ask(access, path, request);
  if (first.kind !== "unauthorized") return first;
  const second = await ask(access, path, request);
  return second.kind === "unauthorized" ? { kind: "wait", retryAfterMs: null, reason: "UNAUTHORIZED" } : second;
}

async function ask({ host, baseUrl, tokens }: DeviceAccess, path: string, request: HttpRequest): Promise<Asked | { kind: "unauthorized" }> {
  let response: Response;
  try {
    const token = await tokens.token();
    if (token.kind === "unpaired") return { kind: "stopped", code: token.code };
    if (token.kind === "wait") return { ...token, reason: "NO_TOKEN" };
    response = await host.fetch(`${baseUrl}${path}`, {
      ...request,
      headers: { ...request.headers, Authorization: `Bearer ${token.token}` },
    });
    if (response.status === 401) {
      tokens.reject(token.token);
      await response.body?.cancel();
      return { kind: "unauthorized" };
    }
  } catch (error) {
    return { kind: "wait", retryAfterMs: null, reason: errorText(error) };
  }
  if (response.status !== 403 && response.status !== 408 && response.status !== 429 && response.status < 500)
    return { kind: "answered", response };
  const answer = await readAnswer(host, response);
  if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null, reason: answer.error };
  const { code } = refusalOf(answer);
  // A 403 by anything between here and the server is no reason to fall silent for ever.
  if (answer.status === 403 && code === "DEVICE_REVOKED") return { kind: "stopped", code };
  return { kind: "wait", retryAfterMs: answer.retryAfterMs, reason: code };
}
