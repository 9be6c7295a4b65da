import { DAY_MS, HOUR_MS } from "../platform/time.ts";
import type { DeviceJwk } from "./keys.ts";

/** How long a refresh token may lie unused before the screen must be paired again. */
export const REFRESH_TOKEN_LIFETIME_MS = 90 * DAY_MS;
/** How long a superseded token is remembered, so that its use is seen as a reuse. Later it is merely unknown. */
export const SUPERSEDED_KEPT_MS = 7 * DAY_MS;
/** A player refreshes once an hour. What refreshes more often than this is broken, and must not fill the database. */
export const TOKENS_PER_HOUR = 120;
export const TOKENS_PER_HOUR_WINDOW_MS = HOUR_MS;

/** A refresh token with its family and device, as D1 has them when it is presented. Times in ms. */
export interface RefreshState {
  familyId: string;
  deviceId: string;
  expiresAt: number;
  supersededAt: number | null;
  familyRevokedAt: number | null;
  deviceStatus: "unpaired" | "active" | "revoked";
  /** The family of the player that is paired now. */
  currentFamilyId: string | null;
  /** Tokens that the family was given in the last hour. */
  recentTokens: number;
  /** The family's key; null for a player that was paired without one. */
  key: { kid: string; jwk: DeviceJwk } | null;
}

/** What presenting a refresh token yields. */
export type RefreshDecision =
  | { kind: "rotate"; state: RefreshState }
  | { kind: "reuse"; state: RefreshState }
  | { kind: "too-often" }
  | { kind: "refused"; reason: "unknown" | "expired" | "revoked" };

/**
 * Decides on a refresh token (null: no such token).
 *
 * The tokens of a family form a chain with a tuft at its end: one token in use, and its successors, none of which has been
 * used yet. Refreshing again with the token in use gives one more successor, and all of them work. The first successor that
 * is used becomes the token in use and supersedes every other token of the family, its unused siblings too. So whatever
 * answers were lost, one branch lives; and who presents a superseded token proves that two hold the family's tokens:
 * `reuse`, after which the family is to be revoked. Repeating a token that is in use is never a reuse.
 */
export function decideRefresh(state: RefreshState | null, now: number): RefreshDecision {
  if (!state) return { kind: "refused", reason: "unknown" };
  const current = state.deviceStatus === "active" && state.currentFamilyId === state.familyId;
  if (state.familyRevokedAt !== null || !current) return { kind: "refused", reason: "revoked" };
  // Expired before superseded: what is that old may have been forgotten already, and must not be answered by chance.
  if (now > state.expiresAt) return { kind: "refused", reason: "expired" };
  if (state.supersededAt !== null) return { kind: "reuse", state };
  if (state.recentTokens >= TOKENS_PER_HOUR) return { kind: "too-often" };
  return { kind: "rotate", state };
}
