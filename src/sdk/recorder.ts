import type { Host } from "./host.ts";
import type { Identity } from "./identity.ts";
import type { LogQueue } from "./queue.ts";
import { type PlayLog, type PlayStatus, type SignedPlayLog, signPlayLog } from "./record.ts";
import type { SequencePosition } from "./verdicts.ts";

/** What is about to be shown. */
export interface PlayItem {
  content_id: string;
  campaign_id?: string;
  ad_group_id?: string;
  content_version?: string;
  playlist_id?: string;
  slot_id?: string;
  /** Seconds. */
  duration_expected?: number;
  metadata?: Record<string, unknown>;
  location?: { lat: number; lng: number };
}

/** Where the device stands in its sequence. A device that lost its storage begins a new epoch. */
export interface RecorderState {
  epoch: string;
  nextSequence: number;
}

export interface RecorderStore {
  load(): Promise<RecorderState | null>;
  save(state: RecorderState): Promise<void>;
}

/** The clock that plays are timed by. */
export interface PlayClock {
  /** Milliseconds since 1970 by the device; must not jump while a play runs ({@link DeviceClock} does not). */
  now(): number;
}

export interface RecorderOptions {
  host: Pick<Host, "uuid">;
  deviceId: string;
  identity: Identity;
  clock: PlayClock;
  queue: LogQueue;
  store: RecorderStore;
}

/** Turns what the screen shows into signed play logs in the queue, numbered without holes. */
export class Recorder {
  readonly #options: RecorderOptions;
  #state: RecorderState;
  /** Logs are made one after the other, so that the queue has them in the order of their numbers. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: RecorderOptions, state: RecorderState) {
    this.#options = options;
    this.#state = state;
  }

  /** Takes up the sequence where the store has it, or begins a new epoch. */
  static async open(options: RecorderOptions): Promise<Recorder> {
    return new Recorder(options, (await options.store.load()) ?? { epoch: options.host.uuid(), nextSequence: 1 });
  }

  /** The item is on the screen from now on. `logId` names the play where the caller keeps books of its own. */
  start(item: PlayItem, logId = this.#options.host.uuid()): OpenPlay {
    return new OpenPlay(logId, item, this.#options.clock, (log) => this.#record(log));
  }

  /** Goes on from the server's number where that is ahead, so that no number is used twice. */
  async resume(position: SequencePosition): Promise<void> {
    await this.#inTurn(async () => {
      if (position.epoch !== this.#state.epoch || position.expectedSequence <= this.#state.nextSequence) return;
      this.#state = { epoch: this.#state.epoch, nextSequence: position.expectedSequence };
      await this.#options.store.save(this.#state);
    });
  }

  async #record(log: Omit<PlayLog, "device_id" | "sequence" | "epoch">): Promise<SignedPlayLog> {
    return await this.#inTurn(async () => {
      const { deviceId, identity, queue, store } = this.#options;
      const { epoch, nextSequence: sequence } = this.#state;
      // Stored before it is used: after a crash a number may be missing, but none stands twice.
      this.#state = { epoch, nextSequence: sequence + 1 };
      await store.save(this.#state);
      const signed = await signPlayLog(identity, { ...log, device_id: deviceId, epoch, sequence });
      await queue.append({ log_id: signed.log_id, text: JSON.stringify(signed) });
      return signed;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}

type EndedPlay = Omit<PlayLog, "device_id" | "sequence" | "epoch">;

/** A play that runs. It ends once, and is in the queue when the promise resolves. */
export class OpenPlay {
  readonly #item: PlayItem;
  readonly #clock: PlayClock;
  readonly #startedAt: number;
  readonly #record: (log: EndedPlay) => Promise<SignedPlayLog>;
  #ended = false;

  constructor(
    readonly logId: string,
    item: PlayItem,
    clock: PlayClock,
    record: (log: EndedPlay) => Promise<SignedPlayLog>,
  ) {
    this.#item = item;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#record = record;
  }

  /** It was shown to its end. */
  finish(): Promise<SignedPlayLog> {
    return this.#end("COMPLETED");
  }

  /** Something took the screen away. */
  interrupt(): Promise<SignedPlayLog> {
    return this.#end("INTERRUPTED");
  }

  /** The player went on to the next item before the end. */
  skip(): Promise<SignedPlayLog> {
    return this.#end("SKIPPED");
  }

  /** The player could not show it. */
  fail(): Promise<SignedPlayLog> {
    return this.#end("ERROR");
  }

  async #end(status: PlayStatus): Promise<SignedPlayLog> {
    if (this.#ended) throw new Error("This play has ended already.");
    this.#ended = true;
    const endedAt = this.#clock.now();
    return await this.#record({
      ...this.#item,
      log_id: this.logId,
      started_at: new Date(this.#startedAt).toISOString(),
      ended_at: new Date(endedAt).toISOString(),
      duration_actual: (endedAt - this.#startedAt) / 1000,
      status,
    });
  }
}
