import { Stop } from "../tools.ts";

/** What may go wrong with a simulated screen. */
export const FAULTS = {
  offline: "the network is gone for a while",
  "lost-answers": "a request never arrives, or its answer is lost",
  duplicates: "the network delivers a request twice; the player sends a log again that was answered",
  reordering: "a request arrives late, behind those that were sent after it",
  clocks: "clocks are minutes off, or run too fast or slow, or jump",
  restarts: "the player is restarted, or the power goes in the middle of a play",
  reimaging: "the player loses its storage, with or without its key, and is paired anew or begins a new epoch",
  forgery: "logs are signed by another key, altered after they were signed, or another device's",
  "slow-network": "answers take seconds",
  "foreign-answers": "something in the way answers in place of the server: a portal's page, a proxy's error, a wish to wait",
} as const;
export type Fault = keyof typeof FAULTS;

/**
 * The faults that `--faults` names: `all`, `none`, or names with commas between.
 * @throws Stop for a name that there is not.
 */
export function parseFaults(text: string): ReadonlySet<Fault> {
  const all = Object.keys(FAULTS) as Fault[];
  if (text === "all") return new Set(all);
  if (text === "none") return new Set();
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !Object.hasOwn(FAULTS, name));
  if (unknown !== undefined) throw new Stop(`--faults is all, none, or some of ${all.join(", ")}; there is no "${unknown}".`);
  return new Set(names as Fault[]);
}

/** How often things go wrong where they may. Shares of all plays or requests, unless it says otherwise. */
export interface Chances {
  /** A request never reaches the server. */
  requestLost: number;
  /** The server answers, and the answer is lost. */
  answerLost: number;
  /** A request is delivered twice. */
  requestDoubled: number;
  /** A request is held back, and delivered when others have overtaken it. */
  requestLate: number;
  requestSlow: number;
  foreignAnswer: number;
  /** A log that was sent is sent once more. */
  playRepeated: number;
  playForged: number;
  /** How many plays lie between two spells of trouble, at least and at most. */
  playsBetweenSpells: readonly [least: number, most: number];
  /** The share of screens with a clock that is wrong. */
  wrongClock: number;
}

/** How often in `bun run simulate`: within minutes, each screen meets most of them. */
export const HARSH: Chances = {
  ...{ requestLost: 0.04, answerLost: 0.05, requestDoubled: 0.03, requestLate: 0.02, requestSlow: 0.1, foreignAnswer: 0.02 },
  ...{ playRepeated: 0.02, playForged: 0.02, playsBetweenSpells: [30, 200], wrongClock: 0.4 },
};

/** How often in the demo, where people look on: what happens to every network. */
export const MILD: Chances = {
  ...{ requestLost: 0.02, answerLost: 0.03, requestDoubled: 0.005, requestLate: 0.005, requestSlow: 0.02, foreignAnswer: 0.005 },
  ...{ playRepeated: 0.02, playForged: 0, playsBetweenSpells: [300, 900], wrongClock: 0 },
};
