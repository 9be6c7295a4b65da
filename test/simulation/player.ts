import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { CatalogueFinding, PlayEvent, PlayLog, PlayStatus, PlayVerdict } from "../../src/plays/play.ts";
import type { Door } from "../../src/plays/policy.ts";
import { REJECTIONS, type RejectionCode } from "../../src/plays/rejection.ts";
import {
  type AdmitRequest,
  type CheckedRequest,
  handOver,
  type LogAnswer,
  type RequestAnswer,
  readAnswers,
} from "../../src/plays/sequencer/handover.ts";
import type { TelemetryAnswer, TelemetryRequest } from "../../src/telemetry/admit.ts";
import type { TelemetryFacts } from "../../src/telemetry/event.ts";
import { MAX_AGE_BATCH_MS } from "../../src/telemetry/limits.ts";
import type { ObjectHost } from "./fake-object.ts";
import { Life, type World } from "./world.ts";

/** A play log in the player's books. It is written there before it is sent, and stays pending until an answer settles it. */
export interface BookedPlay {
  id: string;
  verified: CheckedRequest["logs"][number];
  /** What the Worker finds wrong with it before the sequencer sees it. */
  refusedByWorker: RejectionCode | null;
  door: Door;
  /** `unknown`: it may be recorded, and no answer can tell any more. */
  state: "pending" | "accepted" | "refused" | "unknown";
  told: PlayVerdict | null;
  /** How often an answer said `accepted`, and not `duplicate`. */
  timesAccepted: number;
  inFlight: boolean;
  madeAt: number;
  firstSentAt: number | null;
}

/** An event of telemetry in the player's books. `unknown`: it may be counted, and no answer can tell any more. */
interface Showing {
  facts: TelemetryFacts;
  state: "pending" | "taken" | "refused" | "unknown";
  firstSentAt: number | null;
}

const ANSWER_TIMEOUT_MS = 30_000;
/** A sequencer remembers for eight days; players that come later get no duplicate any more. */
export const REMEMBERED_MS = 7 * 86_400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Wrong by nothing, a little, a drift, more, far too much, and decades. Never near a limit, so that a second's delay decides nothing. */
const CLOCK_OFFSETS_MS = [
  0,
  0,
  0,
  2 * MINUTE_MS,
  12 * MINUTE_MS,
  -20 * MINUTE_MS,
  2 * HOUR_MS,
  -20_000 * 24 * HOUR_MS,
  26_000 * 24 * HOUR_MS,
];

/** A player with a durable queue of its own: what it does to the server is what players in shops do. */
export class Player {
  readonly books: BookedPlay[] = [];
  readonly showings: Showing[] = [];
  clockOffsetMs = 0;
  saysSentAt = true;
  #epoch = "0";
  #sequence = 0;
  #boots = 0;
  #waitUntil = 0;
  revoked = false;
  inFlight = 0;

  constructor(
    private readonly world: World,
    readonly id: string,
    readonly familyId: string,
    private readonly host: ObjectHost,
    private readonly contents: string[],
    private readonly campaigns: string[],
  ) {}

  get showingsPending(): number {
    return this.showings.filter(({ state }) => state === "pending").length;
  }

  get pending(): number {
    return this.revoked ? 0 : this.books.filter((play) => play.state === "pending").length;
  }

  /** Changes how wrong the clock is, and whether requests say when they were sent. */
  setClock(): void {
    this.clockOffsetMs = this.world.random.pick(CLOCK_OFFSETS_MS);
    this.saysSentAt = this.world.random.chance(0.8);
  }

