import { compactVerify } from "jose";
import { Problem } from "../platform/errors.ts";
import { type DeviceJwk, importDeviceKey, parseDeviceKey } from "./keys.ts";

/** A device's key whose form was checked. */
export interface DeviceKey {
  kid: string;
  jwk: DeviceJwk;
}

/**
 * The key that a body offers; null where it offers none.
 * @throws Problem `validation-error`, code `INVALID_KEY`, for a key that is weak, private or malformed.
 */
export async function readOfferedKey(publicKey: unknown): Promise<DeviceKey | null> {
  if (publicKey === undefined || publicKey === null) return null;
  const parsed = await parseDeviceKey(publicKey);
  if (parsed.ok) return { kid: parsed.kid, jwk: parsed.jwk };
  throw fieldProblem("/public_key", parsed.reason, "INVALID_KEY");
}

/**
 * Demands the proof that the player holds the private key: a compact JWS (RFC 7515) by that key and its algorithm, whose
 * payload is the claim code, as it was given out or as the body has it.
 * @throws Problem `validation-error`, code `PROOF_REQUIRED` or `INVALID_PROOF`.
 */
export async function requireProof(key: DeviceKey, proof: string | undefined, codes: readonly (string | null)[]): Promise<void> {
  if (proof === undefined) {
    throw fieldProblem("/proof", "With a key, send a JWS by it whose payload is the claim code.", "PROOF_REQUIRED");
  }
  // RFC 9864 gives EdDSA over this curve a name of its own; it is the same signature.
  const algorithms = key.jwk.alg === "EdDSA" ? ["EdDSA", "Ed25519"] : [key.jwk.alg];
  let payload: string;
  try {
    const verified = await compactVerify(proof, await importDeviceKey(key.jwk), { algorithms });
    payload = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(verified.payload);
  } catch {
    throw fieldProblem("/proof", "It is not a compact JWS by this key.", "INVALID_PROOF");
  }
  if (!codes.includes(payload)) throw fieldProblem("/proof", "Its payload is not the claim code.", "INVALID_PROOF");
}

/** The problem of one field. */
export function fieldProblem(pointer: string, detail: string, code = "VALIDATION_ERROR"): Problem {
  return new Problem("validation-error", `${pointer}: ${detail}`, { code, errors: [{ pointer, detail }] });
}
