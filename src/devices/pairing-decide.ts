import { MINUTE_MS } from "../platform/time.ts";

/** For how long the player that won a claim may ask for its answer again. */
export const CLAIM_REPEAT_MS = 10 * MINUTE_MS;

/** A claim as D1 has it when its code is presented. Times in ms. */
export interface ClaimState {
  status: "pending" | "approved" | "rejected" | "used";
  expiresAt: number;
  usedAt: number | null;
  /** The key that won; null where the winner had none. */
  usedKid: string | null;
  /**
   * Whether the tokens that the winner was given are still the device's, not revoked, and none of them was ever used.
   * Once one was, the answer has arrived, and there is nothing to repeat.
   */
  tokensUntouched: boolean;
}

/** Who presents the code: the key whose possession was proved, and whether it showed the claim's own device code. */
export interface Claimant {
  kid: string | null;
  showedDeviceCode: boolean;
}

export type ClaimDecision = "not-found" | "rejected" | "expired" | "pending" | "used" | "repeat" | "win";

/** What presenting a claim code yields; null where no claim has the code. A limit is strict: exactly on it is still inside. */
export function decideClaim(claim: ClaimState | null, claimant: Claimant, now: number): ClaimDecision {
  if (!claim) return "not-found";
  if (claim.status === "used") return mayRepeat(claim, claimant, now) ? "repeat" : "used";
  if (claim.status === "rejected") return "rejected";
  if (now > claim.expiresAt) return "expired";
  return claim.status === "pending" ? "pending" : "win";
}

/** A key proves who won; without one, only the device code does. A code alone proves nothing: it was read off a screen. */
function mayRepeat(claim: ClaimState, claimant: Claimant, now: number): boolean {
  if (claim.usedAt === null || now - claim.usedAt > CLAIM_REPEAT_MS || !claim.tokensUntouched) return false;
  if (claim.usedKid !== claimant.kid) return false;
  return claimant.kid !== null || claimant.showedDeviceCode;
}
