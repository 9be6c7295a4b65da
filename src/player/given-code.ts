import { ServerRefusal } from "../sdk/index.ts";

/** The code in the page's address, as the QR code of the console's page "Pair a device" brings it: `/player?claim_code=…`. */
const PARAMETER = "claim_code";

/** The code in an address's query; null where there is none. Pure. */
export function codeIn(search: string): string | null {
  return new URLSearchParams(search).get(PARAMETER)?.trim() || null;
}

/** An address without the code, all else as it was. Pure. */
export function withoutCode(href: string): string {
  const url = new URL(href);
  url.searchParams.delete(PARAMETER);
  return url.href;
}

/** Whether a code was not tried for want of a server, and may do later. Pure. */
export function mayDoLater(error: unknown): boolean {
  return !(error instanceof ServerRefusal) || error.status === 0 || error.status === 429 || error.status >= 500;
}

const WAYS_ON = "Use this screen's own code, or make another one in the console.";

/** Why a code that an administrator made does not do, for who stands before the screen. Pure. */
export function faultOf(error: unknown): string {
  if (!(error instanceof ServerRefusal)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return "The server cannot be reached.";
  switch (error.code) {
    case "CLAIM_EXPIRED":
      return `That code has expired. ${WAYS_ON}`;
    case "CLAIM_USED":
      return `That code has been used: each is good for one screen. ${WAYS_ON}`;
    case "CLAIM_NOT_FOUND":
      return `There is no such code. Look at it again. ${WAYS_ON}`;
    default:
      return error.message;
  }
}
