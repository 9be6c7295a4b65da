/**
 * The device's half of Alive Signage: everything that a player does beside showing pictures.
 *
 * ```ts
 * const client = new DeviceClient({ baseUrl: "https://signage.example", storage: await openBrowserStorage() });
 * client.on((event) => console.log(event));
 * client.start();
 * ```
 *
 * It needs nothing of the machine but what every modern runtime has: `fetch`, `crypto.subtle`, timers. What differs between
 * browsers, Bun and Node comes from `alive-signage/sdk/browser` and `alive-signage/sdk/node`.
 */

export type { Plan, PlanItem, PlanSegment, PlanSlot, SlotTerms } from "../plans/plan.ts";
export { type Asked, askAsDevice, type DeviceAccess, type Withheld } from "./authorised.ts";
export { CapCounter, type CapUses } from "./caps.ts";
export { type ClientOptions, MAX_BATCH_LOGS, PlayLogClient, type Round } from "./client.ts";
export { DeviceClock, type KnownClocks, type PlayClock } from "./clock.ts";
export { type Command, type CommandBook, CommandDesk, type CommandHandler, type CommandResult, type CommandStore } from "./commands.ts";
export { ContentKeeper, type ContentOptions, type Tended } from "./content.ts";
export { type CounterStore, Counters, type Counts } from "./counters.ts";
export { type ClientEvent, type ClientState, type ClientStatus, DeviceClient, type DeviceClientOptions } from "./device-client.ts";
export { EvidenceKeeper, type EvidenceSent } from "./evidence.ts";
export { type FileStore, type KeptFile, MemoryFiles } from "./files.ts";
export { type Beat, HeartbeatClient, type HeartbeatNews, type HeartbeatOptions, type NowPlaying, type Vitals } from "./heartbeat.ts";
export { type Host, type HttpRequest, type Socket, type SocketListener, systemHost } from "./host.ts";
export { ServerRefusal } from "./http.ts";
export {
  createIdentity,
  exportIdentity,
  type Identity,
  type IdentityStore,
  identityFromJwk,
  type KeyAlgorithm,
  keepIdentity,
  type PrivateJwk,
  type PublicJwk,
} from "./identity.ts";
export type { PlayerStorage, StorageLock, ValueStore } from "./kept.ts";
export { MemoryStorage } from "./memory.ts";
export { MemoryQueue } from "./memory-queue.ts";
export type { OpenPlay, PlayItem, PlayNote } from "./open-play.ts";
export { collectPairing, type DeviceInfo, pairWithCode, type RequestedCode, requestCode } from "./pairing.ts";
export type { PairingView } from "./pairing-desk.ts";
export { PlanKeeper, type PlanRefresh, type PlanStore } from "./plan.ts";
export { type CheckedPlan, checkPlan } from "./plan-check.ts";
export { itemOf, nowPlayingOf } from "./playing.ts";
export {
  type LogQueue,
  type NewLog,
  type PlayQueue,
  QUEUE_LIMITS,
  type QueueCounts,
  type QueuedLog,
  type QueueLimits,
  type RefusedLog,
  type Settlement,
} from "./queue.ts";
export { canonicalJson, checksumOf, type PlayLog, type PlayStatus, type SignedPlayLog, signedBytes, signPlayLog } from "./record.ts";
export { Recorder, type RecorderOptions, type RecorderState, type RecorderStore } from "./recorder.ts";
export { contentPath, decideStorage, filesOf } from "./storage.ts";
export { type LogStream, StreamKeeper, type StreamNews, type StreamOptions } from "./stream.ts";
export { type CredentialStore, type Credentials, TokenKeeper, type TokenResult } from "./tokens.ts";
export type { SequencePosition } from "./verdicts.ts";
export { type PlayingSlot, termsOf, type WhatPlays, whatPlays } from "./what-plays.ts";
export type { MachineVitals, WorksEvent } from "./works.ts";
