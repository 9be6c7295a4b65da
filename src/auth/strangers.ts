import { addressNetwork } from "../platform/address.ts";
import { Problem } from "../platform/errors.ts";
import { MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Secrets that an address may show in a minute and that are not known here, before it is asked to wait. A look-up of each costs a read. */
export const STRANGE_SECRETS_PER_MINUTE = 60;
/** Addresses that an isolate counts in a minute; with more it begins anew. */
const MAX_ADDRESSES = 10_000;

/**
 * Secrets that are being looked up, or were and are nobody's, by the address that showed them: in this minute, as this isolate has seen it.
 * By the secrets and not by requests, so that a crowd behind one address that shows one good token is never turned away.
 */
const strange = new Map<string, Set<string>>();
let countedIn = 0;

/**
 * Looks a secret up that this isolate does not know, unless its sender has shown too many that were nobody's.
 * @param hash of the secret
 * @param look what it is; null: nobody's
 * @param now ms
 * @throws Problem `rate-limit-exceeded` with `Retry-After`; what `look` throws, which counts for nothing.
 */
export async function lookUp<T>(headers: Headers, hash: string, now: number, look: () => Promise<T | null>): Promise<T | null> {
  const shown = shownBy(addressNetwork(headers.get("CF-Connecting-IP") ?? "none"), now);
  if (shown.size >= STRANGE_SECRETS_PER_MINUTE && !shown.has(hash)) throw tooMany(now);
  // Counted before it is looked up: however many come at once, no more are let through.
  shown.add(hash);
  let nobodys = false;
  try {
    const found = await look();
    nobodys = found === null;
    return found;
  } finally {
    if (!nobodys) shown.delete(hash);
  }
}

function shownBy(network: string, now: number): Set<string> {
  const minute = Math.floor(now / MINUTE_MS);
  if (minute !== countedIn || strange.size >= MAX_ADDRESSES) {
    strange.clear();
    countedIn = minute;
  }
  const shown = strange.get(network) ?? new Set<string>();
  strange.set(network, shown);
  return shown;
}

function tooMany(now: number): Problem {
  const waitS = Math.ceil((MINUTE_MS - (now % MINUTE_MS)) / SECOND_MS);
  const detail = "Too many tokens came from your address that are not known here. Wait a minute, and send a right one.";
  return new Problem("rate-limit-exceeded", detail, { headers: { "Retry-After": String(waitS) } });
}