  /** Plays something and writes it into the books. */
  play(othersIds: string[]): void {
    const { random } = this.world;
    const oddity = random.weighted({
      none: 70,
      filler: 3,
      short: 3,
      status: 6,
      unsigned: 3,
      far: 2,
      late: 3,
      tooOld: 2,
      future: 2,
      leap: 3,
      sameNumber: 2,
      noNumber: 3,
      newEpoch: 1,
      garbled: 3,
      unknownContent: 2,
      unasked: 2,
      sameId: 3,
      othersId: 2,
      large: 2,
    });
    if (oddity === "newEpoch") [this.#epoch, this.#sequence] = [random.uuid(), 0];
    if (oddity !== "sameNumber") this.#sequence += oddity === "leap" ? random.between(2, 9) : 1;
    const agoMs =
      { late: 6 * HOUR_MS, tooOld: 30 * HOUR_MS, future: -11 * MINUTE_MS }[oddity as string] ?? random.between(0, 100 * MINUTE_MS);
    const endedAt = this.world.now + this.clockOffsetMs - agoMs;
    const durationMs = oddity === "short" ? random.between(0, 11_000) : 15_000;
    const log: PlayLog = {
      id: this.#idOf(oddity, othersIds),
      campaignId: oddity === "filler" ? "" : random.pick(this.campaigns),
      adGroupId: "",
      contentId: random.pick(this.contents),
      contentVersion: "",
      playlistId: "",
      slotId: "",
      type: "PLAY",
      startedAt: endedAt - durationMs,
      endedAt,
      durationMs,
      deviceExpectedMs: random.chance(0.5) ? 15_000 : null,
      status: oddity === "status" ? random.pick<PlayStatus>(["PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"]) : "COMPLETED",
      epoch: this.#epoch,
      sequence: oddity === "noNumber" ? null : this.#sequence,
      location: oddity === "far" ? { lat: 52.5, lng: 13.4 } : null,
    };
    const record = JSON.stringify({
      ...log,
      made: this.books.length,
      pad: "x".repeat(oddity === "large" ? random.between(4000, 16_000) : 0),
    });
    const catalogue: CatalogueFinding = {
      campaign: oddity === "unasked" ? "unasked" : "known",
      content: oddity === "unknownContent" ? "unknown" : "known",
      versionDurationMs: oddity === "unasked" ? null : 15_000,
    };
    const refusedByWorker =
      oddity === "garbled" ? random.pick<RejectionCode>(["VALIDATION_ERROR", "INVALID_SIGNATURE", "DEVICE_MISMATCH"]) : null;
    this.#book("playback-log", log, record, oddity !== "unsigned", catalogue, refusedByWorker);
  }

  #book(
    door: Door,
    log: PlayLog,
    record: string,
    signed: boolean,
    catalogue: CatalogueFinding,
    refusedByWorker: RejectionCode | null = null,
  ): void {
    const signature = signed ? new Uint8Array([1, 2, this.books.length & 0xff]) : null;
    const recordHash = createHash("sha256").update(record).digest("hex");
    this.books.push({
      id: log.id,
      verified: { log, proof: { record, recordHash, signedBy: signed ? "record" : "nobody", signature }, catalogue },
      refusedByWorker,
      door,
      state: "pending",
      told: null,
      timesAccepted: 0,
      inFlight: false,
      madeAt: this.world.now,
      firstSentAt: null,
    });
  }

  /** Tells of a play by its start, and mostly by its end: which may name the start or not, tell a duration or not, come twice, and go out first. */
  tell(): void {
    const { random } = this.world;
    const contentId = random.pick(this.contents);
    const startedAt = this.world.now + this.clockOffsetMs - random.between(20_000, 100 * MINUTE_MS);
    const start = this.#event("PLAY_START", contentId, startedAt, { kind: "start", playlistId: "" });
    const ends = random.weighted({ one: 75, none: 17, two: 8 });
    for (let left = { one: 1, none: 0, two: 2 }[ends]; left > 0; left--) {
      const durationMs = random.pick([15_000, 15_000, 9_000]);
      const timed = random.chance(0.5);
      const event: PlayEvent = { kind: "end", playId: random.chance(0.7) ? start.id : "", timed };
      this.#event("PLAY_END", contentId, startedAt + durationMs, event, timed ? durationMs : 0);
    }
    const [end, before] = [this.books.at(-1), this.books.at(-2)];
    if (end && before && ends !== "none" && random.chance(0.15)) this.books.splice(-2, 2, end, before);
  }

