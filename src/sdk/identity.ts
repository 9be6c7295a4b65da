import { base64url, sha256Hex, utf8 } from "./encoding.ts";

/** How a device signs (RFC 7518, RFC 8037). The key fixes it. */
export type KeyAlgorithm = "RS256" | "PS256" | "ES256" | "EdDSA";

/** A public key as it is registered at pairing. */
export interface PublicJwk {
  kty: string;
  alg: KeyAlgorithm;
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
}

/** The private key as JSON, for players that keep it in a file. */
export type PrivateJwk = PublicJwk & { d: string; p?: string; q?: string; dp?: string; dq?: string; qi?: string };

/** A device's key pair. Structured-clonable, so a browser can keep it in IndexedDB without ever seeing the private key. */
export interface Identity {
  alg: KeyAlgorithm;
  privateKey: CryptoKey;
  publicJwk: PublicJwk;
}

/** Where an identity is kept. */
export interface IdentityStore {
  load(): Promise<Identity | null>;
  save(identity: Identity): Promise<void>;
}

const RSA_BITS = 2048;

const ALGORITHMS = {
  RS256: { key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, sign: { name: "RSASSA-PKCS1-v1_5" } },
  PS256: { key: { name: "RSA-PSS", hash: "SHA-256" }, sign: { name: "RSA-PSS", saltLength: 32 } },
  ES256: { key: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } },
  EdDSA: { key: { name: "Ed25519" }, sign: { name: "Ed25519" } },
} as const;

/**
 * Makes a new key pair: RSA of 2048 bits unless another algorithm is asked for. With `extractable` false (the default)
 * the private key can be used but never read, which only a browser's storage can keep.
 */
export async function createIdentity(alg: KeyAlgorithm = "RS256", extractable = false): Promise<Identity> {
  const { key } = ALGORITHMS[alg];
  const rsa = alg === "RS256" || alg === "PS256" ? { modulusLength: RSA_BITS, publicExponent: new Uint8Array([1, 0, 1]) } : {};
  const pair = (await crypto.subtle.generateKey({ ...key, ...rsa }, extractable, ["sign", "verify"])) as CryptoKeyPair;
  const exported = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as JsonWebKey;
  return { alg, privateKey: pair.privateKey, publicJwk: publicMembers(exported, alg) };
}

/** The identity of a private key that was kept as JSON. Its `alg` says how it signs. */
export async function identityFromJwk(jwk: PrivateJwk, extractable = false): Promise<Identity> {
  const { alg, ...members } = jwk;
  const privateKey = await crypto.subtle.importKey("jwk", members, ALGORITHMS[alg].key, extractable, ["sign"]);
  return { alg, privateKey, publicJwk: publicMembers(jwk, alg) };
}

/** The private key as JSON. Rejects for an identity that was made without `extractable`. */
export async function exportIdentity(identity: Identity): Promise<PrivateJwk> {
  const jwk = (await crypto.subtle.exportKey("jwk", identity.privateKey)) as JsonWebKey;
  const members: Record<string, string> = {};
  for (const name of ["d", "p", "q", "dp", "dq", "qi"] as const) if (jwk[name] !== undefined) members[name] = jwk[name];
  return { ...identity.publicJwk, ...members, d: members.d ?? "" };
}

/** The identity that the store keeps, or a new one, kept before it is used. */
export async function keepIdentity(store: IdentityStore, make: () => Promise<Identity> = createIdentity): Promise<Identity> {
  const kept = await store.load();
  if (kept) return kept;
  const made = await make();
  await store.save(made);
  return made;
}

/** Signs bytes with the device's key. */
export async function sign(identity: Identity, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHMS[identity.alg].sign, identity.privateKey, bytes));
}

/** A compact JWS (RFC 7515) over a text: how a device proves at pairing that it holds its key. */
export async function compactJws(identity: Identity, payload: string): Promise<string> {
  const signed = `${base64url(utf8(JSON.stringify({ alg: identity.alg })))}.${base64url(utf8(payload))}`;
  return `${signed}.${base64url(await sign(identity, utf8(signed)))}`;
}

/** The thumbprint of a public key (RFC 7638), in lower-case hex. */
export async function thumbprintOf({ crv, e, kty, n, x, y }: PublicJwk): Promise<string> {
  // In the order of their names, without what is absent: canonical as it is.
  return await sha256Hex(JSON.stringify({ crv, e, kty, n, x, y }));
}

function publicMembers(jwk: JsonWebKey | PrivateJwk, alg: KeyAlgorithm): PublicJwk {
  const members: PublicJwk = { kty: jwk.kty ?? "", alg };
  for (const name of ["n", "e", "crv", "x", "y"] as const) if (jwk[name] !== undefined) members[name] = jwk[name];
  return members;
}
