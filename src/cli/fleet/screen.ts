import type { ClientEvent } from "../../sdk/device-client.ts";
import { systemHost } from "../../sdk/host.ts";
import type { OpenPlay } from "../../sdk/open-play.ts";
import type { NewLog } from "../../sdk/queue.ts";
import type { SignedPlayLog } from "../../sdk/record.ts";
import type { PlayingSlot } from "../../sdk/what-plays.ts";
import type { Books } from "./books.ts";
import { FORGERIES, fateOfPlay, type PlayFate } from "./decisions.ts";
import { forge } from "./forger.ts";
import { ledgerQueue } from "./ledger-queue.ts";
import { Player, type PlayerOptions } from "./player.ts";
import { StoredQueue } from "./queue.ts";
import type { ShakyNetwork, Troubles } from "./shaky-network.ts";
import { type Spell, spellsOf } from "./spells.ts";
import { nextStep, outcomeOf } from "./steps.ts";

export interface ScreenOptions extends PlayerOptions {
  books: Books;
  /** Ms since 1970: from when on it plays, where it never did. */
  beginAt: number;
  log: ScreenLog;
}

/** Who hears what happens to screens. */
export interface ScreenLog {
  event(event: ClientEvent): void;
  sent(logs: number): void;
  trouble(what: keyof Troubles): void;
  spell(kind: Spell["kind"]): void;
  /** A play as it was decided, without anything that chance in the network or a run's ids put into it. */
  decided(play: string): void;
}

/** What is on the screen. */
interface Showing {
  logId: string;
  play: OpenPlay;
  playing: PlayingSlot;
  fate: PlayFate;
  durationMs: number;
}

/** The SDK notes how far a play has come every five seconds. */
const NOTED_WITHIN_MS = 5500;
/** How many plays later a log is sent once more. */
const REPEATED_AFTER_PLAYS = 10;
/** How long people wait for a screen before they switch it off and on; each time twice as long, for those that are only slow. */
const PATIENCE_MS = 8000;

