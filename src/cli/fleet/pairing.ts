import type { DeviceClient } from "../../sdk/device-client.ts";
import { systemHost } from "../../sdk/host.ts";
import { ServerRefusal } from "../../sdk/http.ts";
import { type AdminAccess, adminGet, adminPost } from "./api.ts";

/** Where a screen stands, before it is paired: a device that there is already, or what the new one is to be. */
export type Place = { device_id: string } | { store_id: string; group_id: string; name: string };

const LOOK_EVERY_MS = 50;
const PAUSE_MS = 1000;

/**
 * Waits until the player runs, and pairs it on the way where it is not. Returns the device's id; null where the server lets it
 * write no more, or the signal came first. @throws Stop where the API refuses the administrator.
 */
export async function pairUp(
  client: DeviceClient,
  access: AdminAccess,
  place: Place,
  by: "code" | "approval",
  signal: AbortSignal,
): Promise<string | null> {
  const approved = new Set<string>();
  let typed = false;
  while (!signal.aborted) {
    const { state } = client;
    if (state.kind === "stopped") return null;
    if (state.kind === "running") return state.deviceId;
    if (state.kind === "unpaired" && by === "code" && !typed) {
      typed = await typeCode(client, access, place);
    } else if (state.kind === "unpaired" && state.claimCode !== null && !approved.has(state.claimCode)) {
      approved.add(state.claimCode);
      await approve(access, place, state.claimCode);
    }
    await systemHost.sleep(LOOK_EVERY_MS, signal);
  }
  return null;
}

/** An administrator makes a code, and somebody types it in. False: it did not work, and is tried again with another one. */
async function typeCode(client: DeviceClient, access: AdminAccess, place: Place): Promise<boolean> {
  const { claim_code } = await adminPost(access, "/v1/device/pairing/create-claim", place);
  try {
    await client.pair(String(claim_code));
    return true;
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    await systemHost.sleep(PAUSE_MS);
    return false;
  }
}

/** An administrator reads the screen's own code, and decides where it stands. */
async function approve(access: AdminAccess, place: Place, claimCode: string): Promise<void> {
  const { items } = await adminGet(access, `/v1/admin/claims?claim_code=${claimCode}`);
  const [claim] = items as { id: string; status: string }[];
  if (claim?.status === "pending") await adminPost(access, `/v1/admin/claims/${claim.id}/approve`, place, `approve-${claim.id}`);
}
