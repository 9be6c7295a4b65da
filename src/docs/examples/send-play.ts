// Pairs a player by a claim code, signs one play log and sends it. WebCrypto, fetch and one small package, nothing else:
//   npx -y bun src/docs/examples/send-play.ts --base http://localhost:8787 --claim CODE --content CONTENT_ID [--campaign CAMPAIGN_ID] [--seconds 15]
import { parseArgs } from "node:util";
import canonicalize from "canonicalize"; // canonical JSON: JCS, RFC 8785

const { values: options } = parseArgs({
  options: {
    base: { type: "string", default: "http://localhost:8787" },
    claim: { type: "string" },
    content: { type: "string" },
    campaign: { type: "string" },
    seconds: { type: "string", default: "15" },
  },
});
const { base, claim, content, campaign } = options;
if (!claim || !content) throw new Error("Give a claim code (--claim) and the id of what was played (--content).");

const utf8 = (text: string) => new TextEncoder().encode(text);
const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("base64");
const base64url = (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>) => Buffer.from(new Uint8Array(bytes)).toString("base64url");

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(base + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  console.log(`POST ${path} -> ${response.status}`, answer);
  if (!response.ok) process.exit(1);
  return answer;
}

// 1. The player's key pair. The private key never leaves the player.
const rs256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const keys = await crypto.subtle.generateKey(rs256, false, ["sign", "verify"]);
const { kty, n, e } = await crypto.subtle.exportKey("jwk", keys.publicKey);
const sign = (text: string) => crypto.subtle.sign(rs256.name, keys.privateKey, utf8(text));

// 2. Pairing. The proof is a compact JWS (RFC 7515) over the claim code: it shows that the player holds the key.
const code = claim.toUpperCase().replace(/[\s-]/g, "");
const signedPart = `${base64url(utf8('{"alg":"RS256"}'))}.${base64url(utf8(code))}`;
const player = await post("/v1/device/pairing/claim", {
  claim_code: code,
  device_info: { model: "send-play example" },
  public_key: { kty, n, e, alg: "RS256" },
  proof: `${signedPart}.${base64url(await sign(signedPart))}`,
});

// 3. The play log of the seconds that have just passed, and its signature over the canonical JSON of all that is in it.
const seconds = Number(options.seconds);
const endedAt = Date.now();
const log = {
  log_id: crypto.randomUUID(),
  device_id: player.device_id,
  content_id: content,
  ...(campaign ? { campaign_id: campaign } : {}),
  started_at: new Date(endedAt - seconds * 1000).toISOString(),
  ended_at: new Date(endedAt).toISOString(),
  duration_actual: seconds,
  duration_expected: seconds,
  status: "COMPLETED",
};
const signed = { ...log, signature: base64(await sign(canonicalize(log) ?? "")) };

// 4. Sent; and the same for curl. Sent again, it is answered as a duplicate and counts once.
const token = String(player.device_token);
await post("/api/v1/playback-logs", signed, { Authorization: `Bearer ${token}`, "Sent-At": new Date().toISOString() });
console.log(`
The same log again, with curl:

curl -i "${base}/api/v1/playback-logs" -H "Authorization: Bearer ${token}" \\
  -H "Content-Type: application/json" -H "Sent-At: $(date -u +%Y-%m-%dT%H:%M:%SZ)" \\
  -d '${JSON.stringify(signed)}'`);
