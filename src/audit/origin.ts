import { AsyncLocalStorage } from "node:async_hooks";
import { coarseNetwork, ipv6Groups, unmappedAddress } from "../platform/address.ts";
import type { AppContext } from "../platform/http.ts";
import { keyedHash } from "../platform/log.ts";

const HASH_CHARS = 32;

/**
 * From where an administrator's change came, as the audit log keeps it for good. The address itself is personal data that an
 * append-only log could never give up again, so it stays out: its network says where from, its keyed hash whether two
 * changes came from one address, and whether from one that is known by other ways.
 */
export interface AuditOrigin {
  /** /24 of IPv4, /48 of IPv6; '' where the address is not known. */
  network: string;
  /** HMAC-SHA-256 under the secret `HASH_SECRET`, 32 hex digits; '' where the address is not known. */
  address_hash: string;
  /** ISO 3166-1, as Cloudflare tells; '' where it does not. */
  country: string;
  /** Finds the request in the logs. */
  correlation_id: string;
}

const origins = new AsyncLocalStorage<AuditOrigin>();

/** Runs the rest of an administrator's request so that every audit row which it writes says from where it came. */
export async function withOrigin<T>(c: AppContext, run: () => Promise<T>): Promise<T> {
  return await origins.run(await originOf(c), run);
}

/** The origin of the request that runs now; null outside of an administrator's. */
export function currentOrigin(): AuditOrigin | null {
  return origins.getStore() ?? null;
}

async function originOf(c: AppContext): Promise<AuditOrigin> {
  // Cloudflare sets the header on every request and overwrites what a client sends.
  const address = c.req.header("CF-Connecting-IP") ?? "";
  const country = c.req.raw.cf?.country;
  return {
    network: coarseNetwork(address),
    address_hash: address === "" ? "" : await addressHash(c.env.HASH_SECRET, address),
    country: typeof country === "string" ? country : "",
    correlation_id: c.get("correlationId"),
  };
}

/** Under which name the audit log knows an address. */
export async function addressHash(secret: string, address: string): Promise<string> {
  const plain = unmappedAddress(address.trim());
  // An IPv6 address has many spellings.
  return (await keyedHash(secret, `audit:${ipv6Groups(plain)?.join(":") ?? plain}`)).slice(0, HASH_CHARS);
}
