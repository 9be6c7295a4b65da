import { keyedHash } from "../platform/log.ts";
import { MINUTE_MS } from "../platform/time.ts";

/** Consonants only (RFC 8628, 6.1): no words, no 0/O or 1/I, 34.6 bits in eight characters. */
export const CLAIM_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";
export const CLAIM_CODE_CHARS = 8;
export const CLAIM_LIFETIME_MS = 10 * MINUTE_MS;

const FORM = new RegExp(`^[${CLAIM_CODE_ALPHABET}]{${CLAIM_CODE_CHARS}}$`);
/** The largest multiple of the alphabet's length in a byte: bytes above it would favour the first letters. */
const FAIR_BYTES = 256 - (256 % CLAIM_CODE_ALPHABET.length);

/** A random claim code, every letter as likely as any other. */
export function newClaimCode(): string {
  return codeOf(() => crypto.getRandomValues(new Uint8Array(16)));
}

/** The code of a claim that may be asked for again: as random to who does not hold the secret, and kept nowhere. */
export async function claimCodeOf(hashSecret: string, claimId: string): Promise<string> {
  const rounds = [0, 1, 2, 3].map((round) => keyedHash(hashSecret, `code-of-claim:${claimId}:${round}`));
  const bytes = (await Promise.all(rounds)).map((hex) => Uint8Array.fromHex(hex));
  return codeOf(() => bytes.shift() ?? new Uint8Array(16));
}

function codeOf(more: () => Uint8Array): string {
  let code = "";
  while (code.length < CLAIM_CODE_CHARS) {
    for (const byte of more()) {
      if (byte < FAIR_BYTES && code.length < CLAIM_CODE_CHARS) code += CLAIM_CODE_ALPHABET[byte % CLAIM_CODE_ALPHABET.length];
    }
  }
  return code;
}

/** A code as people type it (any case, spaces, dashes) in the form in which it was given out; null for what was never a code. */
export function normalizeClaimCode(typed: string): string | null {
  const code = typed.replaceAll(/[\s\p{Pd}]/gu, "").toUpperCase();
  return FORM.test(code) ? code : null;
}

/** The form in which a code is stored. What is no code gets a hash that no stored one equals. */
export async function claimCodeHmac(hashSecret: string, code: string | null): Promise<string> {
  return await keyedHash(hashSecret, `claim-code:${code ?? ""}`);
}
