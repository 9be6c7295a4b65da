import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plans/plan.ts";
import { EMPTY_STAGE, type Stage, type StageEffect, type StageEvent } from "../../src/player/stage.ts";
import { step } from "../../src/player/step.ts";
import { HOUR_MS, item, planOf, SHA, segment, slot, T0 } from "../sdk/plan-fixture.ts";

/** A screen whose time moves only when it is told to. What it does is written down with its second. */
class Screen {
  stage: Stage = EMPTY_STAGE;
  mono = 0;
  /** Server's time minus the monotonic one. */
  skewMs = T0;
  readonly seen: string[] = [];
  passed = new Set<string>();
  /** How long items take to be ready, ms, by item; "never": they do not become ready. */
  slow: Record<string, number | "never"> = {};
  #wakeMono = 0;
  #pending: { at: number; event: StageEvent }[] = [];

  constructor(plan: Plan | null = planOf()) {
    this.tell({ kind: "plan", plan });
  }

  tell(event: StageEvent): void {
    const pass = ({ slot_id }: { slot_id: string }) => this.passed.has(slot_id);
    const { stage, effects } = step(this.stage, event, { now: this.mono + this.skewMs, mono: this.mono, pass });
    this.stage = stage;
    for (const effect of effects) this.#do(effect);
  }

  /** Lets time pass, tick by tick as the stage asks for it. */
  run(seconds: number): this {
    const end = this.mono + seconds * 1000;
    for (;;) {
      const next = this.#pending.reduce((least, { at }) => Math.min(least, at), this.#wakeMono);
      if (next > end) break;
      this.mono = Math.max(this.mono, next);
      const arrived = this.#pending.find(({ at }) => at <= this.mono);
      this.#pending = this.#pending.filter((one) => one !== arrived);
      this.tell(arrived?.event ?? { kind: "tick" });
    }
    this.mono = end;
    return this;
  }

  /** What was seen since the last call. */
  news(): string[] {
    return this.seen.splice(0);
  }

  #do(effect: StageEffect): void {
    if (effect.kind === "wake") {
      // A stage that asks to be woken without end would hang its page.
      this.#wakeMono = this.mono + Math.max(1, effect.inMs);
      return;
    }
    if (effect.kind === "prepare") {
      const takes = this.slow[effect.turn.slot.item] ?? 100;
      const lengthMs = effect.turn.item.type === "video" ? 7000 : null;
      if (takes !== "never") this.#pending.push({ at: this.mono + takes, event: { kind: "ready", id: effect.id, lengthMs } });
      return;
    }
    this.seen.push(`${this.mono / 1000} ${wordsOf(effect)}`);
  }
}

function wordsOf(effect: StageEffect): string {
  switch (effect.kind) {
    case "show":
      return `show ${effect.turn.slot.slot_id}${effect.turn.offsetMs > 0 ? ` from ${effect.turn.offsetMs / 1000}` : ""}`;
    case "end":
      return effect.how.kind === "interrupt" ? `interrupt: ${effect.how.why}` : effect.how.kind;
    case "miss":
      return `miss ${effect.turn.slot.slot_id}: ${effect.error}`;
    default:
      return effect.kind;
  }
}

