import { Stop } from "../tools.ts";

/** Where to reach the product's API, and as whom. */
export interface AdminAccess {
  baseUrl: string;
  adminToken: string;
}

const RETRIES = 3;
/** The Worker may be on its way up again. */
const UNREACHABLE_TRIES = 120;
const UNREACHABLE_PAUSE_MS = 500;

/** Reads as the administrator. @throws Stop where the API refuses. */
export async function adminGet(access: AdminAccess, path: string): Promise<Record<string, unknown>> {
  return await adminSend(access, "GET", path, null, {});
}

/** Posts as the administrator; repeats what did not get through. @throws Stop where the API refuses. */
export async function adminPost(
  access: AdminAccess,
  path: string,
  body: unknown,
  idempotencyKey?: string,
): Promise<Record<string, unknown>> {
  return await adminSend(access, "POST", path, JSON.stringify(body), {
    "Content-Type": "application/json",
    ...(idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {}),
  });
}

/** Puts or patches as the administrator: the same again does no harm. @throws Stop where the API refuses. */
export async function adminChange(access: AdminAccess, method: "PUT" | "PATCH", path: string, body: unknown): Promise<void> {
  await adminSend(access, method, path, JSON.stringify(body), { "Content-Type": "application/json" });
}

/** Uploads a file as a version of a piece of content. Returns the version's id; that of the first time, where it is there already. */
export async function adminUpload(
  access: AdminAccess,
  contentId: string,
  file: Uint8Array<ArrayBuffer>,
  durationMs: number,
): Promise<string> {
  const sha256 = new Bun.CryptoHasher("sha256").update(file).digest("hex");
  const path = `/v1/admin/content/${contentId}/versions/upload?sha256=${sha256}&duration_ms=${durationMs}`;
  return String((await adminSend(access, "POST", path, file, { "Content-Type": "application/octet-stream" })).id);
}

async function adminSend(
  access: AdminAccess,
  method: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string>,
): Promise<Record<string, unknown>> {
  const url = `${access.baseUrl}${path}`;
  for (let tries = 1, unreached = 1; ; ) {
    const answer = await fetch(url, { method, headers: { Authorization: `Bearer ${access.adminToken}`, ...headers }, body })
      .then(async (response) => ({ response, text: await response.text() }))
      .catch((error: unknown) => ({ response: null, text: String(error) }));
    const { response, text } = answer;
    if (response?.ok) return JSON.parse(text) as Record<string, unknown>;
    if (response === null ? unreached === UNREACHABLE_TRIES : response.status < 500 || tries === RETRIES)
      throw new Stop(`${method} ${path} was answered ${response?.status ?? "not at all"}: ${text}`);
    if (response) tries += 1;
    else unreached += 1;
    await Bun.sleep(UNREACHABLE_PAUSE_MS);
  }
}
