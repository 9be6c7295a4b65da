import { exports } from "cloudflare:workers";
import type { Answer } from "./admin.ts";

/** The beginnings of real files: what tells their kinds apart, and as much behind it as a test asks for. */

/** Bytes of a text, one for each character. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const HEADS = {
  jpeg: "\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
  png: "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0",
  mp4: "\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41",
  webm: "\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04B\x85\x81\x02",
  html: "<!doctype html>\n<title>Offer</title>\n",
};

/** A box of an MP4 file (ISO/IEC 14496-12, 4.2). */
export function box(type: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + parts.reduce((sum, part) => sum + part.length, 0));
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes.set(bytesOf(type), 4);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The movie of an MP4 file that runs for so many units, of which a second has `timescale`. */
export function movie(units: number, timescale: number, version: 0 | 1 = 0): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(version === 1 ? 108 : 96);
  const view = new DataView(header.buffer);
  header[0] = version;
  view.setUint32(version === 1 ? 20 : 12, timescale);
  if (version === 1) view.setBigUint64(24, BigInt(units));
  else view.setUint32(16, units);
  return box("moov", box("mvhd", header), box("trak", new Uint8Array(40)));
}

let files = 0;

/** A file of a kind, like no other that this gave: its bytes differ behind the beginning. */
export function fileOf(kind: keyof typeof HEADS, bytes = 64): Uint8Array<ArrayBuffer> {
  files += 1;
  const head = bytesOf(`${HEADS[kind]}${kind === "html" ? "<!--" : ""}${files}-${crypto.randomUUID()}`);
  const file = new Uint8Array(Math.max(bytes, head.length)).fill(0x20);
  file.set(head);
  return file;
}

/** SHA-256 of a file: in hex, and as the `Content-Digest` header says it. */
export async function hashOf(file: Uint8Array<ArrayBuffer>): Promise<{ hex: string; digest: string }> {
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", file));
  return { hex: hash.toString("hex"), digest: `sha-256=:${hash.toString("base64")}:` };
}

/** Sends bytes to the Worker as an administrator. */
export async function send(method: string, path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await exports.default.fetch(`http://localhost${path}`, {
    method,
    body,
    headers: { Authorization: "Bearer test-admin-token", ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Uploads a file as a version of a piece of content. */
export async function upload(contentId: string, file: BodyInit, headers: Record<string, string> = {}, query = ""): Promise<Answer> {
  return await send("POST", `/v1/admin/content/${contentId}/versions/upload${query}`, file, headers);
}
