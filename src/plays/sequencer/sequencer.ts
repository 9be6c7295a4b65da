import { DurableObject } from "cloudflare:workers";
import {
  type HeartbeatAccount,
  type HeartbeatAnswer,
  HeartbeatDesk,
  type HeartbeatRequest,
  type LastHeard,
} from "../../devices/heartbeat-desk.ts";
import { SlotDesk } from "../../plans/slot-desk.ts";
import type { SlotBook } from "../../plans/slots.ts";
import { describeError } from "../../platform/http.ts";
import { hashId, log } from "../../platform/log.ts";
import { MINUTE_MS } from "../../platform/time.ts";
import { noteRequest } from "../../platform/turns.ts";
import { numberVar } from "../../platform/vars.ts";
import { StreamDesk } from "../../stream/desk.ts";
import type { TelemetryAnswer, TelemetryRequest } from "../../telemetry/admit.ts";
import { TelemetryDesk } from "../../telemetry/desk.ts";
import { ALARM_OVERDUE_MS, DRAIN_AFTER_MS, MAX_REFUSED_KEPT } from "../limits.ts";
import { doorPolicy } from "../policy.ts";
import { playQueueOf } from "../queues.ts";
import { type Admission, decideRequest } from "./admission.ts";
import type { AdmitRequest, RequestAnswer } from "./handover.ts";
import { takeTimedOut, timesOutAt } from "./open-plays.ts";
import { OutboxDesk, type OutboxStatus } from "./outbox-desk.ts";
import { RegistryDesk } from "./registry-desk.ts";
import { packSeen } from "./seen.ts";
import { recordedAsSeen } from "./seen-again.ts";
import { SeenIndex } from "./seen-index.ts";
import { expectedSequence } from "./sequence.ts";
import { type RefusedRecord, SequencerStore } from "./store.ts";
import { timedOutPlays } from "./timed-out.ts";

const DEFAULT_OUTBOX_MAX_MB = 256;
const DEFAULT_RESEND_AFTER_MS = 15 * MINUTE_MS;

/** What a sequencer says of itself. */
export interface SequencerStatus extends OutboxStatus {
  incarnation: string | null;
  history_lost: boolean;
  accepted: number;
  epochs: { epoch: string; expected_sequence: number; missing: [number, number][] }[];
}

/** Where a device stands in its latest epoch. */
interface SequencePosition {
  epoch: string;
  expectedSequence: number;
}

/**
 * One object per device: puts its plays in order. It holds what judging needs, so that a request reads nothing but memory and
 * writes two rows in one transaction; the answer leaves when they are durable (the platform's output gate).
 * The rules are in `admission.ts` and below; this class is the storage, the alarm and the queue around them.
 */
