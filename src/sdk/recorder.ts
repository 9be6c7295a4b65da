import type { PlayClock } from "./clock.ts";
import type { Host } from "./host.ts";
import type { Identity } from "./identity.ts";
import { type EndedPlay, endedPlay, OpenPlay, type PlayItem, type PlayNote } from "./open-play.ts";
import type { LogQueue, NewLog } from "./queue.ts";
import { type SignedPlayLog, signPlayLog } from "./record.ts";
import type { SequencePosition } from "./verdicts.ts";

export type { PlayClock } from "./clock.ts";
export { OpenPlay, type PlayItem } from "./open-play.ts";

/** Where the device stands in its sequence, and what must not be lost when the power goes. A device that lost its storage begins a new epoch. */
export interface RecorderState {
  epoch: string;
  nextSequence: number;
  /** Plays that run. */
  open?: PlayNote[];
  /** Numbered and signed, and not known to be in the queue. */
  unqueued?: NewLog[];
}

export interface RecorderStore {
  load(): Promise<RecorderState | null>;
  save(state: RecorderState): Promise<void>;
}

export interface RecorderOptions {
  host: Pick<Host, "uuid">;
  deviceId: string;
  identity: Identity;
  /** What times the plays: a clock that does not jump while a play runs, or one that says which clock runs now ({@link DeviceClock}). */
  clock: PlayClock | { readonly current: PlayClock };
  queue: LogQueue;
  store: RecorderStore;
  /** Now, in ms since 1970 by the server; null while that is not known. For the queue's bound in age. */
  serverNow?: () => number | null;
  /** Takes a picture of the screen, between 40 and 60 % of a play, and keeps it; its SHA-256, or null where there is none. */
  screenshot?: (item: PlayItem) => Promise<string | null>;
}

/** Turns what the screen shows into signed play logs in the queue, numbered without holes. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #open = new Set<OpenPlay>();
  #state: RecorderState;
  /** What is on the disk of the state, as long as it was saved at all. */
  #noted = "";
  /** Logs are made one after the other, so that the queue has them in the order of their numbers. */
  #last: Promise<unknown> = Promise.resolve();
  #recovered: SignedPlayLog[] = [];
  /** Of the last player, not reported yet. */
  #unfinished: PlayNote[] = [];

  private constructor(options: RecorderOptions, state: RecorderState) {
    this.#options = options;
    this.#state = state;
  }

  /**
   * Takes up the sequence where the store has it, or begins a new epoch. Plays that ran when the last player ended are reported
   * interrupted, as long as they are known to have been on the screen.
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const { open = [], unqueued = [], ...state } = (await options.store.load()) ?? { epoch: options.host.uuid(), nextSequence: 1 };
    const recorder = new Recorder(options, { ...state, unqueued });
    // A disk that is full must not keep the player from playing: what waits then is handed over with the next play.
    await recorder.#recover(open).catch(() => undefined);
    return recorder;
  }

  /** The plays that the last player did not end, as they were reported. */
  get recovered(): readonly SignedPlayLog[] {
    return this.#recovered;
  }

  /** The plays that run. */
  get open(): readonly OpenPlay[] {
    return [...this.#open];
  }

  /** The item is on the screen from now on. `logId` names the play where the caller keeps books of its own. */
  start(item: PlayItem, logId = this.#options.host.uuid()): OpenPlay {
    const { clock, screenshot } = this.#options;
    const play = new OpenPlay(logId, item, "current" in clock ? clock.current : clock, {
      end: (play, ended) => this.#end(play, ended),
      screenshot: screenshot ?? null,
      again: (item) => this.start(item),
    });
    this.#open.add(play);
    // Where the disk does not take it, the play is lost if the power goes, and only then.
    void this.#inTurn(async () => {
      if (!play.ended) await this.#save();
    }).catch(() => undefined);
    return play;
  }

  /** Notes how far the plays have come that run, and takes the screenshots that are due. To be called every few seconds. */
  async progress(): Promise<void> {
    if (this.#open.size === 0) return;
    await Promise.all([...this.#open].map((play) => play.progress()));
    await this.#inTurn(() => this.#save()).catch(() => undefined);
  }

  /** Goes on from the server's number where that is ahead, so that no number is used twice. */
  async resume(position: SequencePosition): Promise<void> {
    await this.#inTurn(async () => {
      if (position.epoch !== this.#state.epoch || position.expectedSequence <= this.#state.nextSequence) return;
      this.#state = { ...this.#state, nextSequence: position.expectedSequence };
      await this.#save();
    });
  }

  /** Resolves when all plays that ended are in the queue, and the store knows it. */
  async settled(): Promise<void> {
    await this.#inTurn(async () => {
      // First, as ever: a log whose number the store does not know as used must not leave.
      if (this.#text() !== this.#noted) await this.#save();
      await this.#handOver();
      if (this.#text() !== this.#noted) await this.#save();
    });
  }

  async #end(play: OpenPlay, ended: EndedPlay): Promise<SignedPlayLog> {
    return await this.#inTurn(() => {
      this.#open.delete(play);
      return this.#record(ended);
    });
  }

  async #record(ended: EndedPlay): Promise<SignedPlayLog> {
    const { deviceId, identity, serverNow } = this.#options;
    const { epoch, nextSequence: sequence, unqueued = [] } = this.#state;
    const signed = await signPlayLog(identity, { ...ended.log, device_id: deviceId, epoch, sequence });
    const madeAt = serverNow?.() ?? null;
    const log: NewLog = {
      log_id: signed.log_id,
      text: JSON.stringify(signed),
      ...(ended.clock === undefined ? {} : { clock: ended.clock }),
      ...(madeAt === null ? {} : { madeAt }),
      ...(signed.campaign_id === undefined ? { filler: true } : {}),
    };
    // Stored before it is queued: after a crash no number stands twice, and the log goes into the queue again as it was.
    this.#state = { epoch, nextSequence: sequence + 1, unqueued: [...unqueued, log] };
    await this.#save();
    await this.#handOver();
    return signed;
  }

  /** Puts what is numbered into the queue. A queue that has it already passes it over. */
  async #handOver(): Promise<void> {
    for (const log of this.#state.unqueued ?? []) {
      await this.#options.queue.append(log);
      this.#state = { ...this.#state, unqueued: (this.#state.unqueued ?? []).filter(({ log_id }) => log_id !== log.log_id) };
    }
  }

  async #recover(open: readonly PlayNote[]): Promise<void> {
    this.#unfinished = [...open];
    await this.#handOver();
    for (const note of open) {
      this.#unfinished = this.#unfinished.filter((other) => other !== note);
      this.#recovered.push(await this.#record(endedPlay(note, "INTERRUPTED")));
    }
    if (open.length > 0) await this.#save();
  }

  async #save(): Promise<void> {
    const text = this.#text();
    await this.#options.store.save(JSON.parse(text) as RecorderState);
    this.#noted = text;
  }

  #text(): string {
    const { epoch, nextSequence, unqueued = [] } = this.#state;
    const open = [...this.#unfinished, ...[...this.#open].map((play) => play.note())];
    return JSON.stringify({ epoch, nextSequence, ...(open.length > 0 ? { open } : {}), ...(unqueued.length > 0 ? { unqueued } : {}) });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}
