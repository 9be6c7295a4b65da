import { createHash } from "node:crypto";
import { toIso } from "../../platform/time.ts";
import { canonicalJson } from "../canonical.ts";
import { encodeBody } from "../chunk.ts";
import { sealParcels } from "../parcel.ts";
import type { PlayLog, VerifiedLog } from "../play.ts";
import { endIdOf, type OpenStart } from "./open-plays.ts";
import type { SeenEntry } from "./seen.ts";

/** Plays that the platform made of starts: to be kept like those of a request. */
export interface TimedOutPlays {
  bodies: { bytes: Uint8Array; plays: number }[];
  seen: SeenEntry[];
}

/**
 * Makes of each start the play that was interrupted: of length 0, under the id of its end, and everything else as it was found when the start
 * was accepted. Its record is the platform's own and names the start, whose record and signature are archived with it. Pure.
 */
export function timedOutPlays(starts: OpenStart[], deviceId: string, now: number, correlationId: string): TimedOutPlays {
  const request = { door: "proof-event" as const, received_at: now, key_id: "", correlation_id: correlationId, batch: null };
  let first = 0;
  const bodies = sealParcels(
    request,
    starts.map((start) => playOf(start, deviceId)),
  ).map(({ logs, bytes }) => {
    const own = starts.slice(first, first + logs);
    first += logs;
    const verdicts = own.map(({ found }) => ({ ...found, result: "INTERRUPTED" as const, billable: 0 as const }));
    return { bytes: encodeBody(bytes, verdicts), plays: logs };
  });
  return { bodies, seen: starts.map(({ id, hash, told }) => ({ id: endIdOf(id), hash, told })) };
}

function playOf(start: OpenStart, deviceId: string): VerifiedLog {
  const { campaignId, contentId, contentVersion, playlistId, epoch, startedAt } = start;
  const log: PlayLog = {
    id: endIdOf(start.id),
    campaignId,
    adGroupId: "",
    contentId,
    contentVersion,
    playlistId,
    slotId: "",
    type: "PLAY_TIMEOUT",
    startedAt,
    endedAt: startedAt,
    durationMs: 0,
    deviceExpectedMs: null,
    status: "INTERRUPTED",
    epoch,
    sequence: null,
    location: null,
  };
  const record = canonicalJson({
    type: log.type,
    event_id: log.id,
    play_id: start.id,
    device_id: deviceId,
    content_id: contentId,
    device_time_ts: toIso(startedAt),
  });
  const recordHash = createHash("sha256").update(record).digest("hex");
  return { log, proof: { record, recordHash, signedBy: "nobody", signature: null } };
}
