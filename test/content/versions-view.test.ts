import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";
import { makeToken } from "../support/tokens.ts";

/** A piece of content with an uploaded file. */
async function published() {
  const { id } = await create("content", { name: "Poster", type: "image" });
  const file = fileOf("png", 2000);
  const { hex } = await hashOf(file);
  const { body } = await upload(id, file, {}, `?sha256=${hex}`);
  return { id, file, hex, versionId: String(body.id) };
}

async function fileAt(path: string, headers: Record<string, string> = {}) {
  return await exports.default.fetch(`http://localhost/v1/admin/content/${path}`, {
    headers: { Authorization: "Bearer test-admin-token", ...headers },
  });
}

describe("the file of a version, as an administrator looks at it", () => {
  test("is what was uploaded, and no page of this origin", async () => {
    const { id, file, hex, versionId } = await published();
    const answer = await fileAt(`${id}/versions/${versionId}/file`);
    expect(answer.status).toBe(200);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(file);
    expect(answer.headers.get("Content-Type")).toBe("image/png");
    expect(answer.headers.get("ETag")).toBe(`"${hex}"`);
    expect(answer.headers.get("Content-Disposition")).toBe("attachment");
    expect(answer.headers.get("Content-Security-Policy")).toContain("sandbox");
    const part = await fileAt(`${id}/versions/${versionId}/file`, { Range: "bytes=10-19" });
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, "bytes 10-19/2000"]);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(file.slice(10, 20));
  });

  test("is 404 under another content's id, and where only an address is kept", async () => {
    const [one, other] = await Promise.all([published(), published()]);
    expect((await fileAt(`${other.id}/versions/${one.versionId}/file`)).status).toBe(404);
    const page = await create("content", { name: "Page", type: "web" });
    const version = await create(`content/${page.id}/versions`, { url: "https://example.com/offers" });
    expect((await fileAt(`${page.id}/versions/${version.id}/file`)).status).toBe(404);
  });
});

describe("the list of all versions", () => {
  test("finds a file by its hash, and the versions of one content", async () => {
    const [one, other] = await Promise.all([published(), published()]);
    const byHash = await admin("GET", `/v1/admin/content-versions?sha256=${one.hex}`);
    expect(byHash.body.items).toMatchObject([{ id: one.versionId, content_id: one.id, mime: "image/png", bytes: 2000 }]);
    const ofContent = await admin("GET", `/v1/admin/content-versions?content_id=${other.id}`);
    expect(ofContent.body.items).toMatchObject([{ id: other.versionId }]);
  });

  test("shows a brand's viewer the versions of its own campaigns alone", async () => {
    const [one] = await Promise.all([published(), published()]);
    const campaign = await create("campaigns", { brand_name: "Only", name: "Spring" });
    const playlist = await create("playlists", { name: "Spring", campaign_id: campaign.id });
    await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [{ content_version_id: one.versionId }] });
    const { token } = await makeToken("viewer", { brand_name: "Only" });
    const seen = await admin("GET", "/v1/admin/content-versions", undefined, { Authorization: `Bearer ${token}` });
    expect(seen.body.items).toMatchObject([{ id: one.versionId }]);
    expect((seen.body.items as unknown[]).length).toBe(1);
  });
});
