import type { KeyAlgorithm } from "../../sdk/identity.ts";
import type { PlayStatus } from "../../sdk/record.ts";
import type { Draws } from "./draws.ts";
import type { Chances, Fault } from "./faults.ts";

/** Where decisions come from: all of them are functions of this, the screen's number and what is decided. */
export interface Chance {
  draws: Draws;
  faults: ReadonlySet<Fault>;
  chances: Chances;
}

/** What a screen is like from the first to the last day. */
export interface Character {
  algorithm: KeyAlgorithm;
  /** An administrator's code is typed into it, or it shows its own and an administrator approves. */
  pairsBy: "code" | "approval";
  /** Whether it sends by stream where it can. */
  streams: boolean;
  /** How far its clock is ahead when it begins, ms. */
  clockAheadMs: number;
  /** How much faster than the server's its clock runs, in parts in a million. */
  driftPpm: number;
  /** The code with which all of its plays must be refused; null: none. */
  refusedAs: "CLOCK_SKEW" | null;
  /** How often a log of its is forged. */
  forges: number;
  /** How often the network goes after a play, spells apart. */
  losesNetwork: number;
}

const MINUTE_MS = 60_000;
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;
/** Players at one address may ask for 60 codes in ten minutes: few do, and those that are far down the list none. */
const APPROVED_EVERY = 8;
const APPROVED_BELOW = 160;
/**
 * How far clocks are off, with room to the borders at 10 and 30 min for what they drift meanwhile; and under an hour, so that a
 * jump of two hours and more never sets them right.
 */
const CLOCK_ERRORS = {
  slight: [0, 4000],
  minutes: [MINUTE_MS, 8 * MINUTE_MS],
  flagged: [12 * MINUTE_MS, 27 * MINUTE_MS],
  refused: [33 * MINUTE_MS, 55 * MINUTE_MS],
} as const;
const DRIFT_MOST_PPM = 5000;

/** The character of the screen with this number. */
export function characterOf({ chances, draws, faults }: Chance, screen: number): Character {
  const at = ["character", screen] as const;
  const wrong = faults.has("clocks") && draws.happens(chances.wrongClock, ...at, "wrong clock");
  const error = wrong ? (draws.weighted(CLOCK_WEIGHTS, ...at, "clock") ?? "slight") : null;
  const [least, most] = error ? CLOCK_ERRORS[error] : [0, 0];
  const sign = draws.happens(0.5, ...at, "clock ahead") ? 1 : -1;
  return {
    algorithm: ALGORITHMS[screen % ALGORITHMS.length] ?? "RS256",
    pairsBy: screen % APPROVED_EVERY === 1 && screen < APPROVED_BELOW ? "approval" : "code",
    streams: draws.happens(0.5, ...at, "stream"),
    clockAheadMs: error ? sign * draws.between(least, most, ...at, "clock error") : 0,
    driftPpm: wrong ? draws.between(-DRIFT_MOST_PPM, DRIFT_MOST_PPM, ...at, "drift") : 0,
    refusedAs: error === "refused" ? "CLOCK_SKEW" : null,
    forges: faults.has("forgery") ? chances.playForged : 0,
    losesNetwork: 0,
  };
}

const CLOCK_WEIGHTS = [
  ["slight", 30],
  ["minutes", 40],
  ["flagged", 20],
  ["refused", 10],
] as const;

/** How a play ends. `share` of the slot's length is shown; the status is what it must be recorded as. */
export interface Ending {
  call: "finish" | "interrupt" | "skip" | "fail";
  share: number;
  status: PlayStatus;
}

const ENDINGS: [chance: number, ending: Ending][] = [
  [0.03, { call: "skip", share: 0.3, status: "SKIPPED" }],
  [0.02, { call: "interrupt", share: 0.5, status: "INTERRUPTED" }],
  [0.01, { call: "fail", share: 0, status: "ERROR" }],
  // Called complete by its device, and not: under 80 % of what the version lasts.
  [0.02, { call: "finish", share: 0.7, status: "PARTIAL" }],
];
const TO_THE_END: Ending = { call: "finish", share: 1, status: "COMPLETED" };
/** The plan cuts the slot before its item's end. */
export const CUT: Ending = { call: "interrupt", share: 1, status: "INTERRUPTED" };

