import type { Plan } from "../plans/plan.ts";
import type { DeviceAccess } from "./authorised.ts";
import { CapCounter, type CapUses } from "./caps.ts";
import { PlayLogClient, type Round } from "./client.ts";
import type { DeviceClock, PlayClock } from "./clock.ts";
import { type CommandBook, CommandDesk, type CommandHandler, type CommandResult } from "./commands.ts";
import { ContentKeeper, type Tended } from "./content.ts";
import { Counters, type Counts } from "./counters.ts";
import { EvidenceKeeper, type EvidenceSent } from "./evidence.ts";
import { type Beat, HeartbeatClient, type HeartbeatNews, type Vitals } from "./heartbeat.ts";
import type { Identity } from "./identity.ts";
import type { PlayerStorage } from "./kept.ts";
import type { OpenPlay, PlayItem } from "./open-play.ts";
import { PlanKeeper, type PlanRefresh } from "./plan.ts";
import { PlanRefresher } from "./plan-refresher.ts";
import { itemOf, nowPlayingOf } from "./playing.ts";
import { Recorder, type RecorderState } from "./recorder.ts";
import { StreamKeeper } from "./stream.ts";
import { type PlayingSlot, termsOf, type WhatPlays, whatPlays } from "./what-plays.ts";

/** What the works tell of themselves, for displays and books. */
export type WorksEvent =
  /** A play by the last player was reported interrupted: the power had gone. */
  | { type: "recovered"; logId: string }
  | { type: "plan"; outcome: PlanRefresh }
  | { type: "content"; outcome: Tended }
  | { type: "round"; outcome: Round }
  | { type: "beat"; outcome: Beat }
  | { type: "stream"; open: boolean }
  | { type: "command"; result: CommandResult }
  /** Screenshots were sent, or refused. */
  | { type: "evidence"; outcome: EvidenceSent };

/** What a player says of its machine. All of it may be missing. */
export interface MachineVitals {
  disk_total_bytes?: number | null;
  last_error?: string | null;
  player_version?: string | null;
  /** Counters of the player's own, beside the SDK's. */
  counters?: Counts;
}

export interface WorksOptions extends DeviceAccess {
  clock: DeviceClock;
  identity: Identity;
  storage: PlayerStorage;
  /** What times the plays; the device's clock without it. */
  playClock?: PlayClock;
  /** Takes a picture of what is on the screen, as PNG, JPEG or WebP; null: not now. Absent: this player cannot. */
  screenshot?: (item: PlayItem | null) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** Whether a play is to be proved by a screenshot; none is without it. */
  wantsScreenshot?: (item: PlayItem) => boolean;
  /** Commands that the player executes, beside `refresh_plan`, `clear_cache` and, where it can, `screenshot`. */
  commands?: Record<string, CommandHandler>;
  machine?: () => Promise<MachineVitals>;
  /** What goes into each play log's `metadata`. */
  metadata?: () => Record<string, unknown>;
  onEvent: (event: WorksEvent) => void;
}

const PROGRESS_EVERY_MS = 5000;

/** All that a paired player does beside showing pictures: plan, files, plays, heartbeats, commands, sending. */
export class Works {
  readonly #options: WorksOptions;
  readonly #over = new AbortController();
  readonly counters: Counters;
  readonly plans: PlanKeeper;
  readonly content: ContentKeeper;
  readonly recorder: Recorder;
  readonly #caps: CapCounter;
  readonly #evidence: EvidenceKeeper;
  readonly #stream: StreamKeeper;
  readonly #sender: PlayLogClient;
  readonly #heartbeat: HeartbeatClient;
  #commands: CommandDesk | null = null;
  #storageCapBytes: number | null = null;
  #stoppedBy: string | null = null;
  readonly #refresher: PlanRefresher;
  /** Whether the player has looked for its plan's files since it was started: what is not here then is not to be had now. */
  ready = false;