describe("a stage", () => {
  test("shows turn by turn, in step with the plan, the next one ready before the last one ends", () => {
    expect(new Screen().run(45).seen).toEqual([
      "0.1 show k-0",
      "10 finish",
      "10 show k-1",
      "30 finish",
      "30 show k-2",
      "35 finish",
      "35 show k-0",
      "45 finish",
      "45 show k-1",
    ]);
  });

  test("leaves the picture where it is until a slow one is ready, and goes on in step", () => {
    const screen = new Screen();
    screen.slow = { b: 10_800 };
    expect(screen.run(50).seen).toEqual([
      "0.1 show k-0",
      "10 finish",
      // 900 ms late: no black, and a twentieth of its length is left away.
      "10.9 show k-1",
      "30 finish",
      "30 show k-2",
      "35 finish",
      "35 show k-0",
      "45 finish",
      "45.8 show k-1",
    ]);
  });

  test("gives up what does not become ready, tells of it once, and passes it over for a while", () => {
    const screen = new Screen();
    screen.slow = { b: "never" };
    expect(screen.run(60).seen).toEqual([
      "0.1 show k-0",
      "10 finish",
      "20.1 drop",
      "20.1 miss k-1: It was not ready in time.",
      // b is in k-1 and k-2.
      "20.2 show k-0",
      "30.1 finish",
      "30.1 show k-0",
      "40.1 finish",
      "50.1 drop",
      "50.1 miss k-1: It was not ready in time.",
      "50.2 show k-0",
    ]);
  });

  test("passes over an item longer each time that it fails", () => {
    const screen = new Screen(planOf({ segments: [segment(0, 96, [slot("k", 0, "a"), slot("k", 1, "b")])] }));
    const times: number[] = [];
    const shown = () => {
      for (const line of screen.news()) if (line.includes("miss")) times.push(Math.round(Number.parseFloat(line)));
      return screen.stage.next;
    };
    for (let second = 0; second < 400; second++) {
      screen.run(1);
      const next = shown();
      if (next?.turn.slot.slot_id === "k-1") screen.tell({ kind: "failed", id: next.id, error: "broken" });
    }
    shown();
    const pauses = times.map((time, index) => time - (times[index - 1] ?? 0)).slice(1);
    expect(pauses.every((pause, index) => index === 0 || pause >= (pauses[index - 1] ?? 0))).toBe(true);
    expect(pauses.at(-1)).toBeGreaterThan(100);
  });

  test("goes on at once where what it shows breaks, and counts that as a failed play", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.tell({ kind: "broke", id: screen.stage.on?.id ?? 0, error: "decoder" });
    expect(screen.run(6).news()).toEqual(["12 fail", "12 drop", "12.1 show k-0"]);
  });

  test("plays a video of unknown length to its end", () => {
    const plan = planOf({ segments: [segment(0, 96, [slot("m", 0, "c"), slot("m", 1, "a")])] });
    expect(new Screen(plan).run(20).seen).toEqual(["0.1 show m-0", "7 finish", "7 show m-1", "17 finish", "17 show m-0"]);
  });

  test("says that a play which its daypart's border cuts was interrupted", () => {
    const plan = planOf({ segments: [segment(0, 0.004, [slot("k", 0, "b")]), segment(0.004, 96, [slot("m", 0, "a")])] });
    expect(new Screen(plan).run(15).seen).toEqual(["0.1 show k-0", "14.4 interrupt: cut", "14.4 show m-0"]);
  });

  test("shows nothing where nothing is due, and begins when something is", () => {
    const plan = planOf({
      segments: [segment(0, 0.005, [slot("k", 0, "a")]), segment(0.005, 0.01, []), segment(0.01, 96, [slot("m", 0, "a")])],
    });
    const screen = new Screen(plan);
    expect(screen.run(20).seen).toEqual(["0.1 show k-0", "10 finish", "10 show k-0", "18 interrupt: cut", "18 clear"]);
    expect(screen.stage.idle).toBe("empty");
    screen.news();
    expect(screen.run(26).news()).toEqual(["36.1 show m-0", "46 finish", "46 show m-0"]);
  });

  test("shows what comes within seconds where nothing was here", () => {
    const screen = new Screen(null);
    screen.passed = new Set(["k-0", "k-1", "k-2"]);
    screen.tell({ kind: "plan", plan: planOf() });
    screen.run(6);
    expect([screen.seen, screen.stage.idle]).toEqual([[], "passed"]);
    screen.passed.clear();
    expect(screen.run(5).seen).toEqual(["10.1 show k-1"]);
  });

  test("does not show what cannot be shown any more by the time it would begin", () => {
    const screen = new Screen().run(5);
    screen.news();
    screen.passed.add("k-1");
    expect(screen.run(8).news()).toEqual(["10 finish", "10 drop", "10.1 show k-2"]);
  });
});

