import { adminChange, adminUpload } from "../../src/cli/fleet/api.ts";
import { videoOf } from "../../src/cli/media/mp4.ts";
import { pictureOf } from "../../src/cli/media/png.ts";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import type { Site } from "./site.ts";

/** What a playlist shows: uploaded files, and pages. */
export type Shown =
  | { name: string; type: "image"; durationMs: number; file?: Uint8Array<ArrayBuffer> }
  | { name: string; type: "video"; durationMs: number; fileMs?: number }
  | { name: string; type: "web"; durationMs: number; html: string }
  | { name: string; type: "web"; durationMs: number; url: string };

export interface Programme {
  storeId: string;
  groupId: string;
  campaignId: string;
  playlistId: string;
  /** Content ids by name. */
  content: Record<string, string>;
}

interface Made {
  id: string;
}

/** A store with a group of screens, whose schedule plays a campaign's playlist all day. */
export async function makeProgramme(site: Site, shown: readonly Shown[], rules: Record<string, unknown> = {}): Promise<Programme> {
  const make = async (path: string, body: unknown) => (await site.api<Made>("POST", `/v1/admin/${path}`, body)).id;
  const supplier_id = await make("suppliers", { name: "Retail" });
  const storeId = await make("stores", { supplier_id, name: "Corner shop", timezone: "UTC" });
  const groupId = await make("device-groups", { name: "Windows", policy: { heartbeat_interval_s: 10 } });
  const campaignId = await make("campaigns", { brand_name: "Brand", name: "Autumn" });
  const playlistId = await make("playlists", { name: "Loop", campaign_id: campaignId });
  const content: Record<string, string> = {};
  const items: unknown[] = [];
  for (const one of shown) {
    const id = await make("content", { name: one.name, type: one.type });
    content[one.name] = id;
    items.push({
      content_version_id: await makeVersion(site, id, one),
      ...(one.type === "video" ? {} : { duration_ms: one.durationMs }),
    });
  }
  await adminChange({ baseUrl: site.url, adminToken: ADMIN_TOKEN }, "PUT", `/v1/admin/playlists/${playlistId}/items`, { items });
  await make("schedules", { name: "All day", target_type: "GROUP", target_id: groupId, playlist_id: playlistId, rules });
  return { storeId, groupId, campaignId, playlistId, content };
}

async function makeVersion(site: Site, contentId: string, one: Shown): Promise<string> {
  const upload = (file: Uint8Array<ArrayBuffer>) =>
    adminUpload({ baseUrl: site.url, adminToken: ADMIN_TOKEN }, contentId, file, one.durationMs);
  switch (one.type) {
    case "image":
      return await upload(one.file ?? pictureOf(one.name));
    case "video":
      return await upload(videoOf(one.name, one.fileMs ?? one.durationMs));
    case "web":
      if ("html" in one) return await upload(new TextEncoder().encode(one.html));
      return (await site.api<Made>("POST", `/v1/admin/content/${contentId}/versions`, { url: one.url })).id;
  }
}

/** A code for a screen of the programme, as an administrator makes it. */
export async function claimCode(site: Site, { storeId, groupId }: Programme, name: string): Promise<string> {
  const made = await site.api<{ claim_code: string }>("POST", "/v1/device/pairing/create-claim", {
    store_id: storeId,
    group_id: groupId,
    name,
  });
  return made.claim_code;
}
