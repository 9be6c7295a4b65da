import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { type FieldError, Problem } from "../platform/errors.ts";

export const PASSWORD_MIN_CHARS = 12;
export const PASSWORD_MAX_CHARS = 128;

/**
 * OWASP ASVS 5.0, appendix C: N = 2^15, r = 8, p = 3. It takes 32 MB and some tenths of a second; more would take an isolate's whole memory.
 */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;
const SCRYPT_MAX_BYTES = 64 * 1024 * 1024;
const KEPT = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w+/=]+)\$([\w+/=]+)$/;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Passwords that an isolate looks at at once: a crowd of them would leave neither time nor memory for anything else. */
export const PASSWORDS_AT_ONCE = 2;
const RETRY_AFTER_S = "1";

/** Words of a name or address that are shorter say nothing of whose password it is. */
const TELLING_WORD_MIN_CHARS = 4;

let looking = 0;

/**
 * Does work that hashes passwords, a few at a time.
 * @throws Problem `rate-limit-exceeded` where this isolate has its hands full.
 */
export async function withPasswordTurn<T>(work: () => Promise<T>): Promise<T> {
  if (looking >= PASSWORDS_AT_ONCE) {
    const headers = { "Retry-After": RETRY_AFTER_S };
    throw new Problem("rate-limit-exceeded", "Many people sign in at this moment. Try again in a second.", { headers });
  }
  looking += 1;
  try {
    return await work();
  } finally {
    looking -= 1;
  }
}

/** What is kept of a password: `scrypt$N$r$p$salt$key`, in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST);
  return ["scrypt", COST.N, COST.r, COST.p, salt.toString("base64"), key.toString("base64")].join("$");
}

/** Whether a password is the one that `kept` was made of, in a time that tells nothing of it. */
export async function isPassword(password: string, kept: string): Promise<boolean> {
  const match = KEPT.exec(kept);
  if (!match) return false;
  const [, N, r, p, salt = "", key = ""] = match;
  const expected = Buffer.from(key, "base64");
  const derived = await derive(password, Buffer.from(salt, "base64"), { N: Number(N), r: Number(r), p: Number(p) });
  return expected.length === derived.length && timingSafeEqual(derived, expected);
}

function derive(password: string, salt: Uint8Array, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  // What is written in two ways is one password, whichever keyboard it is typed on.
  const text = password.normalize("NFKC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: SCRYPT_MAX_BYTES }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Whose password it is to be. */
export interface PasswordOwner {
  email: string;
  name: string;
}

/** Why nobody may have this password, as a sentence that goes on from the field's name; null where they may. Pure. */
export function passwordFault(password: string, { email, name }: PasswordOwner): string | null {
  if (password.length < PASSWORD_MIN_CHARS) return `must have ${PASSWORD_MIN_CHARS} characters at least`;
  if (password.length > PASSWORD_MAX_CHARS) return `may have ${PASSWORD_MAX_CHARS} characters at most`;
  if (new Set(password).size < TELLING_WORD_MIN_CHARS) return "must not be one character over and over";
  const plain = password.toLowerCase();
  const words = `${email} ${name}`.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const telling = words.find((word) => word.length >= TELLING_WORD_MIN_CHARS && plain.includes(word) && guessable(plain, word));
  return telling === undefined ? null : "must not be made of your e-mail address or name";
}

/** Whether little is left of a password when a word that anybody knows is taken out of it. */
function guessable(password: string, word: string): boolean {
  return password.replaceAll(word, "").length < PASSWORD_MIN_CHARS;
}

/** @throws Problem `validation-error`, code `PASSWORD_UNFIT`, that points at the field. See {@link passwordFault}. */
export function requireFitPassword(password: string, owner: PasswordOwner, pointer: string): void {
  const fault = passwordFault(password, owner);
  if (fault === null) return;
  const errors: FieldError[] = [{ pointer, detail: fault }];
  throw new Problem("validation-error", `${pointer}: ${fault}`, { code: "PASSWORD_UNFIT", errors });
}