describe("a new plan", () => {
  const other = (changes: Partial<Plan> = {}) =>
    planOf({ etag: "plan-2", segments: [segment(0, 96, [slot("n", 0, "a"), slot("n", 1, "b")])], ...changes });

  test("begins when what is shown has ended, where its loop then stands by the clock", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.tell({ kind: "plan", plan: other() });
    expect(screen.run(30).news()).toEqual(["12 drop", "30 finish", "30 show n-0", "40 finish", "40 show n-1"]);
  });

  test("with the same loop in the same place changes nothing", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.tell({ kind: "plan", plan: planOf({ etag: "plan-2" }) });
    expect(screen.run(20).news()).toEqual(["12 drop", "30 finish", "30 show k-2"]);
  });

  test("with a takeover takes the screen at once, and so does one without it afterwards", () => {
    const screen = new Screen().run(12);
    screen.news();
    const at = 11 / 3600;
    const taken = other({
      segments: [
        segment(0, at, [slot("k", 0, "a")]),
        segment(at, 96, [slot("t", 0, "a", { playlist_id: null })], { takeover_id: "alarm" }),
      ],
    });
    screen.tell({ kind: "plan", plan: taken });
    expect(screen.run(4).news()).toEqual(["12 drop", "12 interrupt: takeover", "12.1 show t-0 from 1.1"]);
    screen.tell({ kind: "plan", plan: planOf() });
    expect(screen.run(4).news()).toEqual(["16 drop", "16 interrupt: takeover", "16.1 show k-1 from 6.1"]);
  });

  test("that is none takes everything off the screen", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.tell({ kind: "plan", plan: null });
    expect(screen.run(60).news()).toEqual(["12 drop", "12 interrupt: no-plan", "12 clear"]);
    expect(screen.stage.idle).toBe("no-plan");
  });
});

describe("a clock that is set", () => {
  test("by less than two seconds is come up to bit by bit, and no play loses more than a twentieth", () => {
    const screen = new Screen(planOf({ segments: [segment(0, 96, [slot("k", 0, "a")])] })).run(5);
    screen.skewMs += 1200;
    expect(screen.run(40).seen).toEqual([
      "0.1 show k-0",
      // Timed by the monotonic clock, whatever the other one says.
      "10 finish",
      "10 show k-0",
      "19.5 finish",
      "19.5 show k-0",
      "29 finish",
      "29 show k-0",
      "38.8 finish",
      "38.8 show k-0",
    ]);
  });

  test("by more lets the play end, and goes on where the loop stands then", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.skewMs += 60_000;
    screen.tell({ kind: "tick" });
    // 90 s behind the beginning: two rounds and 20 s.
    expect(screen.run(20).news()).toEqual(["12 drop", "30 finish", "30 show k-1 from 10"]);
  });

  test("into another daypart ends the play", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.skewMs += 8 * HOUR_MS;
    screen.tell({ kind: "tick" });
    expect(screen.run(5).news()).toEqual(["12 drop", "12 interrupt: clock", "12 clear"]);
    screen.skewMs -= 8 * HOUR_MS;
    screen.tell({ kind: "tick" });
    expect(screen.run(5).news()).toEqual(["17.1 show k-1 from 7.1"]);
  });

  test("back by a year, where the plan does not say, shows nothing until it is set right", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.skewMs -= 365 * 24 * HOUR_MS;
    screen.tell({ kind: "tick" });
    expect(screen.run(5).news()).toEqual(["12 drop", "12 interrupt: clock", "12 clear"]);
    expect(screen.stage.idle).toBe("before");
  });
});

describe("a page that nobody sees", () => {
  test("plays nothing, and comes in by the clock when it is seen again", () => {
    const screen = new Screen().run(12);
    screen.news();
    screen.tell({ kind: "visible", visible: false });
    expect(screen.run(3600).news()).toEqual(["12 interrupt: hidden", "12 drop", "12 clear"]);
    screen.tell({ kind: "visible", visible: true });
    // 3612 s are 103 rounds and 7 s.
    expect(screen.run(2).news()).toEqual(["3612.1 show k-0 from 7.1"]);
  });
});

test("a page on the web is loaded shortly before it is shown, a picture as soon as can be", () => {
  const items = { a: item(SHA.a), b: item(SHA.b, { type: "web", duration_ms: 20_000 }) };
  const screen = new Screen(planOf({ items, segments: [segment(0, 96, [slot("k", 0, "a"), slot("k", 1, "b")])] })).run(4.9);
  expect(screen.stage.next).toMatchObject({ state: "planned", prepareMono: 5000 });
  screen.run(5.2);
  expect(screen.stage.on?.turn.slot.slot_id).toBe("k-1");
  expect(screen.stage.next).toMatchObject({ state: "ready" });
});
