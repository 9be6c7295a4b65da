import { MAX_URL_CHARS } from "./limits.ts";

/** Names that lead into somebody's own network, or nowhere (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`). */
const PRIVATE_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "localdomain",
  "home.arpa",
  "test",
  "example",
  "invalid",
  "onion",
  "alt",
];
const DOMAIN = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Why messages must not be sent to a URL; null where they may. Only https on port 443 of a public domain name: no address, whatever
 * notation hides it (the URL parser has made them all the same by then), no name of a private network, nothing with credentials. A
 * public name may still lead to a private address: what then stops it is the platform, which reaches public ones only.
 * @param ownHost the host that this product answers at, which must not call itself
 */
export function targetFault(text: string, ownHost = ""): string | null {
  if (text.length > MAX_URL_CHARS) return `may have ${MAX_URL_CHARS} characters at most`;
  const url = URL.parse(text);
  if (!url) return "is no URL";
  if (url.protocol !== "https:") return "must begin with https://";
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  if (url.port !== "") return "must not name a port: messages go to 443 only";
  if (url.hash !== "" || text.includes("#")) return "must not have a fragment";
  const host = bare(url.hostname);
  if (url.hostname.startsWith("[") || /(?:^|\.)(?:0x[0-9a-f]*|\d+)$/.test(host)) return "must name a domain, not an address";
  if (PRIVATE_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))) return "must name a public domain";
  if (!DOMAIN.test(host)) return "must name a public domain";
  if (host === bare(ownHost.replace(/:\d+$/, ""))) return "must not be this server";
  return null;
}

/** A host name as names are compared: in lower case, without the dot that ends a full one. */
function bare(host: string): string {
  return host.toLowerCase().replace(/\.+$/, "");
}
