import type { Chance } from "./decisions.ts";
import type { Fault } from "./faults.ts";

/** A spell of trouble: from the screen's play `from` on, for `plays` plays. Those of one screen never overlap. */
export type Spell = { from: number; plays: number } & (
  | { kind: "offline" }
  /** The player is ended in good order and started again, before the play. */
  | { kind: "restart" }
  /** The power goes when `share` of the play has been shown, of which the player knew `seen`; and comes back. */
  | { kind: "power loss"; share: number; seen: number }
  /** The plays are made without a network, and lost with the storage; the key is kept or not. */
  | { kind: "reimaging"; keepsKey: boolean }
  /** The machine's clock is set wrong by `ms`, and right again at the spell's end. */
  | { kind: "clock jump"; ms: number }
);
type Kind = Spell["kind"];

const KINDS: [kind: Kind, fault: Fault, weight: number][] = [
  ["offline", "offline", 40],
  ["restart", "restarts", 10],
  ["power loss", "restarts", 25],
  ["reimaging", "reimaging", 10],
  ["clock jump", "clocks", 15],
];
const YEAR_MS = 365 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const JUMPS_MS = [-YEAR_MS, -3 * HOUR_MS, 2 * HOUR_MS, YEAR_MS] as const;
const OFFLINE_PLAYS = [3, 120] as const;
const LOST_PLAYS = [1, 15] as const;
const JUMP_PLAYS = [3, 30] as const;

/** The spells of the screen with this number, one behind the other, without end where there are any. */
export function* spellsOf({ chances, draws, faults }: Chance, screen: number): Generator<Spell, void> {
  const weights = KINDS.filter(([, fault]) => faults.has(fault)).map(([kind, , weight]) => [kind, weight] as const);
  let from = 0;
  for (let number = 0; ; number++) {
    const at = ["spell", screen, number] as const;
    const kind = draws.weighted(weights, ...at, "kind");
    if (kind === null) return;
    from += draws.between(...chances.playsBetweenSpells, ...at, "gap");
    const spell = spellOf(kind, from, (least, most, what) => draws.between(least, most, ...at, what));
    yield spell;
    from += spell.plays;
  }
}

function spellOf(kind: Kind, from: number, between: (least: number, most: number, what: string) => number): Spell {
  switch (kind) {
    case "offline":
      return { kind, from, plays: between(...OFFLINE_PLAYS, "plays") };
    case "restart":
      return { kind, from, plays: 1 };
    case "power loss": {
      const seen = between(0, 90, "seen");
      return { kind, from, plays: 1, seen: seen / 100, share: between(seen, 95, "share") / 100 };
    }
    case "reimaging":
      return { kind, from, plays: between(...LOST_PLAYS, "plays"), keepsKey: between(0, 1, "key") === 1 };
    case "clock jump":
      return { kind, from, plays: between(...JUMP_PLAYS, "plays"), ms: JUMPS_MS[between(0, JUMPS_MS.length - 1, "jump")] ?? 0 };
  }
}
