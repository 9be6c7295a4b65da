const encoder = new TextEncoder();

const UTF8_BYTES_PER_CHAR = 3;
const TEXT_BUFFER_BYTES = 64 * 1024;

/** Writes many texts as UTF-8 into few buffers: a buffer for each small text costs the runtime more than writing it. For one request, or the like. */
export class TextBuffer {
  #free: Uint8Array<ArrayBuffer>;

  /** @param bytes about as much as is to be written: the collector pays for room that nobody needed. */
  constructor(bytes = TEXT_BUFFER_BYTES) {
    this.#free = new Uint8Array(Math.min(bytes, TEXT_BUFFER_BYTES));
  }

  encode(text: string): Uint8Array<ArrayBuffer> {
    const most = text.length * UTF8_BYTES_PER_CHAR;
    if (this.#free.length < most) this.#free = new Uint8Array(Math.max(most, TEXT_BUFFER_BYTES));
    const { written } = encoder.encodeInto(text, this.#free);
    const bytes = this.#free.subarray(0, written);
    this.#free = this.#free.subarray(written);
    return bytes;
  }

  /** Bytes of base64, as {@link decodeBase64}. */
  decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
    if (this.#free.length < text.length) this.#free = new Uint8Array(Math.max(text.length, TEXT_BUFFER_BYTES));
    if (WHITE_SPACE.test(text)) return null;
    try {
      const { written } = this.#free.setFromBase64(text, { alphabet: alphabetOf(text) });
      const bytes = this.#free.subarray(0, written);
      this.#free = this.#free.subarray(written);
      return bytes;
    } catch {
      return null;
    }
  }
}

/** SHA-256 of bytes or of a text's UTF-8, raw. */
export async function sha256(data: Uint8Array | string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** SHA-256 in lower-case hex. */
export function sha256Hex(data: Uint8Array | string): Promise<string> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  // No async function: each play comes by here, and a promise less is a microsecond less.
  return crypto.subtle.digest("SHA-256", bytes).then(hexOf);
}

function hexOf(bytes: ArrayBuffer): string {
  return new Uint8Array(bytes).toHex();
}

/** A UUID of version 8 (RFC 9562) of the first 16 bytes of a hash. */
export function uuid8(hash: Uint8Array): string {
  const bytes = new Uint8Array(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const WHITE_SPACE = /\s/;

/** Bytes of base64 or base64url, padded or not (RFC 4648); null where the text is neither. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  // The platform's decoder refuses everything else, but skips white space.
  if (WHITE_SPACE.test(text)) return null;
  try {
    return Uint8Array.fromBase64(text, { alphabet: alphabetOf(text) });
  } catch {
    return null;
  }
}

function alphabetOf(text: string): "base64" | "base64url" {
  return text.includes("-") || text.includes("_") ? "base64url" : "base64";
}

/** 256 random bits as base64url, behind a prefix that says what the secret is. */
export function randomSecret(prefix = ""): string {
  return prefix + crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Whether two secrets are equal, in a time that tells nothing of either. */
export async function equalSecrets(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([sha256(a), sha256(b)]);
  return crypto.subtle.timingSafeEqual(x, y);
}
