import { verdictOf } from "./ending.ts";
import type { Media } from "./layer.ts";
import type { Screen } from "./screen.ts";
import { EMPTY_STAGE, type EndOfPlay, type Stage, type StageEffect, type StageEvent } from "./stage.ts";
import { step } from "./step.ts";
import type { Pass, Turn } from "./turns.ts";

/** A play that is being recorded, as the SDK has it. */
export interface RunningPlay {
  readonly elapsedMs: number;
  finish(): Promise<unknown>;
  interrupt(): Promise<unknown>;
  fail(): Promise<unknown>;
}

export interface TheatreOptions {
  screen: Screen;
  /** Ms since 1970 by the server. */
  now: () => number;
  /** What cannot be shown. */
  pass: Pass;
  /** Fetches a turn's media from where it is kept. @throws Error where it is not there. */
  mediaOf: (turn: Turn) => Promise<Media>;
  /** What its media took up is not needed any more. */
  release: (turn: Turn) => void;
  /** Begins to record a play. @throws Error where the player does not run. */
  play: (turn: Turn) => RunningPlay;
  /** Hears of each change of what is seen. */
  onChange: () => void;
  /** Hears of what went wrong, for the status and the heartbeats. */
  onError: (error: string) => void;
}

/** Does what the stage decides: with the screen, the recorder and a timer. */
export class Theatre {
  readonly #options: TheatreOptions;
  #stage: Stage = EMPTY_STAGE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #play: RunningPlay | null = null;
  /** Those whose media are here, by their id. */
  readonly #turns = new Map<number, Turn>();
  /** Resolves when all plays that have ended so far are recorded. */
  #recorded: Promise<unknown> = Promise.resolve();
  #onGap: (() => void) | null = null;
  #closed = false;
  /** How many turns were shown since the start. */
  shown = 0;

  constructor(options: TheatreOptions) {
    this.#options = options;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Tells the stage what happened, and does what it says. */
  tell(event: StageEvent): void {
    if (this.#closed) return;
    const { now, pass } = this.#options;
    const { stage, effects } = step(this.#stage, event, { now: now(), mono: performance.now(), pass });
    this.#stage = stage;
    for (const effect of effects) this.#do(effect);
  }

  /** Resolves when no play runs: between two turns. What would be shown then is not, since the page is about to end. */
  async gap(): Promise<void> {
    if (!this.#stage.on?.running) return;
    await new Promise<void>((resolve) => {
      this.#onGap = resolve;
    });
  }

  /** Takes everything off the screen, for good. Resolves when the play that ran is recorded. */
  async close(): Promise<void> {
    this.tell({ kind: "plan", plan: null });
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#recorded;
  }

  #do(effect: StageEffect): void {
    switch (effect.kind) {
      case "prepare":
        void this.#prepare(effect.id, effect.turn);
        return;
      case "drop":
        this.#options.screen.drop(effect.id);
        this.#release(effect.id);
        return;
      case "show":
        if (!this.#onGap) this.#show(effect.id, effect.turn);
        return;
      case "end":
        this.#end(effect.how);
        this.#onGap?.();
        return;
      case "miss":
        this.#miss(effect.turn, effect.error);
        return;
      case "clear":
        this.#options.screen.clear();
        this.#releaseAllBut(this.#stage.next?.id ?? null);
        this.#options.onChange();
        return;
      case "wake":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.tell({ kind: "tick" }), effect.inMs);
        return;
    }
  }

  async #prepare(id: number, turn: Turn): Promise<void> {
    const { mediaOf, screen } = this.#options;
    const isWanted = () => this.#stage.next?.id === id;
    this.#turns.set(id, turn);
    try {
      const media = await mediaOf(turn);
      if (!isWanted()) return;
      const lengthMs = await screen.prepare(id, media);
      this.tell({ kind: "ready", id, lengthMs });
    } catch (error) {
      // What was dropped meanwhile fails by that.
      if (isWanted()) this.tell({ kind: "failed", id, error: error instanceof Error ? error.message : String(error) });
    } finally {
      if (!isWanted() && this.#stage.on?.id !== id) this.#release(id);
    }
  }

  #show(id: number, turn: Turn): void {
    const { onChange, onError, play, screen } = this.#options;
    screen.show(id, (error) => this.tell({ kind: "broke", id, error }));
    this.shown += 1;
    try {
      this.#play = play(turn);
    } catch (error) {
      onError(`The play is not recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#releaseAllBut(id);
    onChange();
  }

  #end(how: EndOfPlay): void {
    const play = this.#play;
    this.#play = null;
    if (how.kind === "fail") this.#options.onError(how.error);
    if (play) this.#record(play[verdictOf(how, this.#options.screen.ran, play.elapsedMs)]());
    this.#options.onChange();
  }

  #miss(turn: Turn, error: string): void {
    this.#options.onError(`${turn.item.type} ${turn.item.sha256.slice(0, 8)}: ${error}`);
    try {
      this.#record(this.#options.play(turn).fail());
    } catch {
      // It does not run: there is nobody to tell.
    }
  }

  #record(recording: Promise<unknown>): void {
    const heard = recording.catch((error: unknown) =>
      this.#options.onError(`A play could not be kept: ${error instanceof Error ? error.message : String(error)}`),
    );
    this.#recorded = Promise.all([this.#recorded, heard]).then(() => undefined);
  }

  #release(id: number): void {
    const turn = this.#turns.get(id);
    if (!turn) return;
    this.#turns.delete(id);
    this.#options.release(turn);
  }

  #releaseAllBut(id: number | null): void {
    for (const other of [...this.#turns.keys()]) if (other !== id) this.#release(other);
  }
}