export class DeviceSequencer extends DurableObject<Env> {
  readonly #store: SequencerStore;
  readonly #seen: SeenIndex;
  readonly #heartbeats: HeartbeatDesk;
  readonly #slots: SlotDesk;
  readonly #telemetry: TelemetryDesk;
  readonly #stream: StreamDesk;
  readonly #registry: RegistryDesk;
  readonly #outbox: OutboxDesk;
  /** When the alarm was set to, as far as this instance knows: null when it has just woken up. Setting it once too often is all that costs. */
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new SequencerStore(ctx.storage);
    this.#store.migrate();
    const { identity = null, profile = null, state, heartbeat, slots = null, sessions = null } = this.#store.readMeta();
    const arrivals = this.#store.arrivals();
    this.#heartbeats = new HeartbeatDesk(heartbeat ?? null, {
      write: (state) => this.#store.write("heartbeat", state),
      queue: () => this.env.DEVICE_REPORTS,
      deviceId: () => this.#deviceId(),
    });
    this.#slots = new SlotDesk(slots, (text) => this.#store.write("slots", text));
    this.#registry = new RegistryDesk({ identity, profile }, this.#store, {
      db: () => this.env.DB,
      deviceId: () => this.#deviceId(),
      hashedId: () => this.#hashedId(),
      profileChanged: (before, now) => this.#stream.profileChanged(before, now, Date.now()),
    });
    this.#telemetry = new TelemetryDesk(sessions, (text) => this.#store.write("sessions", text));
    this.#seen = new SeenIndex(this.#store, arrivals);
    this.#outbox = new OutboxDesk(state, arrivals, this.#store, {
      queue: () => playQueueOf(this.env, this.#deviceId()),
      chunkHeader: () => {
        const { identity } = this.#registry;
        return identity && { device_id: this.#deviceId(), incarnation: identity.incarnation };
      },
      hashedId: () => this.#hashedId(),
      resendAfterMs: () => numberVar(this.env.OUTBOX_RESEND_AFTER_MS, DEFAULT_RESEND_AFTER_MS),
      arm: (now) => this.#arm(now),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
    this.#outbox.noteClock(this.#heartbeats.clock(this.#outbox.head.heartbeat));
    this.#stream = new StreamDesk(ctx, {
      env: () => this.env,
      deviceId: () => this.#deviceId(),
      profile: async () => {
        if (!this.#registry.profile) await this.#registry.introduce();
        return this.#registry.profile;
      },
      position: () => this.#position(),
      rate: () => this.#outbox.head.rate,
      due: (commands, now) => this.#heartbeats.due(commands, now),
      admit: (request) => this.admit(request),
      heartbeat: (request) => this.heartbeat(request),
      takeResult: (result) => this.#heartbeats.takeResult(result),
    });
  }

  /** Opens the device's live stream (`src/stream`). */
  override async fetch(request: Request): Promise<Response> {
    return await this.#stream.connect(request);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    noteRequest(Date.now());
    await this.#stream.message(socket, message);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    await this.#stream.ended(socket, code);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#stream.ended(socket);
  }

  /** Tells the device, where it is connected, that its plan has changed. False: it is not. */
  async tellPlan(): Promise<boolean> {
    return this.#stream.tellPlan();
  }

  /** Judges the logs of one request, keeps the accepted ones, and answers. Nothing is kept where the whole request is refused. */
  async admit(request: AdmitRequest): Promise<RequestAnswer> {
    if (!this.#registry.registered || !this.#registry.profile) {
      try {
        await this.#registry.introduce();
      } catch (error) {
        log("warn", "sequencer cannot reach the registry", { correlation_id: request.correlationId, error: describeError(error) });
        return { kind: "unavailable", retryAfterS: 5 };
      }
    }
    const { identity, profile } = this.#registry;
    if (!identity || !profile) return { kind: "unknown-device" };
    const admission = decideRequest(request, {
      profile,
      head: this.#outbox.head,
      historyLostAt: identity.historyLost ? identity.bornAt : null,
      outboxBytes: this.#outbox.bytes,
      maxOutboxBytes: this.#maxOutboxBytes(),
      findSeen: (id) => this.#seen.find(id),
      findPlanned: (play) => this.#slots.find(play),
    });
    if (admission.keep) this.#keep(admission.keep, request.receivedAt);
    return admission.answer;
  }

  /** Takes telemetry of the device, or of a reporter's player: the same way as plays, but that it is judged by rules of its own and bills nothing. */
  async telemetry(request: TelemetryRequest): Promise<TelemetryAnswer> {
    try {
      if (request.caller.kind === "reporter") {
        if (!(await this.#registry.introducePlayer(request.caller))) return { kind: "too-many-players" };
      } else if (!this.#registry.registered || !this.#registry.profile) await this.#registry.introduce();
    } catch (error) {
      log("warn", "sequencer cannot reach the registry", { correlation_id: request.correlationId, error: describeError(error) });
      return { kind: "unavailable", retryAfterS: 5 };
    }
    const { answer, keep, write, settle } = this.#telemetry.decide(request, {
      profile: this.#registry.profile,
      head: this.#outbox.head,
      outboxBytes: this.#outbox.bytes,
      maxOutboxBytes: this.#maxOutboxBytes(),
      unconfirmedChunks: this.#outbox.unconfirmedChunks,
      findSeen: (id) => this.#seen.find(id),
    });
    if (!keep) return answer;
    this.#keep(keep, request.receivedAt, write);
    settle();
    return answer;
  }

  #maxOutboxBytes(): number {
    return numberVar(this.env.OUTBOX_MAX_MB, DEFAULT_OUTBOX_MAX_MB) * 1_000_000;
  }

  /** Writes down what was admitted, and `more`, in one transaction; memory follows only when it held. */
  #keep({ head, bodies, seen, refused }: NonNullable<Admission["keep"]>, receivedAt: number, more: () => void = () => {}): void {
    const packed = packSeen(seen);
    this.#outbox.keep({ head, bodies, receivedAt, packed }, () => {
      if (refused.length > 0) this.#store.addRefused(refused, MAX_REFUSED_KEPT);
      more();
    });
    this.#seen.add(
      packed,
      seen.map(({ id }) => id),
      receivedAt,
    );
  }

  /** Takes a heartbeat: its clock is what plays are judged by from now on, where they tell none. */
  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer & SequencePosition> {
    let refusal: HeartbeatAnswer = { kind: "unknown-device" };
    try {
      if (!this.#registry.profile) await this.#registry.introduce();
    } catch (error) {
      log("warn", "sequencer cannot reach the registry", { error: describeError(error) });
      refusal = { kind: "unavailable", retryAfterS: 5 };
    }
    const { profile } = this.#registry;
    if (!profile) return { ...refusal, ...this.#position() };
    const { head } = this.#outbox;
    const missing = head.epochs.flatMap(({ epoch, missing }) => missing.map(([first, last]) => ({ epoch, first, last })));
    const { answer, wrote, telling } = this.#heartbeats.take(request, profile, { accepted: head.accepted, missing });
    this.#outbox.noteClock(this.#heartbeats.clock(head.heartbeat));
    if (telling) this.ctx.waitUntil(telling);
    // Else the alarm stands where the last heartbeat that was written down put it: setting it is a row, too.
    if (wrote) this.#arm(Date.now());
    return { ...answer, ...this.#position() };
  }

  /** When the device was last heard of, for whom D1 was told nothing lately; null where it never was. */
  async lastHeard(): Promise<LastHeard | null> {
    return this.#heartbeats.lastHeard(Date.now());
  }

  /** What the heartbeats of the last day said; null where none ever came. */
  async heartbeats(): Promise<HeartbeatAccount | null> {
    return this.#heartbeats.account(Date.now());
  }

  /**
   * Keeps the slots of a plan, before the device is given it at `now`. False: there is no such device.
   * @throws where D1 does not answer, and the object does not know yet whether it is the device's first.
   */
  async keepSlots(slots: SlotBook, now: number): Promise<boolean> {
    if (!this.#registry.registered) await this.#registry.introduce();
    if (!this.#registry.registered) return false;
    const dropped = this.#slots.keep(slots, now);
    if (dropped) log("warn", "slots of plans dropped: there are too many", { device: await this.#hashedId(), ...dropped });
    return true;
  }

  #position(): SequencePosition {
    const epoch = this.#outbox.head.epochs.at(-1);
    return { epoch: epoch?.epoch ?? "0", expectedSequence: epoch ? expectedSequence(epoch) : 1 };
  }

  /**
   * Fetches the device's profile from D1, as it is now. Returns the version that the object then holds, 0 where there is no such device.
   * @throws where D1 does not answer.
   */
  async refreshProfile(): Promise<number> {
    await this.#registry.introduce();
    return this.#registry.profile?.version ?? 0;
  }

  /**
   * An operator decided that older plays may come in again, though the history was lost: takes what D1 has recorded of the device as seen,
   * so that what was counted before is a duplicate with its first verdict. Returns how many plays that were.
   * @throws where D1 does not answer.
   */
  async trust(): Promise<number> {
    await this.#registry.introduce();
    if (!this.#registry.identity?.historyLost) return 0;
    const entries = await recordedAsSeen(this.env.DB, this.#deviceId(), Date.now());
    const settle = this.#registry.trust(() => this.#seen.restore(entries, Date.now()));
    settle?.();
    return entries.length;
  }

  /** Confirmed chunks leave the outbox. Numbers of another incarnation, or confirmed before, change nothing. */
  async confirm(incarnation: string, numbers: number[]): Promise<void> {
    if (incarnation !== this.#registry.identity?.incarnation) return;
    this.#outbox.confirm(new Set(numbers), this.#alarmAt, Date.now());
  }

  /** Arms an alarm that is missing or overdue, and tells what the outbox holds: what the hourly sweep calls. */
  async wake(): Promise<{ waiting: number; unconfirmed: number }> {
    // What memory believes is not enough here: an alarm may be lost that nobody heard of.
    this.#alarmAt = await this.ctx.storage.getAlarm();
    this.#arm(Date.now());
    const { waiting_plays, unconfirmed_plays } = await this.status();
    return { waiting: waiting_plays, unconfirmed: unconfirmed_plays };
  }

  async status(): Promise<SequencerStatus> {
    const { accepted, epochs } = this.#outbox.head;
    return {
      incarnation: this.#registry.identity?.incarnation ?? null,
      history_lost: this.#registry.identity?.historyLost ?? false,
      accepted,
      ...this.#outbox.status(),
      epochs: epochs.map((epoch) => ({ epoch: epoch.epoch, expected_sequence: expectedSequence(epoch), missing: epoch.missing })),
    };
  }

  /** The last refused records, newest first. */
  async refused(): Promise<RefusedRecord[]> {
    return this.#store.refused().slice(0, MAX_REFUSED_KEPT);
  }

  /** Seals and sends what waits, sends again what stayed unconfirmed. Never throws: the platform gives up on an alarm that fails often. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      const now = Date.now();
      this.#packSeen(now);
      this.#endStarts(now);
      await this.#outbox.drain(now);
    } catch (error) {
      log("error", "outbox not drained", { error: describeError(error) });
    }
    try {
      await this.#heartbeats.reportSilence(this.#registry.profile, Date.now());
    } catch (error) {
      log("error", "silence not looked for", { error: describeError(error) });
    } finally {
      this.#arm(Date.now());
    }
  }

  /** Packs what was seen, where it is time. A failure must not keep plays from being sent. */
  #packSeen(now: number): void {
    if (!this.#seen.packIsDue(now)) return;
    try {
      const settle = this.#outbox.writeWith((confirmed) => this.#seen.pack(now, confirmed));
      settle();
    } catch (error) {
      log("error", "seen logs not packed", { error: describeError(error) });
    }
  }

  /** Makes interrupted plays of the starts that no end can follow any more. A failure must not keep plays from being sent. */
  #endStarts(now: number): void {
    const { head } = this.#outbox;
    const { timedOut, left } = takeTimedOut(head.plays, now, this.#maxEventAgeMs());
    if (timedOut.length === 0) return;
    try {
      const plays = timedOutPlays(timedOut, this.#deviceId(), now, crypto.randomUUID());
      this.#keep({ ...plays, head: { ...head, plays: left, accepted: head.accepted + timedOut.length }, refused: [] }, now);
    } catch (error) {
      log("error", "starts not ended", { error: describeError(error) });
    }
  }

  #startsDueAt(): number | null {
    const { plays } = this.#outbox.head;
    return plays ? timesOutAt(plays, this.#maxEventAgeMs()) : null;
  }

  #maxEventAgeMs(): number {
    return doorPolicy("proof-event", this.#registry.profile?.policy ?? {}).maxAgeMs;
  }

  /** Sets the alarm for what has to be done next, where none is set or the one that is set is late. No await: the platform writes it with the rest. */
  #arm(now: number): void {
    const at = this.#nextTurn(now);
    if (at === null) return;
    const overdue = this.#alarmAt !== null && this.#alarmAt < now - ALARM_OVERDUE_MS;
    if (this.#alarmAt !== null && !overdue && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  #nextTurn(now: number): number | null {
    const turns = [this.#outbox.nextTurn(now), this.#seen.packDueAt(), this.#heartbeats.turnAt(), this.#startsDueAt()].filter(
      (turn) => turn !== null,
    );
    return turns.length === 0 ? null : Math.max(Math.min(...turns), now + DRAIN_AFTER_MS, this.#outbox.closedUntil);
  }

  #deviceId(): string {
    const name = this.ctx.id.name;
    if (!name) throw new Error("a sequencer is addressed by its device's id");
    return name;
  }

  #hashedId(): Promise<string> {
    return hashId(this.env.HASH_SECRET, this.#deviceId());
  }
}
