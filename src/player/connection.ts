import type { ClientEvent } from "../sdk/index.ts";

/** What is known of the way to the server: what a request came to, in words; null while there was none. */
export interface Contact {
  reached: boolean;
  said: string;
}

/** Codes are the server's words; what a network says of itself is written otherwise. */
const CODE = /^[A-Z][A-Z0-9_]*$/;

/** What an event of the client says of the way to the server; null where it says nothing. Pure. */
export function contactOf(event: ClientEvent): Contact | null {
  switch (event.type) {
    case "stream":
      // That it closed may have any reason.
      return event.open ? { reached: true, said: "stream open" } : null;
    case "beat":
    case "plan":
    case "round": {
      const { outcome } = event;
      if (outcome.kind === "idle") return null;
      if (outcome.kind !== "wait") return { reached: true, said: `${event.type}: ${outcome.kind}` };
      return { reached: CODE.test(outcome.reason), said: `${event.type}: ${outcome.reason}` };
    }
    default:
      return null;
  }
}
