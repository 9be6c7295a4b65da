import { base64 } from "../../sdk/encoding.ts";
import { createIdentity, type Identity, sign } from "../../sdk/identity.ts";
import { checksumOf, type SignedPlayLog, signedBytes } from "../../sdk/record.ts";
import type { Forgery } from "./decisions.ts";

const LONGER_S = 5;
/** Whoever forges has a key, and not the device's. One for all: making them takes long. */
let stranger: Promise<Identity> | null = null;

/** A signed log as somebody makes it who does not hold its device's key. `otherDevice`: whose play it is made to be. */
export async function forge(log: SignedPlayLog, forgery: Forgery, otherDevice: string): Promise<SignedPlayLog> {
  switch (forgery) {
    case "signed by another key": {
      stranger ??= createIdentity("RS256");
      return { ...log, signature: base64(await sign(await stranger, signedBytes(log))) };
    }
    case "made longer":
      return longer(log);
    case "made longer, and summed anew": {
      const forged = longer(log);
      return { ...forged, checksum: await checksumOf(forged) };
    }
    case "another device's": {
      const forged = { ...log, device_id: otherDevice };
      return { ...forged, checksum: await checksumOf(forged) };
    }
  }
}

function longer(log: SignedPlayLog): SignedPlayLog {
  return {
    ...log,
    ended_at: new Date(Date.parse(log.ended_at) + LONGER_S * 1000).toISOString(),
    duration_actual: log.duration_actual + LONGER_S,
  };
}