  private constructor(
    options: WorksOptions,
    kept: { counters: Counters; plans: PlanKeeper; content: ContentKeeper; caps: CapCounter; evidence: EvidenceKeeper; recorder: Recorder },
  ) {
    this.#options = options;
    this.counters = kept.counters;
    this.plans = kept.plans;
    this.content = kept.content;
    this.recorder = kept.recorder;
    this.#caps = kept.caps;
    this.#refresher = new PlanRefresher({
      ...{ host: options.host, plans: kept.plans, signal: this.#over.signal },
      onOutcome: (outcome) => {
        this.#tell({ type: "plan", outcome });
        if (outcome.kind === "new") void this.#tend();
      },
    });
    this.#evidence = kept.evidence;
    this.#stream = new StreamKeeper({
      ...options,
      news: {
        onPlan: () => void this.refreshPlan(),
        onCommand: (command) => void this.#commands?.take([], [command]).catch(() => undefined),
        onPosition: (position) => void this.recorder.resume(position).catch(() => undefined),
        onOpen: (open) => this.#tell({ type: "stream", open }),
      },
    });
    this.#sender = new PlayLogClient({
      ...options,
      queue: options.storage.queue,
      stream: this.#stream,
      onPosition: (position) => this.recorder.resume(position),
      onRound: (outcome) => this.#tell({ type: "round", outcome }),
    });
    this.#heartbeat = new HeartbeatClient({
      ...options,
      vitals: () => this.#vitals(),
      results: () => this.#commands?.results() ?? [],
      onNews: (news, told) => this.#hear(news, told),
      onBeat: (outcome) => this.#tell({ type: "beat", outcome }),
    });
  }

  /** Takes up what the last player left. */
  static async open(options: WorksOptions): Promise<Works> {
    const { clock, identity, storage, tokens } = options;
    const { deviceId } = tokens;
    const counters = await Counters.open(storage.value<Counts>("counters"));
    await counters.add("restarts");
    const evidence = new EvidenceKeeper({ ...options, store: storage.evidence });
    const works = new Works(options, {
      counters,
      evidence,
      plans: await PlanKeeper.open({ ...options, deviceId, store: storage.value<Plan>("plan") }),
      content: await ContentKeeper.open({ ...options, store: storage.files, counters }),
      caps: await CapCounter.open(storage.value<CapUses>("caps")),
      recorder: await Recorder.open({
        ...{ host: options.host, deviceId, identity, clock: options.playClock ?? clock, queue: storage.queue },
        store: storage.value<RecorderState>(`sequence ${deviceId}`),
        serverNow: () => clock.knownServerNow,
        ...(options.screenshot ? { screenshot: (item: PlayItem) => picture(options, evidence, item) } : {}),
      }),
    });
    for (const { log_id } of works.recorder.recovered) works.#tell({ type: "recovered", logId: log_id });
    const onResult = (result: CommandResult) => {
      works.#tell({ type: "command", result });
      works.#heartbeat.hurry();
    };
    works.#commands = await CommandDesk.open(storage.value<CommandBook>("commands"), works.#handlers(), onResult);
    return works;
  }

  /** Works until the signal ends it, or the server says that the device may write no more: then it returns the server's code. */
  async run(signal: AbortSignal): Promise<string | null> {
    const over = this.#over.signal;
    const end = () => this.end();
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    const stopContent = () => void this.content.stop();
    over.addEventListener("abort", stopContent, { once: true });
    const first = this.refreshPlan().then(async () => {
      // Not before the plan is known: the first heartbeat says which one is played.
      void this.#tend();
      await this.#heartbeat.run(over);
    });
    // Where the stream has ended for good, the server says why to the next request.
    const streamed = this.#stream.run(over).then(() => this.#heartbeat.hurry());
    await Promise.all([first, this.#sender.run(over), streamed, this.#keepProgress(over)]);
    over.removeEventListener("abort", stopContent);
    signal.removeEventListener("abort", end);
    return this.#stoppedBy;
  }

  /** Asks for the plan, one request after the other; again by itself where it was not to be had. */
  refreshPlan(): Promise<PlanRefresh> {
    return this.#refresher.refresh();
  }

  /** The network may be there again: what waits out a failure does so no longer, unless the server said for how long. */
  tryAgain(): void {
    this.#heartbeat.tryAgain();
    this.#stream.tryAgain();
    this.#refresher.tryAgain();
    this.#sender.tryAgain();
  }

  /** What the plan says for an instant (ms by the server), of what is here and may play. Null: there is no plan. */
  whatPlays(at: number, pass: (playing: Pick<PlayingSlot, "slot" | "item">) => boolean): WhatPlays | null {
    const { plan } = this.plans;
    return (
      plan &&
      whatPlays(plan, at, (slot) => {
        const item = plan.items[slot.item];
        return !item || this.#caps.isUsedUp(slot, termsOf(slot, item), at, plan.timezone) || pass({ slot, item });
      })
    );
  }

  /** A slot of the plan is on the screen from now on. */
  play(playing: PlayingSlot, logId?: string): OpenPlay {
    const { clock, host, metadata } = this.#options;
    const { plan } = this.plans;
    this.#caps.use(playing.slot, playing.terms, clock.serverNow(), plan?.timezone ?? "UTC");
    const item = itemOf(playing, metadata?.() ?? null);
    const play = this.recorder.start(item, logId);
    // In the middle of it, where a picture proves it best.
    if (item.duration_expected) void host.sleep(item.duration_expected * 500, this.#over.signal).then(() => play.progress());
    return play;
  }

  /** Whether logs go over the stream now. */
  get streaming(): boolean {
    return this.#stream.open;
  }

  /** Ends what runs of its own account. */
  end(): void {
    this.#over.abort();
  }

  async #hear(news: HeartbeatNews, told: CommandResult[]): Promise<void> {
    const { clock, storage } = this.#options;
    this.#storageCapBytes = news.storageCapBytes;
    if (news.position) await this.recorder.resume(news.position);
    await this.#commands?.take(told, news.commands);
    if (this.plans.isNews(news.planEtag)) await this.refreshPlan();
    await storage.queue.expire(clock.serverNow());
    // Not waited for: a large file must not hold up the next heartbeat.
    void this.#tend();
    void this.#sendEvidence();
  }

  async #sendEvidence(): Promise<EvidenceSent> {
    const outcome = await this.#evidence.send();
    if (outcome.sent > 0 || outcome.refused > 0) this.#tell({ type: "evidence", outcome });
    return outcome;
  }

  async #tend(): Promise<void> {
    const { plan } = this.plans;
    if (!plan || this.#over.signal.aborted) return;
    const outcome = await this.content.tend(plan, this.#options.clock.serverNow(), this.#storageCapBytes);
    this.ready = true;
    this.#tell({ type: "content", outcome });
  }

  async #keepProgress(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.host.sleep(PROGRESS_EVERY_MS, signal);
      if (!signal.aborted) await this.recorder.progress();
    }
  }

  async #vitals(): Promise<Vitals> {
    const { machine, storage } = this.#options;
    const { counters, last_error, ...said } = (await machine?.()) ?? {};
    const queue = await storage.queue.counts();
    return {
      now_playing: nowPlayingOf(this.recorder.open.at(-1)),
      disk_used_bytes: this.content.bytes,
      plan_etag: this.plans.plan?.etag ?? null,
      last_error: this.plans.lastError ?? this.content.lastError ?? last_error ?? null,
      ...said,
      counters: {
        ...counters,
        ...this.counters.all(),
        plays_refused: queue.refused,
        plays_dropped_full: queue.droppedFull,
        plays_dropped_old: queue.droppedOld,
      },
    };
  }

  #handlers(): Record<string, CommandHandler> {
    const { commands, screenshot } = this.#options;
    return {
      refresh_plan: async () => {
        const { kind } = await this.refreshPlan();
        if (kind !== "new" && kind !== "unchanged") throw new Error(`The plan could not be fetched: ${kind}.`);
        void this.#tend();
        return { plan: kind, etag: this.plans.plan?.etag ?? null };
      },
      clear_cache: async () => {
        const files = await this.content.clear();
        void this.#tend();
        return { files };
      },
      ...(screenshot ? { screenshot: () => this.#screenshot(screenshot) } : {}),
      ...commands,
    };
  }

  async #screenshot(take: NonNullable<WorksOptions["screenshot"]>): Promise<Record<string, unknown>> {
    const bytes = await take(this.recorder.open.at(-1)?.item ?? null);
    if (!bytes) throw new Error("There is no picture of the screen now.");
    const sha256 = await this.#evidence.take(bytes);
    const { waiting } = await this.#sendEvidence();
    return { sha256, bytes: bytes.length, waiting };
  }

  #tell(event: WorksEvent): void {
    const stopped = stopOf(event);
    if (stopped !== null) {
      this.#stoppedBy ??= stopped;
      this.#over.abort();
    }
    // Who waits out an outage need not learn by itself that it is over.
    if (isHeard(event)) this.#sender.tryAgain();
    if (event.type === "round" && event.outcome.kind === "sent") this.#refresher.tryAgain();
    this.#options.onEvent(event);
  }
}

/** Takes and keeps a picture of a play; its hash, or null where none is wanted. @throws what the player or the store throws. */
async function picture({ screenshot, wantsScreenshot }: WorksOptions, evidence: EvidenceKeeper, item: PlayItem): Promise<string | null> {
  const bytes = wantsScreenshot?.(item) ? await screenshot?.(item) : null;
  return bytes ? await evidence.take(bytes) : null;
}

/** Whether the server was heard, by a call that is not the sender's own. */
function isHeard(event: WorksEvent): boolean {
  if (event.type === "stream") return event.open;
  if (event.type === "beat") return event.outcome.kind === "taken";
  return event.type === "plan" && event.outcome.kind !== "wait";
}

/** The code by which the server ended it all; null where it did not. */
function stopOf(event: WorksEvent): string | null {
  if (event.type !== "plan" && event.type !== "round" && event.type !== "beat") return null;
  return event.outcome.kind === "stopped" ? event.outcome.code : null;
}
