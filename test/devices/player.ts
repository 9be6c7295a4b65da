import { env, exports } from "cloudflare:workers";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { uuidv7 } from "uuidv7";

/** What the tests of pairing share: a player with a key, requests over HTTP, and rows of D1. */
export interface Player {
  alg: string;
  publicKey: JWK;
  privateKey: CryptoKey;
}

/** A player with a fresh key. Most tests take P-256, which is made fast. */
export async function makePlayer(alg = "ES256"): Promise<Player> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, publicKey: await exportJWK(publicKey), privateKey: privateKey as CryptoKey };
}

/** A compact JWS of a text. */
export async function proofOf(player: Player, text: string): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: player.alg }).sign(player.privateKey);
}

export interface Answer {
  status: number;
  headers: Headers;
  body: AnswerBody;
}

/** The members of all answers that these tests read. Which of them an answer has is what the tests find out. */
export interface AnswerBody {
  claim_code: string;
  claim_id: string;
  device_code: string;
  device_id: string;
  device_token: string;
  refresh_token: string;
  expires_at: string;
  revoked_at: string;
  type: string;
  code: string;
  errors: { pointer: string; detail: string }[];
  items: { id: string; status: string }[];
  next_cursor: string | null;
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: await response.json<AnswerBody>() };
}

/** Each test speaks from an address of its own, since misses are counted by address. */
let addresses = 0;
export function newAddress(): string {
  addresses += 1;
  return `10.0.${addresses >> 8}.${addresses & 255}`;
}

export async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return await answerOf(
    await exports.default.fetch(`http://localhost${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
}

export const ADMIN = { Authorization: "Bearer test-admin-token" };

export async function getAsAdmin(path: string): Promise<Answer> {
  return await answerOf(await exports.default.fetch(`http://localhost${path}`, { headers: ADMIN }));
}

/** A store with its supplier, and a group. */
export async function makePlace(): Promise<{ storeId: string; groupId: string; supplierId: string }> {
  const [supplierId, storeId, groupId] = [uuidv7(), uuidv7(), uuidv7()];
  await env.DB.batch([
    env.DB.prepare("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, 'Retail', 1, 1)").bind(supplierId),
    env.DB.prepare(
      "INSERT INTO stores (id, supplier_id, name, timezone, lat, lng, created_at, updated_at) VALUES (?, ?, 'Shop', 'Asia/Ho_Chi_Minh', 10.76, 106.66, 1, 1)",
    ).bind(storeId, supplierId),
    env.DB.prepare("INSERT INTO device_groups (id, name, created_at, updated_at) VALUES (?, 'Windows', 1, 1)").bind(groupId),
  ]);
  return { storeId, groupId, supplierId };
}

/** A code made by an administrator. */
export async function adminCode(presets: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await post("/v1/device/pairing/create-claim", presets, ADMIN);
  if (status !== 201) throw new Error(`no code: ${JSON.stringify(body)}`);
  return body.claim_code;
}

/** The claim call of a player with its key. */
export async function claim(player: Player, code: string, address = newAddress()): Promise<Answer> {
  return await post(
    "/v1/device/pairing/claim",
    {
      claim_code: code,
      device_info: { model: "P4", player_version: "1.2.3" },
      public_key: player.publicKey,
      proof: await proofOf(player, code),
    },
    { "CF-Connecting-IP": address },
  );
}

/** A paired player's tokens. */
export async function pair(player: Player, presets: Record<string, unknown> = {}): Promise<AnswerBody> {
  const answer = await claim(player, await adminCode(presets));
  if (answer.status !== 200) throw new Error(`not paired: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function refresh(refreshToken: unknown): Promise<Answer> {
  return await post("/v1/device/token", { refresh_token: refreshToken });
}

export async function rows(sql: string, ...values: (string | number | null)[]): Promise<Record<string, unknown>[]> {
  return (
    await env.DB.prepare(sql)
      .bind(...values)
      .all()
  ).results;
}

/** How many rows each table that pairing writes holds. */
export async function countRows(): Promise<Record<string, unknown> | undefined> {
  const tables = ["devices", "device_keys", "token_families", "refresh_tokens", "device_assignments", "profile_pushes", "audit_log"];
  return (await rows(`SELECT ${tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`).join(", ")}`))[0];
}
