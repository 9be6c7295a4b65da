import { describe, expect, test } from "vitest";
import { kindOf } from "../../src/content/kinds.ts";
import { bytesOf } from "../support/files.ts";

const mp4 = (major: string, compatible = "") =>
  `\0\0\0${String.fromCharCode(16 + compatible.length)}ftyp${major}\0\0\x02\0${compatible}moov`;

describe("a file's kind is what its bytes say", () => {
  test.each([
    ["JPEG, JFIF", "\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg", "image"],
    ["JPEG, Exif", "\xff\xd8\xff\xe1\0\x10Exif", "image/jpeg", "image"],
    ["PNG", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "image"],
    ["GIF of 1987", "GIF87a\x01\0", "image/gif", "image"],
    ["GIF of 1989", "GIF89a\x01\0", "image/gif", "image"],
    ["WebP, lossy", "RIFF\x24\0\0\0WEBPVP8 \x18", "image/webp", "image"],
    ["WebP, extended", "RIFF\n\r(\0WEBPVP8X", "image/webp", "image"],
    ["AVIF", mp4("avif", "avifmif1miaf"), "image/avif", "image"],
    ["AVIF sequence", mp4("avis", "avismsf1"), "image/avif", "image"],
    ["AVIF that names the image format first", mp4("mif1", "mif1avif"), "image/avif", "image"],
    ["MP4", mp4("isom", "isomiso2avc1mp41"), "video/mp4", "video"],
    ["MP4 of version 2, no compatible brands", mp4("mp42"), "video/mp4", "video"],
    ["MP4 of a phone", mp4("M4V ", "mp42"), "video/mp4", "video"],
    ["WebM", "\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87\x81\x04", "video/webm", "video"],
    ["HTML", "<!DOCTYPE html><title>x</title>", "text/html", "web"],
    ["HTML behind a byte order mark, white space and comments", "\xef\xbb\xbf \n<!-- a --><!--b-->\n<HTML lang=en>", "text/html", "web"],
    ["HTML with an SVG in it", "<!doctype html><svg xmlns='http://www.w3.org/2000/svg'/>", "text/html", "web"],
  ])("%s", (_, head, mime, type) => {
    expect(kindOf(bytesOf(head))).toEqual({ mime, type });
  });
});

describe("what is no kind that screens are given", () => {
  test.each([
    ["nothing", ""],
    ["an SVG", '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ["an SVG behind a declaration", '<?xml version="1.0"?><svg/>'],
    ["an SVG behind its document type", "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' ''><svg/>"],
    ["an SVG behind a comment that speaks of HTML", "<!-- <!doctype html> --><svg/>"],
    ["a tag that only begins like html", "<htmlx>"],
    ["a document type that only begins like html", "<!doctype htmlx>"],
    ["HTML with bytes that no text has", "<!doctype html>\0"],
    ["a comment that does not end in sight", "<!-- <!doctype html>"],
    ["plain text", "hello"],
    ["a script", "#!/bin/sh"],
    ["a PDF", "%PDF-1.7"],
    ["a ZIP", "PK\x03\x04"],
    ["Matroska, which is not WebM", "\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroskaB\x87"],
    ["EBML without a document type", "\x1aE\xdf\xa3\x80"],
    ["QuickTime", mp4("qt  ", "qt  ")],
    ["HEIC", mp4("heic", "mif1heic")],
    ["an image format without AVIF", mp4("mif1", "mif1heic")],
    ["a file type box that ends beyond the file", "\xff\0\0\0ftypisom\0\0\0\0"],
    ["a file type box cut short", "\0\0\0\x10ftypis"],
    ["a sound in RIFF", "RIFF\x24\0\0\0WAVEfmt "],
    ["PNG whose line ends were changed on the way", "\x89PNG\n\x1a\n"],
    ["JPEG cut after two bytes", "\xff\xd8"],
  ])("%s", (_, head) => {
    expect(kindOf(bytesOf(head))).toBeNull();
  });
});

test("a page under the name of an image is a page: names play no part, and a view into larger memory is read as itself", () => {
  const disk = bytesOf(`${"\x89PNG\r\n\x1a\n".padEnd(100)}<html>`);
  expect(kindOf(disk.subarray(100))).toEqual({ mime: "text/html", type: "web" });
  expect(kindOf(bytesOf(`junk${mp4("isom", "isom")}`).subarray(4))?.mime).toBe("video/mp4");
});
