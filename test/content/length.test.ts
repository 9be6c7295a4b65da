import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { mp4LengthMs } from "../../src/content/length.ts";
import { admin, create } from "../support/admin.ts";
import { box, bytesOf, hashOf, movie, send, upload } from "../support/files.ts";

const TYPE = box("ftyp", bytesOf("isom\0\0\x02\0isommp42"));
const DATA = box("mdat", new Uint8Array(50_000));

function fileOf(...boxes: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(boxes.flatMap((bytes) => [...bytes]));
}

/** The length that a file says, and how many reads it took. */
async function lengthOf(file: Uint8Array): Promise<[number | null, number]> {
  let reads = 0;
  const ms = await mp4LengthMs(async (offset, length) => {
    reads += 1;
    return file.slice(offset, offset + length);
  }, file.length);
  return [ms, reads];
}

describe("the length of an MP4 file", () => {
  const large = fileOf(Uint8Array.of(0, 0, 0, 1), bytesOf("mdat"), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 32), new Uint8Array(16));

  test.each<[string, Uint8Array, [number | null, number]]>([
    ["with the movie ahead of the data", fileOf(TYPE, movie(1_350_000, 90_000), DATA), [15_000, 3]],
    ["with the movie behind the data", fileOf(TYPE, DATA, movie(450, 30)), [15_000, 4]],
    ["in 64 bits, behind a box with a long size", fileOf(TYPE, large, movie(9_010, 600, 1)), [15_017, 4]],
    ["that is fragmented", fileOf(TYPE, movie(0, 1000), DATA), [null, 3]],
    ["that is not known", fileOf(TYPE, movie(0xffff_ffff, 1000), DATA), [null, 3]],
    ["without a unit", fileOf(TYPE, movie(1000, 0), DATA), [null, 3]],
    ["of over a day", fileOf(TYPE, movie(86_401, 1), DATA), [null, 3]],
    ["without a movie", fileOf(TYPE, DATA), [null, 2]],
    ["that is cut in its movie", fileOf(TYPE, movie(1000, 1000)).slice(0, TYPE.length + 24), [null, 3]],
    ["with a box shorter than its head", fileOf(TYPE, Uint8Array.of(0, 0, 0, 4), bytesOf("free"), movie(1, 1)), [null, 2]],
    ["of nothing but small boxes", fileOf(TYPE, ...Array.from({ length: 100 }, () => box("free", new Uint8Array(8)))), [null, 24]],
    ["that is no MP4", new Uint8Array(40), [null, 1]],
  ])("%s", async (_, file, expected) => {
    expect(await lengthOf(file)).toEqual(expected);
  });
});

describe("a video that is uploaded without its length", () => {
  const file = () => fileOf(TYPE, box("free", bytesOf(crypto.randomUUID())), DATA, movie(12_345, 1000));

  test("has the one that its file says, whether its hash is declared or not", async () => {
    for (const declared of [true, false]) {
      const { id } = await create("content", { name: "c", type: "video" });
      const bytes = file();
      const query = declared ? `?sha256=${(await hashOf(bytes)).hex}` : "";
      expect((await upload(id, bytes, {}, query)).body).toMatchObject({ mime: "video/mp4", duration_ms: 12_345 });
    }
  });

  test("has the one that is given, where one is", async () => {
    const { id } = await create("content", { name: "c", type: "video" });
    expect((await upload(id, file(), {}, "?duration_ms=12000")).body).toMatchObject({ duration_ms: 12_000 });
  });

  test("has it where it came in parts, too", async () => {
    const { id } = await create("content", { name: "c", type: "video" });
    const bytes = file();
    const begun = await create(`content/${id}/uploads`, { sha256: (await hashOf(bytes)).hex, bytes: bytes.length });
    const path = `/v1/admin/content/${id}/uploads/${begun.id}`;
    expect((await send("PUT", `${path}/parts/1`, bytes)).status).toBe(200);
    expect((await admin("POST", `${path}/complete`)).body).toMatchObject({ mime: "video/mp4", duration_ms: 12_345 });
  });

  test("cannot be given another one by sending it again", async () => {
    const { id } = await create("content", { name: "c", type: "video" });
    const bytes = file();
    const first = await upload(id, bytes);
    for (const query of ["", "?duration_ms=12345"]) expect((await upload(id, bytes, {}, query)).body).toEqual(first.body);
    expect((await upload(id, bytes, {}, "?duration_ms=15000")).body).toMatchObject({ status: 409, code: "DURATION_DIFFERS" });
    const said = { sha256: first.body.sha256, duration_ms: 15_000 };
    expect((await admin("POST", `/v1/admin/content/${id}/versions`, said)).body).toMatchObject({ status: 409, code: "DURATION_DIFFERS" });
  });

  test("has none where its file says none", async () => {
    const { id } = await create("content", { name: "c", type: "video" });
    const answer = await upload(id, fileOf(TYPE, box("free", bytesOf(crypto.randomUUID())), DATA));
    expect(answer.body).toMatchObject({ mime: "video/mp4", duration_ms: null });
    expect(
      await env.DB.prepare("SELECT duration_ms FROM content_versions WHERE id = ?").bind(answer.body.id).first("duration_ms"),
    ).toBeNull();
  });
});
