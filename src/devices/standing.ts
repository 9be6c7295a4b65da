import { Problem } from "../platform/errors.ts";
import type { DeviceIdentity } from "./token.ts";

/** What says whether a device may be served: from its row in `devices`. */
export interface DeviceStanding {
  status: "unpaired" | "active" | "revoked";
  /** The token family of the player that is paired now. */
  token_family_id: string | null;
}

/**
 * @throws Problem `device-revoked`, or `unauthorized` with code `TOKEN_SUPERSEDED`, unless this player is the one that is
 * paired now, with a device that is active.
 */
export function requireStanding<T extends DeviceStanding>(device: T | null, { familyId }: DeviceIdentity): asserts device is T {
  if (device?.status === "revoked") throw new Problem("device-revoked", "The device was revoked; it gets nothing any more.");
  if (device?.status !== "active" || device.token_family_id !== familyId) throw superseded();
}

/** The problem for a token of a player that was replaced. */
export function superseded(): Problem {
  return new Problem("unauthorized", "The token belongs to a player that is no longer this device's.", { code: "TOKEN_SUPERSEDED" });
}

/** The problem for a token of a device that is not there, or no longer. */
export function unknownDevice(): Problem {
  return new Problem("unauthorized", "There is no such device.", { code: "DEVICE_UNKNOWN" });
}
