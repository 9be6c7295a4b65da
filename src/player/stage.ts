import type { Plan } from "../plans/plan.ts";
import type { Due, Pass, Turn } from "./turns.ts";

/** What is on the screen. It stays there behind its end until another one takes its place. */
export interface OnScreen {
  id: number;
  turn: Turn;
  endsMono: number;
  /** Whether its play goes on; false: only its picture is left. */
  running: boolean;
}

/** What is made ready behind the screen. */
export interface Upcoming {
  id: number;
  turn: Turn;
  state: "planned" | "loading" | "ready";
  /** When to begin making it ready. */
  prepareMono: number;
  /** When it is given up. */
  deadlineMono: number;
}

/** What a screen shows and makes ready. Plain data; `…Mono` are ms by the monotonic clock. */
export interface Stage {
  plan: Plan | null;
  /** Whether anybody can see the page. A play that nobody could see is none. */
  visible: boolean;
  on: OnScreen | null;
  next: Upcoming | null;
  /** The last turn that was on the screen: loops go on behind it, a pause in between or not. Null: the loop is joined by the clock. */
  last: Turn | null;
  /** When to ask again, where nothing is due. */
  idleUntilMono: number;
  /** Why nothing is due; null where something is. */
  idle: (Due & { kind: "nothing" })["why"] | "no-plan" | null;
  /** Whether the next turn is by the clock, not by the one before it: the clock was set. */
  rejoin: boolean;
  lastId: number;
  /** The server's time minus the monotonic one, as of the last step; null before the first. */
  skewMs: number | null;
  /** Items that could not be shown, by their hash: how often in a row, and until when they are passed over. */
  barred: Readonly<Record<string, { times: number; untilMono: number }>>;
}

/** What the stage is told of. `id` is that of the effect `prepare`. */
export type StageEvent =
  | { kind: "tick" }
  | { kind: "plan"; plan: Plan | null }
  /** `lengthMs`: how long its file is, where that is known. */
  | { kind: "ready"; id: number; lengthMs: number | null }
  /** It could not be made ready. */
  | { kind: "failed"; id: number; error: string }
  /** It broke while it was on the screen. */
  | { kind: "broke"; id: number; error: string }
  | { kind: "visible"; visible: boolean };

/** How a play ended. */
export type EndOfPlay =
  | { kind: "finish" }
  /** Before its end: `why` says what took the screen. */
  | { kind: "interrupt"; why: "cut" | "takeover" | "clock" | "hidden" | "no-plan" }
  | { kind: "fail"; error: string };

/** What is to be done, in this order. */
export type StageEffect =
  | { kind: "prepare"; id: number; turn: Turn }
  /** It will not be shown. */
  | { kind: "drop"; id: number }
  /** Puts it on the screen in place of what is there; `turn` has its times as they are now. */
  | { kind: "show"; id: number; turn: Turn }
  | { kind: "end"; id: number; how: EndOfPlay }
  /** It was due and could not be shown. */
  | { kind: "miss"; turn: Turn; error: string }
  /** Nothing is to be seen. */
  | { kind: "clear" }
  /** When to send a tick at the latest. */
  | { kind: "wake"; inMs: number };

/** The outside at one instant: the server's time and the monotonic one, ms, and what cannot be shown. */
export interface World {
  now: number;
  mono: number;
  pass: Pass;
}

/** A screen that shows nothing yet. */
export const EMPTY_STAGE: Stage = {
  plan: null,
  visible: true,
  on: null,
  next: null,
  last: null,
  idleUntilMono: 0,
  idle: "no-plan",
  rejoin: false,
  lastId: 0,
  skewMs: null,
  barred: {},
};
