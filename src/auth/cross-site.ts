import { Problem } from "../platform/errors.ts";

/** What the console's own requests carry: a header that no form can send and no other origin may without asking first. */
export const PAGE_HEADER = "X-Requested-With";
export const PAGE_HEADER_VALUE = "alive-console";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/**
 * Why a request that a browser's cookie speaks for may not be the console's own; null where it is. A request that changes something must
 * come from a page of this origin and carry {@link PAGE_HEADER}; a WebSocket, on which browsers set no header, from such a page. Pure.
 */
export function crossSiteFault({ method, url, headers }: Pick<Request, "method" | "url" | "headers">): string | null {
  const socket = headers.get("Upgrade")?.toLowerCase() === "websocket";
  if (SAFE_METHODS.includes(method) && !socket) return null;
  // "null" is what pages without an origin send: they are nobody's.
  if (headers.get("Origin") !== new URL(url).origin) return "A request with a cookie must come from a page of this origin.";
  return socket || headers.get(PAGE_HEADER) === PAGE_HEADER_VALUE ? null : `Send ${PAGE_HEADER}: ${PAGE_HEADER_VALUE}.`;
}

/** @throws Problem `forbidden`, code `CROSS_SITE`. See {@link crossSiteFault}. */
export function refuseCrossSite(request: Request): void {
  const fault = crossSiteFault(request);
  if (fault !== null) throw new Problem("forbidden", fault, { code: "CROSS_SITE" });
}
