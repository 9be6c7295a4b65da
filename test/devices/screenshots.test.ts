import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { SCREENSHOT_MAX_BYTES, screenshotKey } from "../../src/devices/screenshots.ts";
import { admin } from "../support/admin.ts";
import { makeDevice } from "../support/device.ts";
import { fileOf, hashOf } from "../support/files.ts";

type Token = { token: string };

async function put({ token }: Token, sha256: string, picture: Uint8Array<ArrayBuffer>) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "image/png" };
  const answer = await exports.default.fetch(`http://localhost/v1/device/screenshots/${sha256}`, { method: "PUT", headers, body: picture });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function picture(bytes: number) {
  const file = new Uint8Array(fileOf("png", bytes));
  return { file, sha256: (await hashOf(file)).hex };
}

describe("a screenshot", () => {
  test("is kept under its hash, and may be sent again; administrators see it", async () => {
    const device = await makeDevice();
    const { file, sha256 } = await picture(5000);
    for (const _ of [1, 2])
      expect(await put(device, sha256, file)).toEqual({ status: 201, body: { sha256, bytes: 5000, mime: "image/png" } });
    const kept = await env.BUCKET.get(screenshotKey(sha256));
    expect([kept?.httpMetadata?.contentType, kept?.customMetadata]).toEqual(["image/png", { device_id: device.id }]);
    expect(new Uint8Array((await kept?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(file);
    const shown = await exports.default.fetch(`http://localhost/v1/admin/screenshots/${sha256}`, {
      headers: { Authorization: "Bearer test-admin-token" },
    });
    expect([shown.status, shown.headers.get("Content-Type"), shown.headers.get("Content-Security-Policy")]).toEqual([
      ...[200, "image/png", "sandbox"],
    ]);
    expect(new Uint8Array(await shown.arrayBuffer())).toEqual(file);
    expect((await admin("GET", `/v1/admin/screenshots/${"0".repeat(64)}`)).status).toBe(404);
  });

  test("of another hash, of no picture, or without end is refused, and nothing is kept", async () => {
    const device = await makeDevice();
    const { file } = await picture(5001);
    const other = "a".repeat(64);
    expect(await put(device, other, file)).toMatchObject({ status: 400, body: { code: "HASH_MISMATCH" } });
    expect(await put(device, "..%2f..%2fdead-letter", file)).toMatchObject({ status: 400, body: { code: "HASH_MISMATCH" } });
    const page = new Uint8Array(new TextEncoder().encode("<!doctype html><title>x</title>"));
    const pageHash = (await hashOf(page)).hex;
    expect(await put(device, pageHash, page)).toMatchObject({ status: 400, body: { code: "UNKNOWN_KIND" } });
    const large = await picture(SCREENSHOT_MAX_BYTES + 1);
    expect(await put(device, large.sha256, large.file)).toMatchObject({ status: 413 });
    for (const sha256 of [other, pageHash, large.sha256]) expect(await env.BUCKET.head(screenshotKey(sha256))).toBe(null);
  });

  test("of a revoked device is refused", async () => {
    const device = await makeDevice();
    await env.DB.prepare("UPDATE devices SET status = 'revoked' WHERE id = ?").bind(device.id).run();
    const { file, sha256 } = await picture(5002);
    expect(await put(device, sha256, file)).toMatchObject({ status: 403, body: { code: "DEVICE_REVOKED" } });
    expect(await env.BUCKET.head(screenshotKey(sha256))).toBe(null);
  });
});
