import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type AdmitRequest,
  type CheckedRequest,
  handOver,
  type LogAnswer,
  type RequestAnswer,
  readAnswers,
} from "../../src/plays/handover.ts";
import type { PlayLog, PlayStatus, PlayVerdict } from "../../src/plays/play.ts";
import { REJECTIONS, type RejectionCode } from "../../src/plays/rejection.ts";
import type { ObjectHost } from "./fake-object.ts";
import { Life, type World } from "./world.ts";

/** A play log in the player's books. It is written there before it is sent, and stays pending until an answer settles it. */
export interface BookedPlay {
  id: string;
  verified: CheckedRequest["logs"][number];
  /** What the Worker finds wrong with it before the sequencer sees it. */
  refusedByWorker: RejectionCode | null;
  /** `unknown`: it may be recorded, and no answer can tell any more. */
  state: "pending" | "accepted" | "refused" | "unknown";
  told: PlayVerdict | null;
  /** How often an answer said `accepted`, and not `duplicate`. */
  timesAccepted: number;
  inFlight: boolean;
  madeAt: number;
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
    this.books.push({
      id: log.id,
      verified: {
        log,
        proof: {
          record,
          recordHash: createHash("sha256").update(record).digest("hex"),
          signedBy: oddity === "unsigned" ? "nobody" : "record",
          signature: oddity === "unsigned" ? null : new Uint8Array([1, 2, this.books.length & 0xff]),
        },
        catalogue: {
          campaign: oddity === "unasked" ? "unasked" : "known",
          content: oddity === "unknownContent" ? "unknown" : "known",
          versionDurationMs: oddity === "unasked" ? null : 15_000,
        },
      },
      refusedByWorker:
        oddity === "garbled" ? random.pick<RejectionCode>(["VALIDATION_ERROR", "INVALID_SIGNATURE", "DEVICE_MISMATCH"]) : null,
      state: "pending",
      told: null,
      timesAccepted: 0,
      inFlight: false,
      madeAt: this.world.now,
      firstSentAt: null,
    });
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
    const some = (again || world.random.chance(0.2) ? world.random.shuffled(ready) : ready).slice(0, world.random.pick([1, 5, 20, 100]));
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
      door: "playback-log",
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
      world.check("I5 what was accepted stays accepted", play.state !== "accepted", name);
      // So late, the sequencer no longer knows whether it had accepted it: refused either way, but perhaps recorded.
      const forgotten = play.firstSentAt !== null && world.now - play.firstSentAt > REMEMBERED_MS;
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
