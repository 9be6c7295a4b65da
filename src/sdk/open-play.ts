import type { PlayClock } from "./clock.ts";
import type { PlayLog, PlayStatus, SignedPlayLog } from "./record.ts";

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

/** A play that has ended, before it has its number. */
export interface EndedPlay {
  log: Omit<PlayLog, "device_id" | "sequence" | "epoch">;
  /** The clock that timed it; absent where the device has one only. */
  clock?: string;
}

/** A play that runs, as it is kept for the case that the power goes. */
export interface PlayNote {
  log_id: string;
  item: PlayItem;
  /** Ms since 1970 by the clock that times it. */
  started_at: number;
  /** When it was last known to be on the screen. */
  seen_at: number;
  clock?: string;
  screenshot_hash?: string;
}

/** What a play needs of its recorder. */
export interface PlayKeeper {
  /** The play has ended: into the queue with it. */
  end(play: OpenPlay, ended: EndedPlay): Promise<SignedPlayLog>;
  /** Takes a picture of the screen as evidence; its hash, or null where there is none. Absent: there are never any. */
  screenshot: ((item: PlayItem) => Promise<string | null>) | null;
  /** The next showing of the same item. */
  again(item: PlayItem): OpenPlay;
}

/** A picture proves a play best when neither the item before it nor the one behind it can be on it. */
const SCREENSHOT_FROM_SHARE = 0.4;
const SCREENSHOT_TO_SHARE = 0.6;

/** A play that runs. It ends once, and is in the queue when the promise resolves. */
export class OpenPlay {
  readonly #clock: PlayClock;
  readonly #keeper: PlayKeeper;
  readonly #startedAt: number;
  #seenAt: number;
  #ended = false;
  #screenshotHash: string | null = null;
  #pictured = false;

  constructor(
    readonly logId: string,
    readonly item: PlayItem,
    clock: PlayClock,
    keeper: PlayKeeper,
  ) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#startedAt = clock.now();
    this.#seenAt = this.#startedAt;
  }

  /** Ms since 1970 by the device. */
  get startedAt(): number {
    return this.#startedAt;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How long it has been on the screen, ms. */
  get elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }

  /** How much of its expected length has been shown, from 0; null where that is not known. */
  get share(): number | null {
    const { duration_expected } = this.item;
    return duration_expected ? this.elapsedMs / 1000 / duration_expected : null;
  }

  /**
   * Says that it is still on the screen: what is known of its length where the power goes. Between 40 and 60 % of its length the
   * first call takes the screenshot. Resolves when that is done; never rejects.
   */
  async progress(): Promise<void> {
    if (this.#ended) return;
    this.#seenAt = this.#clock.now();
    const { screenshot } = this.#keeper;
    const share = this.share;
    if (!screenshot || this.#pictured || share === null || share < SCREENSHOT_FROM_SHARE || share > SCREENSHOT_TO_SHARE) return;
    this.#pictured = true;
    this.#screenshotHash = await screenshot(this.item).catch(() => null);
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

  /** It was shown to its end, and begins anew without a pause: each round is a play of its own. */
  loop(): { log: Promise<SignedPlayLog>; next: OpenPlay } {
    return { log: this.#end("COMPLETED"), next: this.#keeper.again(this.item) };
  }

  /** What to keep of it while it runs. */
  note(): PlayNote {
    return {
      log_id: this.logId,
      item: this.item,
      started_at: this.#startedAt,
      seen_at: this.#seenAt,
      ...(this.#clock.id === undefined ? {} : { clock: this.#clock.id }),
      ...(this.#screenshotHash === null ? {} : { screenshot_hash: this.#screenshotHash }),
    };
  }

  async #end(status: PlayStatus): Promise<SignedPlayLog> {
    if (this.#ended) throw new Error("This play has ended already.");
    this.#ended = true;
    this.#seenAt = this.#clock.now();
    return await this.#keeper.end(this, endedPlay(this.note(), status));
  }
}

/** The play of a note, as it ended when it was last seen. Pure. */
export function endedPlay(note: PlayNote, status: PlayStatus): EndedPlay {
  const { clock, item, log_id, screenshot_hash, seen_at, started_at } = note;
  return {
    log: {
      ...item,
      log_id,
      started_at: new Date(started_at).toISOString(),
      ended_at: new Date(seen_at).toISOString(),
      duration_actual: (seen_at - started_at) / 1000,
      status,
      ...(screenshot_hash === undefined ? {} : { screenshot_hash }),
    },
    ...(clock === undefined ? {} : { clock }),
  };
}