/** How a play ends for a number drawn in [0, 1). */
export function drawEnding(fraction: number): Ending {
  let below = 0;
  for (const [chance, ending] of ENDINGS) {
    below += chance;
    if (fraction < below) return ending;
  }
  return TO_THE_END;
}

/** What somebody does to a log between its signature and the queue, and the code that it must be refused with. */
export const FORGERIES = {
  "signed by another key": "INVALID_SIGNATURE",
  "made longer": "CHECKSUM_MISMATCH",
  "made longer, and summed anew": "INVALID_SIGNATURE",
  "another device's": "DEVICE_MISMATCH",
} as const;
export type Forgery = keyof typeof FORGERIES;

/** What becomes of one play. */
export interface PlayFate {
  ending: Ending;
  forgery: Forgery | null;
  /** The log is sent once more, when it was answered. */
  repeated: boolean;
  /** The network goes behind it, for so many plays; 0: it stays. */
  offlinePlays: number;
}

const OFFLINE_PLAYS_MOST = 20;

/** What becomes of the screen's play with this number, from 0. */
export function fateOfPlay({ chances, draws, faults }: Chance, character: Character, screen: number, play: number): PlayFate {
  const at = ["play", screen, play] as const;
  const forged = draws.happens(character.forges, ...at, "forged");
  const names = Object.keys(FORGERIES) as Forgery[];
  const offline = draws.happens(character.losesNetwork, ...at, "offline");
  return {
    ending: drawEnding(draws.fraction(...at, "ending")),
    forgery: forged ? (names[draws.between(0, names.length - 1, ...at, "forgery")] ?? null) : null,
    repeated: !forged && faults.has("duplicates") && draws.happens(chances.playRepeated, ...at, "repeated"),
    offlinePlays: offline ? draws.between(1, OFFLINE_PLAYS_MOST, ...at, "offline plays") : 0,
  };
}

/** What the network does with one request. */
export interface RequestFate {
  lost: "request" | "answer" | null;
  doubled: boolean;
  /** It is delivered this much later, and nobody waits for its answer; 0: at once. Ms. */
  lateMs: number;
  /** How much later its answer comes, ms. */
  slowMs: number;
  /** What answers in place of the server; null: the server. */
  foreign: ForeignAnswer | null;
}
export const FOREIGN_ANSWERS = ["portal", "bad gateway", "forbidden", "busy"] as const;
export type ForeignAnswer = (typeof FOREIGN_ANSWERS)[number];

export const UNDISTURBED: RequestFate = { lost: null, doubled: false, lateMs: 0, slowMs: 0, foreign: null };
/** Under the 5 s that an offset of a clock is taken as none: a request that is late looks like a clock that is behind. */
const LATE_MS = [500, 4000] as const;
const SLOW_MS = [300, 4000] as const;

/** What becomes of the screen's request of a kind (`plays`, `heartbeat`, …) with this number, from 0. */
export function fateOfRequest({ chances, draws, faults }: Chance, screen: number, kind: string, request: number): RequestFate {
  const at = ["request", screen, kind, request] as const;
  const happens = (fault: Fault, chance: number, what: string) => faults.has(fault) && draws.happens(chance, ...at, what);
  const slowMs = happens("slow-network", chances.requestSlow, "slow") ? draws.between(...SLOW_MS, ...at, "slow ms") : 0;
  const only = (fate: Partial<RequestFate>): RequestFate => ({ ...UNDISTURBED, slowMs, ...fate });
  if (happens("lost-answers", chances.requestLost, "request lost")) return only({ lost: "request" });
  if (happens("foreign-answers", chances.foreignAnswer, "foreign"))
    return only({ foreign: FOREIGN_ANSWERS[draws.between(0, FOREIGN_ANSWERS.length - 1, ...at, "by whom")] ?? null });
  if (happens("reordering", chances.requestLate, "late")) return only({ lateMs: draws.between(...LATE_MS, ...at, "late ms") });
  return only({
    doubled: happens("duplicates", chances.requestDoubled, "doubled"),
    lost: happens("lost-answers", chances.answerLost, "answer lost") ? "answer" : null,
  });
}
