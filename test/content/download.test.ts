import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { fileKey } from "../../src/content/files.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";
import { scheduleOf } from "../support/media.ts";

/** A file that was uploaded, and the playlist that holds it. */
async function published(kind: "png" | "mp4" | "html", bytes = 1000) {
  const type = { png: "image", mp4: "video", html: "web" }[kind];
  const { id } = await create("content", { name: "c", type });
  const file = fileOf(kind, bytes);
  const { hex } = await hashOf(file);
  const version = await upload(id, file, {}, `?sha256=${hex}`);
  const playlist = await create("playlists", { name: "p" });
  await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [{ content_version_id: version.body.id }] });
  return { file, sha256: hex, playlistId: playlist.id };
}

async function playing(kind: "png" | "mp4" | "html" = "png", bytes = 1000) {
  const [device, media] = await Promise.all([makeDevice(), published(kind, bytes)]);
  await scheduleOf(media.playlistId, "DEVICE", device.id);
  return { device, ...media };
}

async function get(device: Pick<TestDevice, "token">, sha256: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await exports.default.fetch(`http://localhost/v1/device/content/${sha256}`, {
    method,
    headers: { Authorization: `Bearer ${device.token}`, ...headers },
  });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

const codeOf = ({ bytes }: { bytes: Uint8Array }) => (JSON.parse(new TextDecoder().decode(bytes)) as { code: string }).code;

describe("a device's download", () => {
  test("is the file, for good, by a strong ETag", async () => {
    const { device, file, sha256 } = await playing("mp4", 300_000);
    const { status, headers, bytes } = await get(device, sha256);
    expect(status).toBe(200);
    expect((await hashOf(bytes)).hex).toBe(sha256);
    expect(bytes.length).toBe(file.length);
    expect(headers.get("ETag")).toBe(`"${sha256}"`);
    expect(headers.get("Cache-Control")).toBe("private, max-age=31536000, immutable");
    expect(headers.get("Content-Type")).toBe("video/mp4");
    expect(headers.get("Content-Length")).toBe("300000");
    expect(headers.get("Accept-Ranges")).toBe("bytes");
    expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(headers.get("X-Correlation-Id")).toMatch(/^.{8}/);
  });

  test("by HEAD says the same of it, and sends nothing", async () => {
    const { device, sha256 } = await playing("png", 5000);
    const { status, headers, bytes } = await get(device, sha256, { Range: "bytes=0-9" }, "HEAD");
    expect([status, bytes.length]).toEqual([200, 0]);
    expect(headers.get("Content-Length")).toBe("5000");
    expect(headers.get("Content-Type")).toBe("image/png");
    expect(headers.get("ETag")).toBe(`"${sha256}"`);
    expect(headers.get("Content-Range")).toBeNull();
  });

  test("in ranges puts together to the file", async () => {
    const { device, file, sha256 } = await playing("mp4", 10_000);
    const first = await get(device, sha256, { Range: "bytes=0-3999" });
    const middle = await get(device, sha256, { Range: "bytes=4000-8999", "If-Range": `"${sha256}"` });
    const last = await get(device, sha256, { Range: "bytes=-1000" });
    expect([first, middle, last].map(({ status }) => status)).toEqual([206, 206, 206]);
    expect([first, middle, last].map(({ headers }) => headers.get("Content-Range"))).toEqual([
      "bytes 0-3999/10000",
      "bytes 4000-8999/10000",
      "bytes 9000-9999/10000",
    ]);
    expect(middle.headers.get("Content-Length")).toBe("5000");
    expect(new Uint8Array(Buffer.concat([first.bytes, middle.bytes, last.bytes]))).toEqual(file);
  });

  test("of a range behind the end is 416 and says the size", async () => {
    const { device, sha256 } = await playing();
    const answer = await get(device, sha256, { Range: "bytes=1000-" });
    expect([answer.status, codeOf(answer)]).toEqual([416, "RANGE_NOT_SATISFIABLE"]);
    expect(answer.headers.get("Content-Range")).toBe("bytes */1000");
  });

  test.each([
    ["another ETag", (_: string) => `"${"0".repeat(64)}"`],
    ["a weak ETag", (sha256: string) => `W/"${sha256}"`],
    ["a date", () => "Sat, 21 Nov 2026 00:00:00 GMT"],
  ])("of a range if it is %s is the whole file", async (_, ifRange) => {
    const { device, sha256 } = await playing();
    const { status, bytes } = await get(device, sha256, { Range: "bytes=5000-", "If-Range": ifRange(sha256) });
    expect([status, bytes.length]).toEqual([200, 1000]);
  });

  test.each([(tag: string) => `"${tag}"`, (tag: string) => tag, (tag: string) => `W/"${tag}"`, () => "*"])(
    "of a file that it has is 304 (%#)",
    async (spelled) => {
      const { device, sha256 } = await playing();
      const answer = await get(device, sha256, { "If-None-Match": spelled(sha256), Range: "bytes=0-1" });
      expect([answer.status, answer.bytes.length]).toEqual([304, 0]);
      expect(answer.headers.get("ETag")).toBe(`"${sha256}"`);
      expect((await get(device, sha256, { "If-None-Match": '"another"' })).status).toBe(200);
    },
  );

  test("of a page is never a page of this origin", async () => {
    const { device, sha256 } = await playing("html");
    const { headers } = await get(device, sha256);
    expect(headers.get("Content-Security-Policy")).toBe("sandbox allow-scripts");
    expect(headers.get("Content-Disposition")).toBe("attachment");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  });
});

describe("a device gets only what it plays", () => {
  test("a file of nobody's playlist, of an unscheduled one, or of another device is not there", async () => {
    const { sha256 } = await playing();
    const other = await makeDevice();
    for (const asked of [sha256, (await published("png")).sha256, "0".repeat(64), "nothing"]) {
      const answer = await get(other, asked);
      expect([answer.status, codeOf(answer)]).toEqual([404, "NOT_FOUND"]);
    }
  });

  test("what is scheduled on its group, and the default playlist of its group, is", async () => {
    const device = await makeDevice();
    const [scheduled, byDefault] = [await published("png"), await published("mp4")];
    await scheduleOf(scheduled.playlistId, "GROUP", device.groupId, { rules: { start_date: "2099-01-01" } });
    await admin("PATCH", `/v1/admin/device-groups/${device.groupId}`, { default_playlist_id: byDefault.playlistId });
    expect((await get(device, scheduled.sha256)).status).toBe(200);
    expect((await get(device, byDefault.sha256)).status).toBe(200);
    expect((await get(await makeDevice(), scheduled.sha256)).status).toBe(404);
  });

  test("what an archived schedule names is not, unless the plan that the device was given has it", async () => {
    const { device, sha256, playlistId } = await playing();
    const { items } = (await admin("GET", `/v1/admin/schedules?target_id=${device.id}`)).body as { items: { id: string }[] };
    const withPlan = await makeDevice();
    const kept = await scheduleOf(playlistId, "DEVICE", withPlan.id);
    const plan = await exports.default.fetch("http://localhost/v1/device/plan", { headers: { Authorization: `Bearer ${withPlan.token}` } });
    expect(JSON.stringify(await plan.json())).toContain(`/v1/device/content/${sha256}`);
    for (const id of [items[0]?.id, kept.id]) {
      expect((await admin("PATCH", `/v1/admin/schedules/${id}`, { archived: true })).status).toBe(200);
    }
    expect((await get(device, sha256)).status).toBe(404);
    expect((await get(withPlan, sha256)).status).toBe(200);
  });

  test("a version whose file was never uploaded is not there", async () => {
    const { device, sha256 } = await playing();
    await env.BUCKET.delete(fileKey(sha256));
    expect((await get(device, sha256)).status).toBe(404);
  });

  test("and only while it is the player that is paired, and not revoked", async () => {
    const { device, sha256 } = await playing();
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), device.id).run();
    const replaced = await get(device, sha256);
    expect([replaced.status, codeOf(replaced)]).toEqual([401, "TOKEN_SUPERSEDED"]);
    await env.DB.prepare("UPDATE devices SET status = 'revoked' WHERE id = ?").bind(device.id).run();
    expect(codeOf(await get(device, sha256))).toBe("DEVICE_REVOKED");
    expect((await get({ token: "wrong" }, sha256)).status).toBe(401);
  });
});
