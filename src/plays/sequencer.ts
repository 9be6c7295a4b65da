import { DurableObject } from "cloudflare:workers";
import { type HeartbeatAnswer, HeartbeatDesk, type HeartbeatRequest, type LastHeard } from "../devices/heartbeat-desk.ts";
import { type DeviceProfile, loadProfile } from "../devices/profile.ts";
import { SlotDesk, slotsLostStatement } from "../plans/slot-desk.ts";
import type { SlotBook } from "../plans/slots.ts";
import { describeError } from "../platform/http.ts";
import { hashId, log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { MINUTE_MS } from "../platform/time.ts";
import { numberVar } from "../platform/vars.ts";
import { type Admission, decideRequest, EMPTY_HEAD, type SequencerHead } from "./admission.ts";
import { CHUNK_VERSION, encodeChunk, type RefusalCount } from "./chunk.ts";
import { ChunkSender } from "./chunk-sender.ts";
import type { AdmitRequest, RequestAnswer } from "./handover.ts";
import {
  ALARM_OVERDUE_MS,
  D1_READ_TIMEOUT_MS,
  DRAIN_AFTER_MS,
  DRAIN_EVERY_MS,
  MAX_ARRIVALS_PER_ALARM,
  MAX_CHUNKS_UNCONFIRMED,
  MAX_REFUSED_KEPT,
  OWED_WRITE_MS,
  REFUSALS_WAIT_MS,
} from "./limits.ts";
import {
  type Arrival,
  confirm,
  confirmedRanges,
  EMPTY_OUTBOX,
  groupForSending,
  markSent,
  type OutboxState,
  postpone,
  type SealedChunk,
  seal,
  sealsAtOnce,
  takeOverdue,
  unconfirmedBytes,
} from "./outbox.ts";
import { packSeen } from "./seen.ts";
import { recordedAsSeen } from "./seen-again.ts";
import { SeenIndex } from "./seen-index.ts";
import { expectedSequence } from "./sequence.ts";
import { type RefusedRecord, type SequencerIdentity, SequencerStore } from "./sequencer-store.ts";

const DEFAULT_OUTBOX_MAX_MB = 256;
const DEFAULT_RESEND_AFTER_MS = 15 * MINUTE_MS;

/** What a sequencer says of itself. */
export interface SequencerStatus {
  incarnation: string | null;
  history_lost: boolean;
  accepted: number;
  waiting_plays: number;
  unconfirmed_chunks: number;
  unconfirmed_plays: number;
  outbox_bytes: number;
  uncounted_refusals: number;
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
  #identity: SequencerIdentity | null;
  #profile: DeviceProfile | null;
  #head: SequencerHead;
  #outbox: OutboxState;
  #lastArrival: number;
  /** Bytes of plays that are not confirmed. */
  #outboxBytes: number;
  /** When the alarm was set to, as far as this instance knows: null when it has just woken up. Setting it once too often is all that costs. */
  #alarmAt: number | null = null;
  /** When something last changed in memory only (what was sent or confirmed); null where storage has all. */
  #owedSince: number | null = null;
  /** Chunks that were confirmed and whose arrivals are still stored. */
  #confirmed: SealedChunk[] = [];
  #sealedAt = 0;
  readonly #sender: ChunkSender;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new SequencerStore(ctx.storage);
    this.#store.migrate();
    const {
      identity = null,
      profile = null,
      state: { head, outbox } = { head: structuredClone(EMPTY_HEAD), outbox: EMPTY_OUTBOX },
      heartbeat,
      slots = null,
    } = this.#store.readMeta();
    this.#sender = new ChunkSender(() => this.env.PLAY_EVENTS);
    const arrivals = this.#store.arrivals();
    this.#heartbeats = new HeartbeatDesk(heartbeat ?? null, {
      write: (state) => this.#store.write("heartbeat", state),
      queue: () => this.env.DEVICE_REPORTS,
      deviceId: () => this.#deviceId(),
    });
    this.#slots = new SlotDesk(slots, (text) => this.#store.write("slots", text));
    this.#identity = identity;
    this.#profile = profile;
    this.#head = { ...head, heartbeat: this.#heartbeats.clock(head.heartbeat) };
    this.#outbox = outbox;
    this.#seen = new SeenIndex(this.#store, arrivals);
    this.#lastArrival = Math.max(arrivals.at(-1)?.n ?? 0, outbox.sealedThrough);
    this.#outboxBytes = unconfirmedBytes(arrivals, outbox);
  }

  /** Judges the logs of one request, keeps the accepted ones, and answers. Nothing is kept where the whole request is refused. */
  async admit(request: AdmitRequest): Promise<RequestAnswer> {
    if (!this.#identity?.registered || !this.#profile) {
      try {
        await this.#introduce();
      } catch (error) {
        log("warn", "sequencer cannot reach the registry", { correlation_id: request.correlationId, error: describeError(error) });
        return { kind: "unavailable", retryAfterS: 5 };
      }
    }
    const [identity, profile] = [this.#identity, this.#profile];
    if (!identity || !profile) return { kind: "unknown-device" };
    const admission = decideRequest(request, {
      profile,
      head: this.#head,
      historyLostAt: identity.historyLost ? identity.bornAt : null,
      outboxBytes: this.#outboxBytes,
      maxOutboxBytes: numberVar(this.env.OUTBOX_MAX_MB, DEFAULT_OUTBOX_MAX_MB) * 1_000_000,
      findSeen: (id) => this.#seen.find(id),
      findPlanned: (play) => this.#slots.find(play),
    });
    if (admission.keep) this.#keep(admission.keep, request);
    return admission.answer;
  }

  /** Writes down what was admitted; a request that is large enough is a chunk at once, and on its way when the answer is. */
  #keep(keep: NonNullable<Admission["keep"]>, request: AdmitRequest): void {
    const now = Date.now();
    const lastArrival = this.#lastArrival;
    const arrivals = keep.bodies.map(({ bytes, plays }, index) => ({
      n: lastArrival + 1 + index,
      plays,
      bytes: bytes.length,
      v: CHUNK_VERSION,
    }));
    const atOnce =
      this.#sender.allows(now) && now - this.#sealedAt >= DRAIN_AFTER_MS && sealsAtOnce(this.#outbox, lastArrival, arrivals)
        ? this.#seal(this.#outbox, keep.head, arrivals, now)
        : null;
    const packed = packSeen(keep.seen);
    this.#write(atOnce?.head ?? keep.head, atOnce?.outbox ?? this.#outbox, () => {
      keep.bodies.forEach(({ bytes, plays }, index) => {
        const seen = index === 0 ? packed : null;
        this.#store.addArrival({ n: lastArrival + 1 + index, at: request.receivedAt, plays, v: CHUNK_VERSION, seen, body: bytes });
      });
      if (keep.refused.length > 0) this.#store.addRefused(keep.refused, MAX_REFUSED_KEPT);
    });
    this.#lastArrival += arrivals.length;
    this.#outboxBytes += arrivals.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#seen.add(
      packed,
      keep.seen.map(({ id }) => id),
      request.receivedAt,
    );
    if (atOnce) {
      this.#sealedAt = now;
      const bodies = keep.bodies.map(({ bytes }) => bytes);
      const sending = this.#send(atOnce.sealed, ({ first, last }) => bodies.slice(first - lastArrival - 1, last - lastArrival));
      this.ctx.waitUntil(sending.catch((error: unknown) => log("error", "chunks not sent", { error: describeError(error) })));
    }
    this.#arm(now);
  }

  /** Writes head and outbox, and what goes with them: one synchronous transaction. Memory follows only when it held. */
  #write(head: SequencerHead, outbox: OutboxState, more: () => void = () => {}): void {
    this.#store.transaction(() => {
      more();
      this.#store.write("state", { head, outbox });
      for (const { first, last } of this.#confirmed) this.#store.dropPacked(first, last);
    });
    this.#head = head;
    this.#outbox = outbox;
    this.#confirmed = [];
    this.#owedSince = null;
  }

  /** Takes a change that may wait for the next write, which comes soon: at the latest by alarm. */
  #owe(outbox: OutboxState, now: number): void {
    this.#outbox = outbox;
    this.#owedSince ??= now;
  }

  /** Takes a heartbeat: its clock is what plays are judged by from now on, where they tell none. */
  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer & SequencePosition> {
    let refusal: HeartbeatAnswer = { kind: "unknown-device" };
    try {
      if (!this.#profile) await this.#introduce();
    } catch (error) {
      log("warn", "sequencer cannot reach the registry", { error: describeError(error) });
      refusal = { kind: "unavailable", retryAfterS: 5 };
    }
    if (!this.#profile) return { ...refusal, ...this.#position() };
    const missing = this.#head.epochs.flatMap(({ epoch, missing }) => missing.map(([first, last]) => ({ epoch, first, last })));
    const { answer, wrote, telling } = this.#heartbeats.take(request, this.#profile, { accepted: this.#head.accepted, missing });
    this.#head = { ...this.#head, heartbeat: this.#heartbeats.clock(this.#head.heartbeat) };
    if (telling) this.ctx.waitUntil(telling);
    // Else the alarm stands where the last heartbeat that was written down put it: setting it is a row, too.
    if (wrote) this.#arm(Date.now());
    return { ...answer, ...this.#position() };
  }

  /** When the device was last heard of, for whom D1 was told nothing lately; null where it never was. */
  async lastHeard(): Promise<LastHeard | null> {
    return this.#heartbeats.lastHeard(Date.now());
  }

  /**
   * Keeps the slots of a plan, before the device is given it at `now`. False: there is no such device.
   * @throws where D1 does not answer, and the object does not know yet whether it is the device's first.
   */
  async keepSlots(slots: SlotBook, now: number): Promise<boolean> {
    if (!this.#identity?.registered) await this.#introduce();
    if (!this.#identity?.registered) return false;
    const dropped = this.#slots.keep(slots, now);
    if (dropped) log("warn", "slots of plans dropped: there are too many", { device: await this.#hashedId(), ...dropped });
    return true;
  }

  #position(): SequencePosition {
    const epoch = this.#head.epochs.at(-1);
    return { epoch: epoch?.epoch ?? "0", expectedSequence: epoch ? expectedSequence(epoch) : 1 };
  }

  /**
   * Fetches the device's profile from D1, as it is now. Returns the version that the object then holds, 0 where there is no such device.
   * @throws where D1 does not answer.
   */
  async refreshProfile(): Promise<number> {
    await this.#introduce();
    return this.#profile?.version ?? 0;
  }

  /**
   * An operator decided that older plays may come in again, though the history was lost: takes what D1 has recorded of the device as seen,
   * so that what was counted before is a duplicate with its first verdict. Returns how many plays that were.
   * @throws where D1 does not answer.
   */
  async trust(): Promise<number> {
    await this.#introduce();
    if (!this.#identity?.historyLost) return 0;
    const entries = await recordedAsSeen(this.env.DB, this.#deviceId(), Date.now());
    const identity = { ...this.#identity, historyLost: false };
    const settle = this.#store.transaction(() => {
      this.#store.write("identity", identity);
      return this.#seen.restore(entries, Date.now());
    });
    settle();
    this.#identity = identity;
    return entries.length;
  }

  /** Confirmed chunks leave the outbox. Numbers of another incarnation, or confirmed before, change nothing. */
  async confirm(incarnation: string, numbers: number[]): Promise<void> {
    if (incarnation !== this.#identity?.incarnation) return;
    const { state, dropped } = confirm(this.#outbox, new Set(numbers));
    if (dropped.length === 0) return;
    this.#confirmed.push(...dropped);
    this.#outboxBytes -= dropped.reduce((sum, chunk) => sum + chunk.bytes, 0);
    const now = Date.now();
    const writesSoon = this.#alarmAt !== null && this.#alarmAt <= now + OWED_WRITE_MS;
    // In memory first, whether the write holds or not: what was confirmed is recorded.
    this.#owe(state, now);
    if (!writesSoon) this.#write(this.#head, this.#outbox);
    this.#arm(now);
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
    return {
      incarnation: this.#identity?.incarnation ?? null,
      history_lost: this.#identity?.historyLost ?? false,
      accepted: this.#head.accepted,
      waiting_plays: this.#store.playsAfter(this.#outbox.sealedThrough),
      unconfirmed_chunks: this.#outbox.chunks.length,
      unconfirmed_plays: this.#outbox.chunks.reduce((sum, chunk) => sum + chunk.plays, 0),
      outbox_bytes: this.#outboxBytes,
      uncounted_refusals: Object.values(this.#head.refusals).reduce((sum, count) => sum + count, 0),
      epochs: this.#head.epochs.map((epoch) => ({
        epoch: epoch.epoch,
        expected_sequence: expectedSequence(epoch),
        missing: epoch.missing,
      })),
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
      await this.#drain();
    } catch (error) {
      log("error", "outbox not drained", { error: describeError(error) });
    }
    try {
      await this.#heartbeats.reportSilence(this.#profile, Date.now());
    } catch (error) {
      log("error", "silence not looked for", { error: describeError(error) });
    } finally {
      this.#arm(Date.now());
    }
  }

  async #drain(): Promise<void> {
    const now = Date.now();
    this.#packSeen(now);
    const due = this.#sender.allows(now) && this.#identity ? this.#sealAndTakeDue(now) : [];
    if (this.#owedSince !== null && this.#owedSince + OWED_WRITE_MS <= now) this.#write(this.#head, this.#outbox);
    if (due.length > 0) await this.#send(due, ({ first, last }) => (first <= last ? this.#store.bodies(first, last) : []));
  }

  /** Packs what was seen, where it is time. A failure must not keep plays from being sent. */
  #packSeen(now: number): void {
    if (!this.#seen.packIsDue(now)) return;
    try {
      const settle = this.#store.transaction(() => this.#seen.pack(now, confirmedRanges(this.#outbox)));
      settle();
    } catch (error) {
      log("error", "seen logs not packed", { error: describeError(error) });
    }
  }

  /** Seals what waits, and takes what is overdue: one row written where there is either. */
  #sealAndTakeDue(now: number): SealedChunk[] {
    const { state: sentAgain, overdue } = takeOverdue(this.#outbox, now, this.#resendAfterMs());
    const waiting = this.#store.arrivalsAfter(sentAgain.sealedThrough, MAX_ARRIVALS_PER_ALARM);
    const { outbox, head, sealed } = this.#seal(sentAgain, this.#head, waiting, now);
    if (sealed.length === 0 && overdue.length === 0) return [];
    this.#write(head, outbox);
    if (sealed.length > 0) this.#sealedAt = now;
    // Now, not when all is sent: so the next turn's alarm is written together with the above.
    this.#arm(now);
    return [...overdue, ...sealed];
  }

  /** Seals arrivals, and the refusals that wait with them. Changes nothing: what it returns is to be written. */
  #seal(
    from: OutboxState,
    head: SequencerHead,
    waiting: Arrival[],
    now: number,
  ): { outbox: OutboxState; head: SequencerHead; sealed: SealedChunk[] } {
    const { state: outbox, left, sealed } = seal(from, waiting, refusalCounts(head.refusals), now, this.#resendAfterMs());
    const carried = sealed.some((chunk) => chunk.refusals.length > 0);
    const refusals = Object.fromEntries(left.map(([hour, door, code, count]) => [`${hour}|${door}|${code}`, count]));
    return { outbox, head: carried ? { ...head, refusals } : head, sealed };
  }

  #resendAfterMs(): number {
    return numberVar(this.env.OUTBOX_RESEND_AFTER_MS, DEFAULT_RESEND_AFTER_MS);
  }

  /** Sends chunks. What arrived is owed to storage; what fails is put off. */
  async #send(chunks: SealedChunk[], bodiesOf: (chunk: SealedChunk) => Uint8Array[]): Promise<void> {
    const incarnation = this.#identity?.incarnation;
    if (!incarnation) return;
    const messages = chunks.map((chunk) => {
      const { v, number, plays, refusals } = chunk;
      return { number, bytes: encodeChunk({ v, device_id: this.#deviceId(), incarnation, number, plays, refusals }, bodiesOf(chunk)) };
    });
    for (const group of groupForSending(messages)) {
      const numbers = new Set(group.map(({ number }) => number));
      const outcome = await this.#sender.send(group.map(({ bytes }) => bytes));
      if (outcome.sent) {
        const now = Date.now();
        const marked = markSent(this.#outbox, numbers, now + this.#resendAfterMs());
        if (marked !== this.#outbox) this.#owe(marked, now);
        this.#arm(now);
        continue;
      }
      const { retryAt, failures, error } = outcome;
      log("warn", "chunks not sent", { device: await this.#hashedId(), chunks: group.length, failures, error });
      this.#write(this.#head, postpone(this.#outbox, numbers, retryAt));
      this.#arm(Date.now());
    }
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
    const turns: number[] = [];
    if (this.#outbox.chunks.length < MAX_CHUNKS_UNCONFIRMED) {
      if (this.#lastArrival > this.#outbox.sealedThrough) turns.push(Math.max(now + DRAIN_AFTER_MS, this.#sealedAt + DRAIN_EVERY_MS));
      else if (Object.keys(this.#head.refusals).length > 0) turns.push(now + REFUSALS_WAIT_MS);
    }
    for (const chunk of this.#outbox.chunks) turns.push(chunk.nextSendAt);
    if (this.#owedSince !== null) turns.push(this.#owedSince + OWED_WRITE_MS);
    const packDueAt = this.#seen.packDueAt();
    if (packDueAt !== null) turns.push(packDueAt);
    const silentAt = this.#heartbeats.turnAt();
    if (silentAt !== null) turns.push(silentAt);
    return turns.length === 0 ? null : Math.max(Math.min(...turns), now + DRAIN_AFTER_MS, this.#sender.openUntil);
  }

  /**
   * Reads the profile, and makes the object known to D1 before it accepts anything: a second incarnation of a device means that the
   * first one's storage, with all that it had seen, is gone.
   */
  async #introduce(): Promise<void> {
    const deviceId = this.#deviceId();
    const profile = await withTimeout(loadProfile(this.env.DB, deviceId, Date.now()), D1_READ_TIMEOUT_MS, "profile read");
    if (!profile) return;
    const identity = this.#identity ?? { incarnation: crypto.randomUUID(), bornAt: Date.now(), registered: false, historyLost: false };
    if (!this.#identity) {
      this.#store.write("identity", identity);
      this.#identity = identity;
    }
    if (!identity.registered || identity.historyLost) await this.#register(deviceId, identity);
    if (!this.#profile || profile.version >= this.#profile.version) {
      this.#store.write("profile", profile);
      this.#profile = profile;
    }
  }

  async #register(deviceId: string, identity: SequencerIdentity): Promise<void> {
    const { incarnation, bornAt } = identity;
    const [, , others] = await withTimeout(
      this.env.DB.batch<{ trusted: number }>([
        slotsLostStatement(this.env.DB, deviceId, incarnation),
        this.env.DB.prepare("INSERT OR IGNORE INTO sequencer_incarnations (device_id, incarnation, born_at) VALUES (?, ?, ?)").bind(
          deviceId,
          incarnation,
          bornAt,
        ),
        this.env.DB.prepare(
          `SELECT (SELECT trusted_at IS NOT NULL FROM sequencer_incarnations WHERE device_id = ?1 AND incarnation = ?2) AS trusted
           FROM sequencer_incarnations WHERE device_id = ?1 AND incarnation <> ?2 LIMIT 1`,
        ).bind(deviceId, incarnation),
      ]),
      D1_READ_TIMEOUT_MS,
      "sequencer registration",
    );
    const other = others?.results[0];
    const registered = { ...identity, registered: true, historyLost: other !== undefined && !other.trusted };
    if (registered.historyLost && !identity.registered)
      log("error", "sequencer history lost", { device: await this.#hashedId(), incarnation });
    this.#store.write("identity", registered);
    this.#identity = registered;
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

function refusalCounts(refusals: Record<string, number>): RefusalCount[] {
  return Object.entries(refusals).map(([key, count]) => {
    const [hour = "0", door = "", code = ""] = key.split("|");
    return [Number(hour), door, code, count];
  });
}
