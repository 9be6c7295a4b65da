import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { claimDevice } from "../../src/devices/pairing.ts";
import { refreshTokens } from "../../src/devices/refresh.ts";
import { adminCode, countRows, makePlayer, pair, proofOf, refresh, rows } from "./player.ts";

/** D1 whose write batches, while `times` lasts, fail before they run or lose their answer behind the commit. */
function failing(when: "before" | "after", times: number): Env {
  let left = times;
  const batch: D1Database["batch"] = async <T>(statements: D1PreparedStatement[]) => {
    // Pairing's lookup has three statements; what writes has more.
    if (statements.length < 4 || left <= 0) return await env.DB.batch<T>(statements);
    left -= 1;
    if (when === "after") await env.DB.batch<T>(statements);
    throw new Error("D1_ERROR: Network connection lost.");
  };
  const db = new Proxy(env.DB, {
    get(target, property) {
      if (property === "batch") return batch;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { ...env, DB: db };
}

async function attemptOf(code: string) {
  const player = await makePlayer();
  return { claim_code: code, device_info: {}, public_key: player.publicKey, proof: await proofOf(player, code) };
}

test("a pairing whose commit was answered by an error is not done twice: the player gets the device that was made", async () => {
  const attempt = await attemptOf(await adminCode());
  const before = await countRows();
  const result = await claimDevice(failing("after", 1), attempt, "address", Date.now());
  if (result.kind !== "paired") throw new Error("not paired");
  expect(await countRows()).toMatchObject({
    devices: Number(before?.devices) + 1,
    token_families: Number(before?.token_families) + 1,
    audit_log: Number(before?.audit_log) + 1,
  });
  expect((await refresh(result.tokens.refresh_token)).body.device_id).toBe(result.tokens.device_id);
});

test("a pairing is tried again, and refused as unavailable when D1 stays away; then nothing was written and the code is good", async () => {
  const attempt = await attemptOf(await adminCode());
  const before = await countRows();
  const refused = await claimDevice(failing("before", 3), attempt, "address", Date.now()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ type: "service-unavailable", options: { headers: { "Retry-After": "5" } } });
  expect(await countRows()).toEqual(before);
  expect(await claimDevice(failing("before", 2), attempt, "address", Date.now())).toMatchObject({ kind: "paired" });
});

test("a refresh whose commit was answered by an error gives a pair that works", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const result = await refreshTokens(failing("after", 1), refresh_token, Date.now());
  expect((await refresh(result.refresh_token)).status).toBe(200);
  expect(await rows("SELECT revoked_at FROM token_families WHERE device_id = ?", device_id)).toEqual([{ revoked_at: null }]);
});

test("a refresh while D1 takes no write is refused as unavailable, and the token stays good", async () => {
  const { refresh_token } = await pair(await makePlayer());
  const refused = await refreshTokens(failing("before", 3), refresh_token, Date.now()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ type: "service-unavailable", options: { headers: { "Retry-After": "5" } } });
  expect((await refresh(refresh_token)).status).toBe(200);
});
