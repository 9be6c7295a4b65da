import { expect, test } from "vitest";
import type { Plan } from "../../src/plans/plan.ts";
import { EMPTY_STAGE, type Stage, type StageEffect, type StageEvent } from "../../src/player/stage.ts";
import { step } from "../../src/player/step.ts";
import { HOUR_MS, planOf, segment, slot, T0 } from "../sdk/plan-fixture.ts";
import fc from "../support/property.ts";

// Whatever happens to a screen, in whichever order: its effects fit together, and it comes to rest.

const PLANS: Plan[] = [
  planOf(),
  planOf({ etag: "plan-2", segments: [segment(0, 96, [slot("n", 0, "a"), slot("n", 1, "b"), slot("n", 2, "c")])] }),
  planOf({
    etag: "plan-3",
    segments: [segment(0, 0.01, [slot("k", 0, "a")]), segment(0.01, 96, [slot("t", 0, "a")], { takeover_id: "alarm" })],
  }),
  planOf({ etag: "plan-4", segments: [segment(0, 96, [])] }),
];

type Act =
  | { kind: "pass"; seconds: number }
  | { kind: "plan"; index: number | null }
  | { kind: "prepared"; well: boolean }
  | { kind: "break" }
  | { kind: "visible"; visible: boolean }
  | { kind: "clock"; seconds: number }
  | { kind: "missing"; item: string; missing: boolean };

const acts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("pass" as const), seconds: fc.double({ min: 0, max: 60, noNaN: true }) }),
    fc.record({ kind: fc.constant("prepared" as const), well: fc.boolean() }),
    fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(0.1, 1, 5, 10, 20) }),
    fc.record({ kind: fc.constant("prepared" as const), well: fc.constant(true) }),
    fc.record({ kind: fc.constant("plan" as const), index: fc.option(fc.nat(PLANS.length - 1)) }),
    fc.record({ kind: fc.constant("break" as const) }),
    fc.record({ kind: fc.constant("visible" as const), visible: fc.boolean() }),
    fc.record({ kind: fc.constant("clock" as const), seconds: fc.constantFrom(-3600, -3, -1, 0.3, 1, 3, 3600) }),
    fc.record({ kind: fc.constant("missing" as const), item: fc.constantFrom("a", "b", "c"), missing: fc.boolean() }),
  ),
  { maxLength: 60 },
);

/** Checks the effects of a screen as they come, as whoever does them must be able to rely on. */
class Checked {
  stage: Stage = EMPTY_STAGE;
  mono = 0;
  skewMs = T0;
  readonly missing = new Set<string>();
  /** Made ready or on the way, and not shown or dropped. */
  pending: number | null = null;
  running: number | null = null;
  #seen = 0;
  #wakeMono = 0;

  tell(event: StageEvent): void {
    const pass = ({ item }: { item: string }) => this.missing.has(item);
    const { stage, effects } = step(this.stage, event, { now: this.mono + this.skewMs, mono: this.mono, pass });
    this.stage = stage;
    for (const effect of effects) this.#check(effect);
  }

  /** Time passes, with the ticks that the stage asks for: never so many that a page would hang. */
  run(seconds: number): void {
    const end = this.mono + seconds * 1000;
    for (let ticks = 0; this.#wakeMono <= end; ticks++) {
      expect(ticks).toBeLessThan(20 + 2 * seconds);
      this.mono = Math.max(this.mono, this.#wakeMono);
      this.tell({ kind: "tick" });
    }
    this.mono = end;
  }

  #check(effect: StageEffect): void {
    switch (effect.kind) {
      case "prepare":
        expect(this.pending).toBeNull();
        expect(effect.id).toBeGreaterThan(this.#seen);
        this.#seen = effect.id;
        this.pending = effect.id;
        return;
      case "drop":
        expect(this.pending).toBe(effect.id);
        this.pending = null;
        return;
      case "show":
        expect([this.pending, this.running]).toEqual([effect.id, null]);
        expect(effect.turn.endsAt).toBeGreaterThan(this.mono + this.skewMs - 2000);
        this.pending = null;
        this.running = effect.id;
        return;
      case "end":
        expect(this.running).toBe(effect.id);
        this.running = null;
        return;
      case "clear":
        expect(this.running).toBeNull();
        return;
      case "miss":
        return;
      case "wake":
        expect(effect.inMs).toBeGreaterThanOrEqual(0);
        expect(effect.inMs).toBeLessThanOrEqual(30_000);
        this.#wakeMono = this.mono + Math.max(1, effect.inMs);
    }
  }
}

test("every play begins once and ends once, nothing is shown that was not made ready, and the page never spins", () => {
  fc.assert(
    fc.property(acts, (list: Act[]) => {
      const screen = new Checked();
      for (const act of list) {
        if (act.kind === "pass") screen.run(act.seconds);
        else if (act.kind === "plan") screen.tell({ kind: "plan", plan: act.index === null ? null : (PLANS[act.index] ?? null) });
        else if (act.kind === "visible") screen.tell({ kind: "visible", visible: act.visible });
        else if (act.kind === "clock") screen.skewMs += act.seconds * 1000;
        else if (act.kind === "break" && screen.running !== null) screen.tell({ kind: "broke", id: screen.running, error: "broke" });
        else if (act.kind === "missing") screen.missing[act.missing ? "add" : "delete"](act.item);
        else if (act.kind === "prepared" && screen.pending !== null) {
          const id = screen.pending;
          screen.tell(act.well ? { kind: "ready", id, lengthMs: 7000 } : { kind: "failed", id, error: "failed" });
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("with everything here, a screen that is seen shows something again within seconds, whatever it went through", () => {
  fc.assert(
    fc.property(acts, (list: Act[]) => {
      const screen = new Checked();
      for (const act of list) {
        if (act.kind === "pass") screen.run(act.seconds);
        else if (act.kind === "clock") screen.skewMs = T0 + (act.seconds > 0 ? act.seconds * 1000 : HOUR_MS);
        else if (act.kind === "visible") screen.tell({ kind: "visible", visible: act.visible });
        else if (act.kind === "prepared" && screen.pending !== null) screen.tell({ kind: "ready", id: screen.pending, lengthMs: null });
      }
      screen.tell({ kind: "visible", visible: true });
      screen.tell({ kind: "plan", plan: PLANS[1] ?? null });
      for (let seconds = 0; seconds < 30 && screen.running === null; seconds++) {
        screen.run(1);
        if (screen.pending !== null) screen.tell({ kind: "ready", id: screen.pending, lengthMs: null });
      }
      expect(screen.running).not.toBeNull();
    }),
    { numRuns: 200 },
  );
});
