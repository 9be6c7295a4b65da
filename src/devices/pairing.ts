import { sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { parseDeviceKey } from "./keys.ts";
import { claimCodeHmac, normalizeClaimCode } from "./pairing-code.ts";
import { commitPairing } from "./pairing-commit.ts";
import { type ClaimDecision, decideClaim } from "./pairing-decide.ts";
import { type FoundClaim, findClaim } from "./pairing-lookup.ts";
import { type DeviceKey, fieldProblem, readOfferedKey, requireProof } from "./pairing-proof.ts";
import { tellSequencer } from "./refresh.ts";
import { anotherFirstTokenStatement, type IssuedTokens, issueTokens, newRefreshToken } from "./refresh-tokens.ts";

/** How long a player waits between two questions whether it was approved. */
export const POLL_AFTER_S = 5;
/** A claim goes from open to used once, so a race is settled by the second reading. */
const ROUNDS = 3;
const RETRY_AFTER_UNAVAILABLE_S = 5;
const PLAYER_VERSION_MAX_CHARS = 64;

/** The body of the claim call. */
export interface ClaimAttempt {
  claim_code: string;
  device_info?: Record<string, unknown> | undefined;
  public_key?: unknown;
  device_code?: string | undefined;
  proof?: string | undefined;
}

export type ClaimResult = { kind: "paired"; tokens: IssuedTokens } | { kind: "pending" };

/**
 * Presents a claim code. `address` is the caller's key in the miss counts; `now` in ms.
 * @throws Problem `validation-error`, `claim-not-found`, `claim-used`, `claim-expired`, `forbidden` (code `CLAIM_REJECTED`),
 *   `rate-limit-exceeded`, or `service-unavailable` where D1 takes no write.
 */
export async function claimDevice(env: Env, attempt: ClaimAttempt, address: string, now: number): Promise<ClaimResult> {
  requireOneWay(attempt);
  const code = normalizeClaimCode(attempt.claim_code);
  const codes = [code, attempt.claim_code];
  const offered = await readOfferedKey(attempt.public_key);
  // Before the code is looked up: a proof that fails must not tell whether the code exists.
  if (offered) await requireProof(offered, attempt.proof, codes);
  const hashes = {
    hmac: await claimCodeHmac(env.HASH_SECRET, code),
    deviceCodeHash: attempt.device_code === undefined ? null : await sha256Hex(attempt.device_code),
  };
  let failure: unknown;
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await findClaim(env.DB, hashes, address, now);
    const key = found?.jwk ? await registeredKey(found.jwk) : offered;
    if (found?.jwk && key) await requireProof(key, attempt.proof, codes);
    const claimant = { kid: key?.kid ?? null, showedDeviceCode: hashes.deviceCodeHash !== null };
    const decision = decideClaim(found?.state ?? null, claimant, now);
    if (decision === "pending") return { kind: "pending" };
    if (decision !== "win" && decision !== "repeat") throw claimProblem(decision);
    if (!found) throw claimProblem("not-found");
    try {
      const tokens = decision === "win" ? await win(env, found, attempt, key, now) : await repeat(env, found, key, now);
      return { kind: "paired", tokens };
    } catch (error) {
      // Somebody was faster, or D1 failed. The claim, read again, says which.
      failure = error;
    }
  }
  throw new Problem("service-unavailable", "The player could not be paired now.", {
    headers: { "Retry-After": String(RETRY_AFTER_UNAVAILABLE_S) },
    cause: failure,
  });
}

async function win(env: Env, found: FoundClaim, attempt: ClaimAttempt, key: DeviceKey | null, now: number): Promise<IssuedTokens> {
  const infoJson = attempt.device_info ? JSON.stringify(attempt.device_info) : found.deviceInfoJson;
  const tokens = await commitPairing(env, found.won, { key, infoJson, playerVersion: playerVersionOf(infoJson) }, now);
  await tellSequencer(env, tokens.device_id);
  return tokens;
}

/** The winner's answer was lost: fresh tokens of the same family. The first of them that is used ends the others. */
async function repeat(env: Env, found: FoundClaim, key: DeviceKey | null, now: number): Promise<IssuedTokens> {
  const { familyId, won } = found;
  if (familyId === null || won.device_id === null) throw claimProblem("used");
  const token = await newRefreshToken();
  await anotherFirstTokenStatement(env.DB, familyId, token, now).run();
  return await issueTokens(env, { deviceId: won.device_id, familyId, key }, token, now);
}

/** Either the player speaks for itself with a code that an administrator made, or it shows the secret of its own. */
function requireOneWay(attempt: ClaimAttempt): void {
  if (attempt.device_code === undefined) {
    if (attempt.device_info === undefined)
      throw fieldProblem("/device_info", "Send device_info, or the device_code of the player's own code.");
    return;
  }
  for (const field of ["device_info", "public_key"] as const) {
    if (attempt[field] !== undefined)
      throw fieldProblem(`/${field}`, "It was given when the code was asked for; leave it out with device_code.");
  }
}

async function registeredKey(jwk: unknown): Promise<DeviceKey> {
  const parsed = await parseDeviceKey(jwk);
  if (!parsed.ok) throw new Error(`A claim holds a key that is none: ${parsed.reason}`);
  return { kid: parsed.kid, jwk: parsed.jwk };
}

function playerVersionOf(infoJson: string | null): string | null {
  const info = infoJson === null ? {} : (JSON.parse(infoJson) as Record<string, unknown>);
  return typeof info.player_version === "string" ? info.player_version.slice(0, PLAYER_VERSION_MAX_CHARS) : null;
}

function claimProblem(decision: Exclude<ClaimDecision, "pending" | "win">): Problem {
  switch (decision) {
    case "not-found":
      return new Problem("claim-not-found", "There is no such claim code. Compare it with the one that was given out.");
    case "rejected":
      return new Problem("forbidden", "An administrator rejected this player's claim.", { code: "CLAIM_REJECTED" });
    case "expired":
      return new Problem("claim-expired", "The claim code is older than ten minutes; get a new one.");
    case "used":
    case "repeat":
      return new Problem("claim-used", "The claim code was used; get a new one.");
  }
}
