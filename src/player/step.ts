import type { Plan } from "../plans/plan.ts";
import type { EndOfPlay, Stage, StageEffect, StageEvent, Upcoming, World } from "./stage.ts";
import { type Due, type Pass, retimed, segmentAt, type Turn, takeoverAt, turnAfter, turnAt } from "./turns.ts";

/** A page begins to live when it is loaded; a picture may be ready as early as can be. */
const PREPARE_PAGE_MS = 5000;
const PREPARE_TIMEOUT_MS = 20_000;
/** A screen that is this far from its plan is brought back into step; one that is further off goes on from where it is. */
const IN_STEP_MS = 2000;
/** What of a turn's length may be taken or added to come back into step: nobody sees it, and a play stays a whole one. */
const STEP_SHARE = 0.05;
/** A joined turn of which less is left is not begun. */
const SHORTEST_SHOWN_MS = 500;
/** A correction of the clock beyond this, and what is due is asked anew. */
const CLOCK_SET_MS = 2000;
const LONGEST_WAKE_MS = 30_000;
const BAR_FIRST_MS = 10_000;
const BAR_LONGEST_MS = 600_000;

/** The stage behind an event, and what is to be done. Pure. */
export function step(before: Stage, event: StageEvent, world: World): { stage: Stage; effects: StageEffect[] } {
  const course = new Course({ ...before }, world);
  course.hearClock();
  course.take(event);
  course.goOn();
  return { stage: course.stage, effects: [...course.effects, { kind: "wake", inMs: course.wakeInMs() }] };
}

/** One step on its way. */
class Course {
  readonly effects: StageEffect[] = [];

  constructor(
    readonly stage: Stage,
    readonly world: World,
  ) {}

  /** A clock that was set makes the turns that were reckoned by it worthless. */
  hearClock(): void {
    const { now, mono } = this.world;
    const skewMs = now - mono;
    const known = this.stage.skewMs;
    if (known !== null && Math.abs(skewMs - known) <= CLOCK_SET_MS) {
      // What drifts by a little at a time is a clock that was set, too.
      if (this.stage.on === null) this.stage.skewMs = skewMs;
      return;
    }
    this.stage.skewMs = skewMs;
    if (known === null) return;
    this.stage.rejoin = true;
    this.stage.idleUntilMono = mono;
    this.#dropNext();
  }

  take(event: StageEvent): void {
    const { stage } = this;
    switch (event.kind) {
      case "tick":
        return;
      case "plan":
        stage.plan = event.plan;
        stage.idleUntilMono = this.world.mono;
        this.#dropNext();
        return;
      case "visible":
        stage.visible = event.visible;
        return;
      case "ready":
        if (stage.next?.id === event.id) stage.next = { ...stage.next, state: "ready", turn: ofLength(stage.next.turn, event.lengthMs) };
        return;
      case "failed":
        if (stage.next?.id === event.id) this.#miss(stage.next, event.error);
        return;
      case "broke":
        if (stage.on?.id !== event.id || !stage.on.running) return;
        this.#bar(stage.on.turn);
        this.#end({ kind: "fail", error: event.error });
        if (stage.next?.turn.item.sha256 === stage.on.turn.item.sha256) this.#dropNext();
        return;
    }
  }

  goOn(): void {
    const { stage } = this;
    if (!stage.visible || !stage.plan) {
      this.#darken(stage.visible ? "no-plan" : "hidden");
      return;
    }
    this.#endWhatIsOver(stage.plan);
    // Each round shows something, waits for something, or bars an item for a while.
    for (let rounds = 0; rounds < 100; rounds++) {
      stage.next ??= this.#choose(stage.plan);
      if (!stage.next || !this.#advance(stage.next)) return;
    }
  }

  /** Ms until something may be due. */
  wakeInMs(): number {
    const { on, next, idleUntilMono, plan, visible } = this.stage;
    if (!plan || !visible) return LONGEST_WAKE_MS;
    const times: number[] = [];
    if (on?.running) times.push(on.endsMono);
    if (!next) times.push(idleUntilMono);
    else if (next.state === "planned") times.push(next.prepareMono);
    // One that is ready is shown at the end of what is on.
    else if (next.state === "loading") times.push(next.deadlineMono);
    return Math.max(0, Math.min(LONGEST_WAKE_MS, Math.min(...times) - this.world.mono));
  }

  #endWhatIsOver(plan: Plan): void {
    const { now, mono } = this.world;
    const { on } = this.stage;
    if (!on?.running) return;
    if (mono >= on.endsMono) this.#end(on.turn.cut ? { kind: "interrupt", why: "cut" } : { kind: "finish" });
    else if (takeoverAt(plan, now) !== on.turn.takeoverId) {
      this.stage.rejoin = true;
      this.#dropNext();
      this.#end({ kind: "interrupt", why: "takeover" });
    } else if (this.stage.rejoin && segmentAt(plan, now)?.from !== on.turn.place.segment) {
      this.#end({ kind: "interrupt", why: "clock" });
    }
  }

