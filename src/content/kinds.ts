/** What a file is, as its bytes say. */
export interface FileKind {
  mime: string;
  /** The type of content that may hold it. */
  type: "video" | "image" | "web";
}

/** How much of a file's beginning {@link kindOf} wants to see. */
export const KIND_HEAD_BYTES = 4096;

const JPEG: FileKind = { mime: "image/jpeg", type: "image" };
const PNG: FileKind = { mime: "image/png", type: "image" };
const GIF: FileKind = { mime: "image/gif", type: "image" };
const WEBP: FileKind = { mime: "image/webp", type: "image" };
const AVIF: FileKind = { mime: "image/avif", type: "image" };
const MP4: FileKind = { mime: "video/mp4", type: "video" };
const WEBM: FileKind = { mime: "video/webm", type: "video" };
const HTML: FileKind = { mime: "text/html", type: "web" };

/** Brands of ISO base media files (ISO/IEC 14496-12, the MP4 registration authority) that players show as MP4 video. */
const MP4_BRANDS = /^(?:isom|iso[2-9]|mp4[12]|avc1|dash|M4V |M4VH|M4VP|MSNV|mmp4|f4v )$/;
const AVIF_BRANDS = /^(?:avif|avis)$/;
/** An HTML page begins so, behind comments. Upper or lower case does not matter. */
const HTML_START = /^(?:<!doctype\s+html[\s>]|<html[\s>])/i;

/**
 * The kind of a file by its first bytes, whatever its name or sender says. Null for what no screen is given: SVG among it,
 * for it is a page with scripts that passes for an image.
 * @param head the first {@link KIND_HEAD_BYTES} of the file, or all of a shorter one.
 */
export function kindOf(head: Uint8Array): FileKind | null {
  const text = latin1(head);
  if (text.startsWith("\xff\xd8\xff")) return JPEG;
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return PNG;
  if (/^GIF8[79]a/.test(text)) return GIF;
  if (/^RIFF.{4}WEBPVP8[ LX]/s.test(text)) return WEBP;
  if (text.startsWith("\x1aE\xdf\xa3")) return documentType(text) === "webm" ? WEBM : null;
  if (text.slice(4, 8) === "ftyp") return kindOfBrands(brandsOf(head, text));
  return isHtml(text) ? HTML : null;
}

/** One character for each byte. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The brands of a file type box: the major one, then those it is compatible with. Empty where the box is none. */
function brandsOf(head: Uint8Array, text: string): string[] {
  if (head.length < 16) return [];
  const size = new DataView(head.buffer, head.byteOffset).getUint32(0);
  if (size < 16 || size > head.length || size % 4 !== 0) return [];
  const compatible = text.slice(16, size).match(/.{4}/gs) ?? [];
  return [text.slice(8, 12), ...compatible];
}

function kindOfBrands([major, ...compatible]: string[]): FileKind | null {
  if (major === undefined) return null;
  // An AVIF may name the image format that it is built on as its major brand.
  if (AVIF_BRANDS.test(major) || (/^m[is]f1$/.test(major) && compatible.some((brand) => AVIF_BRANDS.test(brand)))) return AVIF;
  return MP4_BRANDS.test(major) ? MP4 : null;
}

/** The DocType of an EBML file (RFC 8794, 11.2.7): element 0x4282, a length of one byte, ASCII. Null where there is none. */
function documentType(text: string): string | null {
  const at = text.slice(0, 64).indexOf("B\x82");
  if (at < 0) return null;
  const length = text.charCodeAt(at + 2) & 0x7f;
  return text.slice(at + 3, at + 3 + length);
}

function isHtml(text: string): boolean {
  // No text holds this byte, and a file of another kind may well begin with a comment's sign.
  if (text.includes("\0")) return false;
  let rest = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  while (rest.startsWith("<!--")) {
    const end = rest.indexOf("-->", 4);
    if (end < 0) return false;
    rest = rest.slice(end + 3).trimStart();
  }
  return HTML_START.test(rest);
}