  #event(type: PlayLog["type"], contentId: string, at: number, event: PlayEvent, durationMs = 0): PlayLog {
    const { random } = this.world;
    this.#sequence += 1;
    const log: PlayLog = {
      id: random.uuid(),
      campaignId: random.pick(this.campaigns),
      adGroupId: "",
      contentId,
      contentVersion: "",
      playlistId: "",
      slotId: "",
      type,
      startedAt: at - durationMs,
      endedAt: at,
      durationMs,
      deviceExpectedMs: null,
      status: event.kind === "start" ? "INTERRUPTED" : random.pick<PlayStatus>(["COMPLETED", "COMPLETED", "SKIPPED", "ERROR"]),
      epoch: this.#epoch,
      sequence: this.#sequence,
      location: null,
      event,
    };
    const catalogue: CatalogueFinding = { campaign: "known", content: "known", versionDurationMs: 15_000 };
    this.#book("proof-event", log, JSON.stringify({ ...log, made: this.books.length }), random.chance(0.9), catalogue);
    return log;
  }

  #idOf(oddity: string, othersIds: string[]): string {
    const { random } = this.world;
    const from = oddity === "sameId" ? this.freshIds() : oddity === "othersId" ? othersIds : [];
    return from.length > 0 ? random.pick(from.slice(-20)) : random.uuid();
  }

  /** Ids of the last hours. Older ones are not used again: an id that comes back after the sequencer's memory is a new one to it. */
  freshIds(): string[] {
    return this.books.filter((play) => this.world.now - play.madeAt < 12 * HOUR_MS).map((play) => play.id);
  }

  /** Sends some of what is pending, and sometimes some of what was settled: a player that lost its place. */
  send(again: boolean): void {
    const { world } = this;
    if (this.revoked || world.now < this.#waitUntil) return;
    const remembered = (play: BookedPlay) => play.firstSentAt !== null && world.now - play.firstSentAt < REMEMBERED_MS;
    const ready = this.books.filter(
      (play) => !play.inFlight && (play.state === "pending" || (again && play.state === "accepted" && remembered(play))),
    );
    const order = again || world.random.chance(0.2) ? world.random.shuffled(ready) : ready;
    // A request goes to one door.
    const some = order.filter(({ door }) => door === order[0]?.door).slice(0, world.random.pick([1, 5, 20, 100]));
    if (some.length === 0) return;
    // Now and then the same log twice in one batch.
    const plays = some.length < 100 && world.random.chance(0.05) ? [...some, some[0] ?? world.random.pick(some)] : some;
    this.#exchange(plays).catch((error) => world.fail(error));
  }

  async #exchange(plays: BookedPlay[]): Promise<void> {
    const { world } = this;
    const boot = this.#boots;
    const sentAt = this.saysSentAt ? world.now + this.clockOffsetMs : null;
    for (const play of plays) {
      play.inFlight = true;
      play.firstSentAt ??= world.now;
    }
    this.inFlight += 1;
    const copies = sentAt !== null && world.fault("request doubled") ? 2 : 1;
    const sendings = Array.from({ length: copies }, async (_, copy) => {
      if (copy > 0) await world.sleep(world.random.between(0, 8000));
      await this.#request(plays, sentAt, () => this.#boots === boot);
    });
    await Promise.race([Promise.all(sendings), world.sleep(ANSWER_TIMEOUT_MS)]);
    this.inFlight -= 1;
    if (this.#boots === boot) for (const play of plays) play.inFlight = false;
  }

  async #request(plays: BookedPlay[], sentAt: number | null, listening: () => boolean): Promise<void> {
    const { world } = this;
    await world.latency(200);
    if (world.fault("request lost")) return;
    let answer: RequestAnswer;
    try {
      answer = (await this.host.rpc(new Life(), "admit", this.requestOf(plays, sentAt, this.familyId))) as RequestAnswer;
    } catch (error) {
      // The Worker answers 503; the player comes again.
      world.note(`player ${this.id.slice(0, 4)}: 503 ${error}`);
      return;
    }
    await world.latency(200);
    if (world.fault("answer lost") || !listening()) return;
    this.#hear(answer, plays);
  }

  /** The request as the Worker hands it to the sequencer. */
  requestOf(plays: BookedPlay[], sentAt: number | null, familyId: string): AdmitRequest {
    return handOver({
      door: plays[0]?.door ?? "playback-log",
      receivedAt: this.world.now,
      sentAt,
      keyId: "key",
      familyId,
      correlationId: `c-${this.world.steps}`,
      logs: plays.filter((play) => !play.refusedByWorker).map((play) => play.verified),
      refused: plays.flatMap((play) =>
        play.refusedByWorker
          ? [{ code: play.refusedByWorker, error: REJECTIONS[play.refusedByWorker].error, logId: play.id, record: "" }]
          : [],
      ),
      batch: null,
    });
  }

  /** Shows something, of which telemetry tells. */
  watch(): void {
    const { random } = this.world;
    const [contentId, session] = [random.pick(this.contents), random.uuid().replaceAll("-", "").slice(0, 16)];
    const at = this.world.now - random.between(0, 60_000);
    const types = ["play_start", "play_progress", "play_progress", random.pick(["play_complete", "play_stop", "seek"] as const)] as const;
    for (const [index, type] of types.entries()) {
      const id = random.uuid();
      const playedMs = type === "play_start" ? null : index * 5000;
      const facts = {
        id,
        hash: id.replaceAll("-", "").slice(0, 16),
        type,
        contentId,
        at,
        positionMs: null,
        playedMs,
        session,
        run: session,
      };
      this.showings.push({ facts, state: "pending", firstSentAt: null });
    }
  }

  /** Sends what telemetry waits, and what was sent and not answered. */
  sendShowings(): void {
    const { world } = this;
    const waiting = this.showings.filter(({ state }) => state === "pending").slice(0, 50);
    if (waiting.length === 0 || world.now < this.#waitUntil) return;
    for (const showing of waiting) showing.firstSentAt ??= world.now;
    const copies = world.fault("request doubled") ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#tellShowings(waiting).catch((error) => world.fail(error));
  }

  async #tellShowings(showings: Showing[]): Promise<void> {
    const { world } = this;
    await world.latency(200);
    if (world.fault("request lost")) return;
    const request: TelemetryRequest = {
      caller: { kind: "device", familyId: this.familyId },
      receivedAt: world.now,
      correlationId: `t-${world.steps}`,
      maxAgeMs: MAX_AGE_BATCH_MS,
      queueMessages: null,
      events: showings.map(({ facts }) => facts),
      given: showings.map(({ facts: { id } }) => ({ eventId: id, record: "{}" })),
      refused: [],
    };
    let answer: TelemetryAnswer;
    try {
      answer = (await this.host.rpc(new Life(), "telemetry", request)) as TelemetryAnswer;
    } catch (error) {
      world.note(`player ${this.id.slice(0, 4)}: 503 ${error}`);
      return;
    }
    await world.latency(200);
    if (!world.fault("answer lost")) this.#hearShowings(answer, showings);
  }

  #hearShowings(answer: TelemetryAnswer, showings: Showing[]): void {
    const { world } = this;
    if (answer.kind === "rate-limited") this.#waitUntil = world.now + answer.rate.resetS * 1000;
    if (answer.kind === "revoked") {
      for (const showing of this.showings)
        if (showing.state === "pending") showing.state = showing.firstSentAt === null ? "refused" : "unknown";
    }
    if (answer.kind !== "answered") return;
    world.check("an answer for each event", answer.outcomes.length === showings.length, () => JSON.stringify(answer));
    for (const [index, showing] of showings.entries()) {
      const status = answer.outcomes[index]?.status;
      if (status === "accepted" || status === "duplicate") showing.state = "taken";
      // One that is left out under load may be let in when it comes again; one that is too old may have been let in before.
      else if (showing.state === "pending")
        showing.state = status === "sampled" || showing.firstSentAt !== world.now ? "unknown" : "refused";
    }
  }

  #hear(answer: RequestAnswer, plays: BookedPlay[]): void {
    const { world } = this;
    world.note(`player ${this.id.slice(0, 4)} hears ${answer.kind}${answer.kind === "answered" ? ` of ${plays.length}` : ""}`);
    switch (answer.kind) {
      case "answered":
        this.#hearEach(readAnswers(answer.logs), plays);
        return;
      case "rate-limited":
        this.#waitUntil = world.now + answer.rate.resetS * 1000;
        return;
      case "outbox-full":
      case "unavailable":
        this.#waitUntil = world.now + answer.retryAfterS * 1000;
        return;
      case "revoked":
        this.revoked = true;
        for (const play of this.books) if (play.state === "pending") play.state = play.firstSentAt === null ? "refused" : "unknown";
        return;
      default:
        world.check("I7 a player in order is let in", false, () => answer.kind);
    }
  }

  /** What the Worker refuses is its own answer; the rest is the sequencer's, in order. */
  #hearEach(answers: LogAnswer[], plays: BookedPlay[]): void {
    const judged = plays.filter((play) => !play.refusedByWorker);
    this.world.check("I1 an answer for each record", answers.length === judged.length, () => `${answers.length} of ${judged.length}`);
    judged.forEach((play, index) => {
      const answer = answers[index];
      if (answer) this.#settle(play, answer);
    });
    for (const play of plays) if (play.refusedByWorker) this.#settle(play, { status: "rejected", code: play.refusedByWorker });
  }

  #settle(play: BookedPlay, record: LogAnswer): void {
    const { world } = this;
    const name = () => `log ${play.id} of ${this.id}: ${JSON.stringify(record)} after ${play.state} ${JSON.stringify(play.told)}`;
    if (record.status === "rejected") {
      // An end that only its start completes is refused before it and accepted behind it: the answers of its copies may differ.
      const { event } = play.verified.log;
      const lacking = event?.kind === "end" && !event.timed && record.code === "VALIDATION_ERROR";
      world.check("I5 what was accepted stays accepted", play.state !== "accepted" || lacking, name);
      if (play.state === "accepted") return;
      // So late, the sequencer no longer knows whether it had accepted it: refused either way, but perhaps recorded.
      const forgotten = lacking || (play.firstSentAt !== null && world.now - play.firstSentAt > REMEMBERED_MS);
      if (!REJECTIONS[record.code].retryable) play.state = forgotten ? "unknown" : "refused";
      return;
    }
    if (record.status === "accepted") play.timesAccepted += 1;
    world.check("I2 accepted once", play.timesAccepted <= 1, name);
    world.check("I5 a retry gets the first verdict", play.told === null || isDeepStrictEqual(play.told, record.told), name);
    world.check("I7 nothing that the Worker refused is accepted", play.refusedByWorker === null, name);
    play.state = "accepted";
    play.told = record.told;
  }

  /** Power off and on: what was under way is forgotten, the queue is not. */
  restart(): void {
    this.#boots += 1;
    this.#waitUntil = this.world.now + ANSWER_TIMEOUT_MS;
    for (const play of this.books) play.inFlight = false;
  }

  /** A former player of this device tries to write: everything must be turned away. */
  async intrude(): Promise<void> {
    const { world } = this;
    const play = this.books.at(-1);
    if (!play) return;
    const stolen: BookedPlay = { ...play, verified: { ...play.verified, log: { ...play.verified.log, id: world.random.uuid() } } };
    const answer = await this.host
      .rpc(new Life(), "admit", this.requestOf([stolen], world.now, world.random.uuid()))
      .then((value) => (value as RequestAnswer).kind)
      .catch(() => "unavailable");
    world.check("I7 a former player writes nothing", ["superseded", "revoked", "unavailable"].includes(answer), () => answer);
  }
}