  /** What is to be made ready next; null where nothing is due, and then nothing stays on the screen behind its end. */
  #choose(plan: Plan): Upcoming | null {
    const { stage, world } = this;
    const { on } = stage;
    if (!on?.running && world.mono < stage.idleUntilMono && stage.idle !== null) return null;
    const at = this.#dueAt();
    const pass: Pass = (slot, when) => this.#isBarred(plan.items[slot.item]?.sha256) || world.pass(slot, when);
    const due = stage.last && !stage.rejoin ? turnAfter(plan, stage.last, at, pass) : turnAt(plan, at, pass);
    if (due.kind === "nothing") {
      this.#waitIdle(due, at);
      return null;
    }
    stage.idle = null;
    stage.lastId += 1;
    const { turn } = due;
    const begins = world.mono + (turn.startsAt - world.now);
    const prepareMono = turn.item.type === "web" ? Math.max(world.mono, begins - PREPARE_PAGE_MS) : world.mono;
    const deadlineMono = Math.max(prepareMono + PREPARE_TIMEOUT_MS, begins);
    return { id: stage.lastId, turn, state: "planned", prepareMono, deadlineMono };
  }

  /** When the next turn begins: where the last one ends by the plan, so that loops keep in step, unless that has been missed. */
  #dueAt(): number {
    const { on, rejoin } = this.stage;
    const { mono, now } = this.world;
    if (!on) return now;
    if (on.running) return rejoin ? now + (on.endsMono - mono) : on.turn.endsAt;
    return !rejoin && Math.abs(now - on.turn.endsAt) <= IN_STEP_MS ? on.turn.endsAt : now;
  }

  #waitIdle(due: Due & { kind: "nothing" }, at: number): void {
    const { stage, world } = this;
    // Nothing behind what is shown: asked again when that has ended.
    stage.idleUntilMono = stage.on?.running ? stage.on.endsMono : world.mono + Math.max(1, due.until - Math.max(at, world.now));
    if (stage.on?.running) return;
    stage.idle = due.why;
    this.#clear();
  }

  /** Does what is due for it now. Returns whether there is more to be done at once. */
  #advance(next: Upcoming): boolean {
    const { stage, world } = this;
    if (next.state === "planned") {
      if (world.mono < next.prepareMono) return false;
      stage.next = { ...next, state: "loading" };
      this.effects.push({ kind: "prepare", id: next.id, turn: next.turn });
      return false;
    }
    if (next.state === "loading") {
      if (world.mono < next.deadlineMono) return false;
      this.#miss(next, "It was not ready in time.");
      return true;
    }
    if (stage.on?.running) return false;
    const turn = this.#begun(next.turn);
    // Its time has passed meanwhile, or it cannot be shown any more.
    if (!turn || world.pass(turn.slot, world.now)) {
      this.#dropNext();
      return true;
    }
    this.#show(next.id, turn);
    return true;
  }

  #show(id: number, turn: Turn): void {
    const { stage, world } = this;
    const { [turn.item.sha256]: _, ...barred } = stage.barred;
    Object.assign(stage, { next: null, last: turn, rejoin: false, barred, skewMs: world.now - world.mono });
    stage.on = { id, turn, endsMono: world.mono + shownMs(turn, world.now), running: true };
    this.effects.push({ kind: "show", id, turn });
  }

  /** A turn as it begins now; null where its segment has ended, or where too little of it is left. */
  #begun(turn: Turn): Turn | null {
    const { now } = this.world;
    if (now >= turn.borderAt) return null;
    if (turn.offsetMs > 0) {
      if (turn.endsAt - now < SHORTEST_SHOWN_MS) return null;
      return retimed(turn, { startsAt: now, offsetMs: Math.max(0, turn.offsetMs + now - turn.startsAt) });
    }
    return Math.abs(now - turn.startsAt) <= IN_STEP_MS ? turn : retimed(turn, { startsAt: now });
  }

  /** Nobody sees it, or there is no plan: nothing plays. */
  #darken(why: "no-plan" | "hidden"): void {
    if (this.stage.on?.running) this.#end({ kind: "interrupt", why });
    this.#dropNext();
    this.#clear();
    this.stage.last = null;
    if (why === "no-plan") this.stage.idle = why;
    this.stage.idleUntilMono = this.world.mono;
  }

  #end(how: EndOfPlay): void {
    const { on } = this.stage;
    if (!on) return;
    this.stage.on = { ...on, running: false };
    // What had waited for its end is asked for now.
    this.stage.idleUntilMono = this.world.mono;
    this.effects.push({ kind: "end", id: on.id, how });
  }

  #miss({ turn }: Upcoming, error: string): void {
    this.#bar(turn);
    this.#dropNext();
    this.stage.idleUntilMono = this.world.mono;
    this.effects.push({ kind: "miss", turn, error });
  }

  #bar({ item }: Turn): void {
    const times = (this.stage.barred[item.sha256]?.times ?? 0) + 1;
    const untilMono = this.world.mono + Math.min(BAR_LONGEST_MS, BAR_FIRST_MS * 2 ** (times - 1));
    this.stage.barred = { ...this.stage.barred, [item.sha256]: { times, untilMono } };
  }

  #isBarred(sha256: string | undefined): boolean {
    const bar = sha256 === undefined ? undefined : this.stage.barred[sha256];
    return bar !== undefined && this.world.mono < bar.untilMono;
  }

  #dropNext(): void {
    const { next } = this.stage;
    if (!next) return;
    if (next.state !== "planned") this.effects.push({ kind: "drop", id: next.id });
    this.stage.next = null;
  }

  #clear(): void {
    if (this.stage.on) this.effects.push({ kind: "clear" });
    this.stage.on = null;
  }
}

/** How long a turn that begins now is to be shown, ms: to its end by the plan, as far as that neither hurries nor drags it. */
function shownMs(turn: Turn, now: number): number {
  const left = turn.endsAt - now;
  if (turn.offsetMs > 0 || turn.cut) return left;
  const bounded = Math.min(turn.lengthMs * (1 + STEP_SHARE), Math.max(turn.lengthMs * (1 - STEP_SHARE), left));
  return Math.min(bounded, turn.borderAt - now);
}

/** A video whose length nobody knew plays to its end. */
function ofLength(turn: Turn, lengthMs: number | null): Turn {
  return turn.terms.duration_ms === null && lengthMs !== null ? retimed(turn, { lengthMs }) : turn;
}
