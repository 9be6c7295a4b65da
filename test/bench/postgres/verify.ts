import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import canonicalize from "canonicalize";
import { decodeProtectedHeader, jwtVerify } from "jose";
import type { PlaybackLog } from "./judge.ts";

export interface Identity {
  deviceId: string;
  familyId: string;
  kid: string;
  key: KeyObject;
  expiresAt: number;
}

/** Tokens that were verified, as the product keeps them too. */
const identities = new Map<string, Identity>();
const MAX_IDENTITIES = 10_000;

/** Who a request comes from; null where its token is not ours or not in force. */
export async function identify(authorization: string | undefined, secret: Uint8Array, kid: string, now: number): Promise<Identity | null> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (!token) return null;
  const known = identities.get(token);
  if (known && known.expiresAt > now) return known;
  try {
    if (decodeProtectedHeader(token).kid !== kid) return null;
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ["HS256"],
      issuer: "alive-signage",
      audience: "alive-signage/device",
      typ: "device+jwt",
    });
    const { sub, fam, exp, cnf } = payload as {
      sub?: string;
      fam?: string;
      exp?: number;
      cnf?: { kid: string; jwk: Record<string, string> };
    };
    if (!sub || !fam || !exp || !cnf) return null;
    const identity = {
      deviceId: sub,
      familyId: fam,
      kid: cnf.kid,
      key: createPublicKey({ key: cnf.jwk, format: "jwk" }),
      expiresAt: exp * 1000,
    };
    if (identities.size >= MAX_IDENTITIES) identities.clear();
    identities.set(token, identity);
    return identity;
  } catch {
    return null;
  }
}

export interface Proof {
  record: string;
  recordHash: Buffer;
  signature: Buffer;
}

/** Checksum and signature of one record. A text is why it is refused. */
export async function prove(log: PlaybackLog, key: KeyObject, inThreads: boolean): Promise<Proof | string> {
  const { signature, ...signed } = log;
  if (signature === undefined) return "SIGNATURE_REQUIRED";
  const record = canonicalize(signed) ?? "";
  const { checksum, ...bare } = signed;
  const bytes = Buffer.from(record);
  const recordHash = createHash("sha256")
    .update(checksum === undefined ? bytes : (canonicalize(bare) ?? ""))
    .digest();
  if (checksum !== undefined && checksum !== recordHash.toString("hex")) return "CHECKSUM_MISMATCH";
  const signatureBytes = Buffer.from(signature, "base64");
  const holds = inThreads ? await verifyInThread(bytes, key, signatureBytes) : verify("RSA-SHA256", bytes, key, signatureBytes);
  return holds ? { record, recordHash, signature: signatureBytes } : "INVALID_SIGNATURE";
}

/** One Node process reaches the second core through libuv's threads; where there are several, a call is cheaper than a thread's hand-over. */
function verifyInThread(bytes: Buffer, key: KeyObject, signature: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) =>
    verify("RSA-SHA256", bytes, key, signature, (error, holds) => (error ? reject(error) : resolve(holds))),
  );
}