/** One screen of the fleet: a real player of the SDK, whose plays lie in a time of its own, where they run faster. */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #player: Player;
  readonly #spells: Generator<Spell, void>;
  readonly #forgeries = new Map<string, PlayFate["forgery"]>();
  #repeats: { atPlay: number; log: NewLog }[] = [];
  #showing: Showing | null = null;
  /** How far the clock of the play that is shown is ahead, ms: the same from its start to its end. */
  #clockErrorMs = 0;
  #spell: Spell | null = null;
  #entered = false;
  #offlineUntilPlay = 0;
  #impatientAt: number | null = null;
  #patienceMs = PATIENCE_MS;
  /** The play that a loss of power has cut, until the player has found it. */
  #cutOff: string | null = null;
  /** The plays of a spell that ends with the loss of the storage. */
  #doomed: string[] = [];
  /** How many plays it has begun. */
  plays: number;
  /** Until when the screen has played, ms since 1970. */
  position: number;

  constructor(options: ScreenOptions) {
    const { beginAt, books, chance, log, number, store } = options;
    this.#options = options;
    this.#player = new Player(options, {
      playClock: () => this.position + this.#clockErrorMs,
      position: () => this.position,
      overlook: (queue) => ledgerQueue(queue, books, (added) => this.#forged(added)),
      event: (event) => {
        if (event.type === "recovered") this.#found(event.logId);
        log.event(event);
      },
      sent: (logs) => log.sent(logs),
      trouble: (what) => log.trouble(what),
    });
    this.#spells = spellsOf(chance, number);
    const life = store.fact<{ position: number; plays: number }>(`life ${number}`);
    this.position = Math.max(life?.position ?? 0, beginAt);
    this.plays = life?.plays ?? 0;
    this.#nextSpell();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Empty as long as nobody knows it: before the screen is paired. */
  get deviceId(): string {
    return this.#player.deviceId;
  }

  get isOn(): boolean {
    return this.#player.isOn;
  }

  /** Why the server lets it write no more; null while it does. */
  get stopped(): string | null {
    return this.#player.stopped;
  }

  /** Logs that wait to be sent. */
  queued(): Promise<number> {
    return this.#player.storage.queue.waiting();
  }

  /** Starts the player, and pairs it where it never was. Returns when it runs, or may not any more. */
  async powerOn(signal: AbortSignal): Promise<void> {
    await this.#player.powerOn(signal);
  }

  /** Ends the player. What it shows is interrupted, or, where the power goes, left as it is. */
  async powerOff(power: "switched off" | "gone" = "switched off"): Promise<void> {
    const showing = this.#showing;
    this.#showing = null;
    if (showing && power === "switched off") {
      await showing.play.interrupt();
      this.#options.books.cutOff(showing.logId, this.position - showing.playing.startsAt);
    }
    await this.#player.powerOff(power);
  }

  /** Restarts the player, where a command has asked for it. */
  async rebootIfAsked(signal: AbortSignal): Promise<void> {
    if (this.#player.rebootAsked && this.isOn) await this.#restart(signal);
  }

  /** Has it send what waits, however long it would back off. To be called again and again. */
  async sendAll(signal: AbortSignal): Promise<void> {
    if (this.stopped === null && this.isOn && (await this.queued()) > 0) await this.#hurry(signal);
    else this.#beContent();
  }

  /** Nothing goes wrong from now on, or everything may again. */
  beCalm(calm: boolean): void {
    this.#network.calm = calm;
    this.#offlineUntilPlay = 0;
    // What was to be lost gets through now.
    this.#doomed = [];
    if (calm && this.#spell?.kind === "reimaging" && this.#entered) this.#nextSpell();
    this.#network.offline = !calm && this.#isOffline();
  }

  /**
   * Shows what the plan says, slot by slot, with what may go wrong meanwhile: what has ended when its time is `until` (ms), and
   * what is on the screen then, as long as that ends before `end`.
   */
  async playUntil(until: number, end: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.stopped === null) {
      if (!this.#showing) {
        // Without its plan or its files, which it would ask for again with the next heartbeat.
        if (this.isOn && !this.#player.client) return await this.#hurry(signal);
        const playing = this.#player.client?.whatPlays(this.position);
        const step = playing && nextStep(playing, this.position);
        if (!step || this.position > until || step.to > end) return;
        if (!step.play) {
          if (step.to > until) return;
          this.#moveTo(step.to);
          continue;
        }
        if (!(await this.#begin(step.play, signal))) return;
      }
      const showing = this.#showing;
      if (!showing || showing.playing.endsAt > until) return;
      await this.#finish(showing, signal);
    }
  }

  get #network(): ShakyNetwork {
    return this.#player.network;
  }

  /** Puts a slot on the screen. False: the screen is not ready, and is asked again. */
  async #begin(playing: PlayingSlot, signal: AbortSignal): Promise<boolean> {
    const { books, chance, character, number } = this.#options;
    if (!(await this.#enterSpell(signal))) return false;
    const { client } = this.#player;
    if (!client) return false;
    const cut = this.#spell?.kind === "power loss" && this.#spell.from === this.plays ? this.#spell : null;
    const drawn = fateOfPlay(chance, character, number, this.plays);
    const { ending, ...ended } = outcomeOf(playing, drawn.ending);
    const fate: PlayFate = { ...drawn, ending, ...(cut ? { forgery: null, repeated: false } : {}) };
    const seenMs = cut ? Math.round((playing.endsAt - playing.startsAt) * cut.seen) : 0;
    const booked = cut ? { status: "INTERRUPTED" as const, durationMs: seenMs, billable: false } : { status: ending.status, ...ended };
    const logId = chance.draws.uuid("log", this.#options.store.fact<string>("salt") ?? "", number, this.plays);
    const refusal = fate.forgery ? FORGERIES[fate.forgery] : character.refusedAs;
    books.write({ logId, device: this.deviceId, ...booked, refusal });
    this.#forgeries.set(logId, fate.forgery);
    const doomed = this.#spell?.kind === "reimaging" && this.#spell.from <= this.plays;
    if (doomed) this.#doomed.push(logId);
    this.#tell(playing, [booked.status, booked.durationMs, booked.billable, refusal, fate.forgery, doomed]);
    this.#beContent();
    this.#clockErrorMs = Math.round(this.#player.clockErrorMs);
    const play = client.play(playing, logId);
    this.#showing = { logId, play, playing, fate, durationMs: booked.durationMs };
    if (cut) await this.#losePower(this.#showing, signal);
    return true;
  }

  #tell(playing: PlayingSlot, decided: unknown[]): void {
    const { beginAt, log, number } = this.#options;
    const shown = [playing.startsAt - beginAt, playing.item.sha256, playing.terms.campaign_id !== null];
    log.decided(JSON.stringify([number, this.plays, ...shown, ...decided]));
  }

  /** The power goes in the middle of the play, and comes back. What the player knew of it by then is reported. */
  async #losePower(showing: Showing, signal: AbortSignal): Promise<void> {
    this.#cutOff = showing.logId;
    this.position += showing.durationMs;
    await systemHost.sleep(showing.durationMs > 0 ? NOTED_WITHIN_MS : 1, signal);
    await this.powerOff("gone");
    await this.powerOn(signal);
    this.#ended(showing);
    await this.#leaveSpell(signal);
  }

  async #finish(showing: Showing, signal: AbortSignal): Promise<void> {
    const { fate, logId, play, playing } = showing;
    this.position = playing.startsAt + showing.durationMs;
    const log = await play[fate.ending.call]();
    this.#options.books.handed(logId);
    if (fate.repeated) this.#repeats.push({ atPlay: this.plays + REPEATED_AFTER_PLAYS, log: newLog(log) });
    if (fate.offlinePlays > 0) this.#offlineUntilPlay = this.plays + 1 + fate.offlinePlays;
    this.#ended(showing);
    await this.#leaveSpell(signal);
    const due = this.#repeats.filter(({ atPlay }) => atPlay <= this.plays);
    this.#repeats = this.#repeats.filter(({ atPlay }) => atPlay > this.plays);
    for (const repeat of due) await this.#player.storage.queue.append(repeat.log);
  }

  #ended({ playing }: Showing): void {
    this.#showing = null;
    this.plays += 1;
    this.#moveTo(playing.endsAt);
  }

  /** What has to happen before the next play, where a spell begins with it. False: not yet. */
  async #enterSpell(signal: AbortSignal): Promise<boolean> {
    const spell = this.#spell;
    if (spell?.from !== this.plays || this.#entered) {
      this.#network.offline = !this.#network.calm && this.#isOffline();
      return true;
    }
    // So that it is decided, and no matter of luck, which plays are lost: those of the spell.
    if (spell.kind === "reimaging" && (await this.queued()) > 0) {
      await this.#hurry(signal);
      return false;
    }
    this.#entered = true;
    this.#options.log.spell(spell.kind);
    if (spell.kind === "restart") await this.#restart(signal);
    if (spell.kind === "clock jump") this.#player.clockJumpMs = spell.ms;
    this.#network.offline = this.#isOffline();
    return true;
  }

  async #leaveSpell(signal: AbortSignal): Promise<void> {
    const spell = this.#spell;
    if (!spell || this.plays < spell.from + spell.plays) return;
    this.#nextSpell();
    this.#player.clockJumpMs = 0;
    if (spell.kind === "reimaging") await this.#loseStorage(spell.keepsKey, signal);
    this.#network.offline = this.#isOffline();
  }

  async #loseStorage(keepsKey: boolean, signal: AbortSignal): Promise<void> {
    await this.powerOff("gone");
    this.#options.books.lost(this.#doomed);
    this.#doomed = [];
    this.#repeats = [];
    this.#player.storage.wipe(keepsKey);
    this.#network.offline = false;
    await this.powerOn(signal);
  }

  /** What people do with a screen that takes its time: switch it off and on, once in a while. */
  async #hurry(signal: AbortSignal): Promise<void> {
    this.#impatientAt ??= systemHost.monotonic() + this.#patienceMs;
    if (systemHost.monotonic() < this.#impatientAt) return;
    this.#impatientAt = null;
    this.#patienceMs *= 2;
    await this.#restart(signal);
  }

  #beContent(): void {
    this.#impatientAt = null;
    this.#patienceMs = PATIENCE_MS;
  }

  async #restart(signal: AbortSignal): Promise<void> {
    await this.powerOff();
    await this.powerOn(signal);
  }

  /** The player has found a play that was cut off. */
  #found(logId: string): void {
    const { books, number, store } = this.#options;
    if (logId === this.#cutOff) {
      this.#cutOff = null;
      books.handed(logId);
      return;
    }
    const kept = new StoredQueue(store, String(number)).find(logId);
    const { duration_actual: seconds = 0 } = kept ? (JSON.parse(kept.text) as Partial<SignedPlayLog>) : {};
    books.cutOff(logId, Math.round(seconds * 1000));
  }

  async #forged(log: NewLog): Promise<NewLog> {
    const forgery = this.#forgeries.get(log.log_id);
    this.#forgeries.delete(log.log_id);
    if (!forgery) return log;
    const { chance, number } = this.#options;
    const text = JSON.stringify(await forge(JSON.parse(log.text) as SignedPlayLog, forgery, chance.draws.uuid("other device", number)));
    return { ...log, text };
  }

  /** Whether the network is gone with the play that comes next. */
  #isOffline(): boolean {
    const spell = this.#spell;
    const spelled = spell !== null && this.#entered && (spell.kind === "offline" || spell.kind === "reimaging");
    return spelled || this.plays < this.#offlineUntilPlay;
  }

  #nextSpell(): void {
    let next = this.#spells.next();
    while (!next.done && next.value.from < this.plays) next = this.#spells.next();
    this.#entered = false;
    this.#spell = next.done ? null : next.value;
  }

  #moveTo(position: number): void {
    this.position = position;
    this.#options.store.note(`life ${this.#options.number}`, { position, plays: this.plays });
  }
}

function newLog(log: SignedPlayLog): NewLog {
  return { log_id: log.log_id, text: JSON.stringify(log) };
}
