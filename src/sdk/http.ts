import type { Host } from "./host.ts";

/** What became of a request: an answer, or none (no network, a timeout, an answer that broke off). */
export type Answer =
  | {
      kind: "answer";
      status: number;
      /** The JSON body's members; empty where the body is no JSON object. */
      body: Record<string, unknown>;
      /** From `Retry-After`, in ms; null without one. */
      retryAfterMs: number | null;
    }
  | { kind: "unreachable"; error: string };

/** Posts JSON text. Never throws for what the network or the server does. */
export async function postJson(host: Host, url: string, text: string, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const request = { method: "POST" as const, headers: { "Content-Type": "application/json", ...headers }, body: text };
    return await readAnswer(host, await host.fetch(url, request));
  } catch (error) {
    return { kind: "unreachable", error: errorText(error) };
  }
}

/** Reads a response to its end. Never throws: one that breaks off is none. */
export async function readAnswer(host: Host, response: Response): Promise<Answer> {
  try {
    return {
      kind: "answer",
      status: response.status,
      body: parseObject(await response.text()),
      retryAfterMs: retryAfterMs(response.headers.get("Retry-After"), host.wallClock()),
    };
  } catch (error) {
    return { kind: "unreachable", error: errorText(error) };
  }
}

/** What is known of an error, in words. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Nothing between a player and its server may silence it for longer, nor a date that a clock which is a year behind is compared with. */
const RETRY_AFTER_LONGEST_MS = 3_600_000;

/** The wait that a `Retry-After` asks for (RFC 9110, 10.2.3: seconds or a date), in ms, an hour at most; null where it says nothing. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const asked = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(asked) ? null : Math.min(RETRY_AFTER_LONGEST_MS, Math.max(0, asked));
}

const BACKOFF_FIRST_MS = 1000;
const BACKOFF_LONGEST_MS = 5 * 60_000;

/**
 * How long to wait after so many failures in a row (1 or more), in ms: doubling from one second to five minutes, of which
 * the upper half is chance (`random` in [0, 1)), so that screens that lost the same server do not come back together.
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** What a wait that the server asks for is spread over, so that screens which it sent away together do not come back together. */
const SPREAD_MS = 1000;

/** How long to wait after so many failures in a row, in ms: as long as the server said where it did, else ever longer; by chance in both. */
export function patienceMs(failures: number, retryAfterMs: number | null, random: number): number {
  return retryAfterMs === null ? backoffMs(failures, random) : Math.max(SPREAD_MS, retryAfterMs) + Math.round(random * SPREAD_MS);
}

/** The server said no, or answered what this SDK does not understand. */
export class ServerRefusal extends Error {
  override readonly name = "ServerRefusal";

  constructor(
    readonly status: number,
    /** The problem's stable code, as `CLAIM_EXPIRED`. */
    readonly code: string,
    detail: string,
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail);
  }
}

/** The error for an answer that is no success. */
export function refusalOf(answer: Extract<Answer, { kind: "answer" }>): ServerRefusal {
  const { code, detail } = answer.body;
  return new ServerRefusal(
    answer.status,
    typeof code === "string" ? code : `HTTP_${answer.status}`,
    typeof detail === "string" ? detail : `The server answered ${answer.status}.`,
    answer.retryAfterMs,
  );
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
