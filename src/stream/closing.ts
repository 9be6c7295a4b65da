import type { Problem } from "../platform/errors.ts";

/** Why the server ends a stream: the code of the close frame (RFC 6455, 7.4; 4000 and up are an application's own) and its reason. */
export interface Closing {
  code: number;
  reason: string;
}

export const CLOSINGS = {
  /** Only text is read. */
  binary: { code: 1003, reason: "BINARY_FRAME" },
  tooLarge: { code: 1009, reason: "FRAME_TOO_LARGE" },
  /** Too many frames were sent without waiting for an answer. */
  backlog: { code: 1013, reason: "TOO_MANY_FRAMES_WAITING" },
  revoked: { code: 4403, reason: "DEVICE_REVOKED" },
  /** The device opened another one. */
  replaced: { code: 4409, reason: "REPLACED" },
} as const satisfies Record<string, Closing>;

/** The token ended, or is no longer this device's; the reason says which, in the words of the other doors. */
export function notAuthorised(reason: string): Closing {
  return { code: 4401, reason };
}

/** What a problem means for the whole stream; null where only a frame is refused. Pure. */
export function closingOf(problem: Problem): Closing | null {
  if (problem.type === "unauthorized") return notAuthorised(problem.code);
  return problem.type === "device-revoked" ? CLOSINGS.revoked : null;
}

const NORMAL = 1000;
/** What a socket is closed by that broke. */
export const ABNORMAL_CLOSURE = 1006;
/** Codes that programs are told and nobody sends (RFC 6455, 7.4.1): no code came, the socket broke, its TLS did. */
const NEVER_SENT = [1005, ABNORMAL_CLOSURE, 1015];

/** The code that answers a close frame. Pure. */
export function answerTo(code: number): number {
  return NEVER_SENT.includes(code) ? NORMAL : code;
}
