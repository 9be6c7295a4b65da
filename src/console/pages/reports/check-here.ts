import type { PlayProof } from "../../api/schema.ts";

const ALGORITHMS: Record<string, { importParams: object; verifyParams: object }> = {
  RS256: { importParams: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verifyParams: { name: "RSASSA-PKCS1-v1_5" } },
  PS256: { importParams: { name: "RSA-PSS", hash: "SHA-256" }, verifyParams: { name: "RSA-PSS", saltLength: 32 } },
  ES256: { importParams: { name: "ECDSA", namedCurve: "P-256" }, verifyParams: { name: "ECDSA", hash: "SHA-256" } },
  EdDSA: { importParams: { name: "Ed25519" }, verifyParams: { name: "Ed25519" } },
};

/**
 * Checks a play's signature in this browser, with nobody's word but the key's: over the record, or over its batch's lines, of which one is the
 * record's SHA-256. Null where there is nothing to check, or where this browser does not know the algorithm.
 */
export async function checkHere(proof: Pick<PlayProof, "record_text" | "batch_lines" | "signature" | "key">): Promise<boolean | null> {
  if (proof.signature === null || proof.key === null) return null;
  const { alg, ...jwk } = proof.key.jwk;
  const algorithm = ALGORITHMS[String(alg)];
  if (!algorithm) return null;
  const encoder = new TextEncoder();
  const record = encoder.encode(proof.record_text);
  if (proof.batch_lines !== null) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", record));
    const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (!proof.batch_lines.split("\n").includes(hash)) return false;
  }
  try {
    const key = await crypto.subtle.importKey("jwk", jwk as JsonWebKey, algorithm.importParams as EcKeyImportParams, false, ["verify"]);
    const signature = Uint8Array.from(atob(proof.signature.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    const signed = proof.batch_lines === null ? record : encoder.encode(proof.batch_lines);
    return await crypto.subtle.verify(algorithm.verifyParams as EcdsaParams, key, signature, signed);
  } catch {
    return null;
  }
}
