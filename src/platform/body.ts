import { Problem } from "./errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a request's body as JSON of at most `maxBytes`.
 * @throws Problem `unsupported-media-type` (415), `payload-too-large` (413, before the rest is read), or `validation-error`
 * (400) with code `INVALID_JSON` for what is no JSON in UTF-8.
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new Problem("unsupported-media-type", "Send the body as Content-Type: application/json.");
  }
  const bytes = await readBytes(request, maxBytes);
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new Problem("validation-error", "The body is no JSON in UTF-8.", { code: "INVALID_JSON", cause });
  }
}

/** Reads a body of at most `maxBytes`. @throws Problem `payload-too-large` (413), before the rest is read */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get("Content-Length") ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (Number.isFinite(declared)) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("payload-too-large", `The body may have ${maxBytes} bytes at most.`);
}

/** Whether a value read from JSON is an object: no array, no null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
