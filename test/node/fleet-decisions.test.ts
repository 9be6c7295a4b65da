import { describe, expect, test } from "bun:test";
import { type Chance, characterOf, drawEnding, fateOfPlay, fateOfRequest, UNDISTURBED } from "../../src/cli/fleet/decisions.ts";
import { Draws } from "../../src/cli/fleet/draws.ts";
import { type Chances, FAULTS, type Fault, HARSH, MILD, parseFaults } from "../../src/cli/fleet/faults.ts";
import { type Spell, spellsOf } from "../../src/cli/fleet/spells.ts";

const ALL = parseFaults("all");
const chanceOf = (seed: number, faults: ReadonlySet<Fault> = ALL, chances: Chances = HARSH): Chance => ({
  draws: new Draws(seed),
  faults,
  chances,
});
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

describe("draws", () => {
  test("have the same number for the same seed and name, and others for others", () => {
    const draws = new Draws(7);
    expect(draws.fraction("play", 3, 812)).toBe(0.7227898309353085);
    expect(new Draws(7).fraction("play", 3, 812)).toBe(0.7227898309353085);
    expect(new Set([draws.fraction("play", 3, 813), draws.fraction("play", 38, 12), new Draws(8).fraction("play", 3, 812)]).size).toBe(3);
  });

  test("are spread evenly", () => {
    const draws = new Draws(1);
    const tenths = numbers(10).map(() => 0);
    for (const n of numbers(20_000))
      tenths[Math.floor(draws.fraction("n", n) * 10)] = (tenths[Math.floor(draws.fraction("n", n) * 10)] ?? 0) + 1;
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
    const dice = numbers(6000).map((n) => draws.between(1, 6, "die", n));
    expect([...new Set(dice)].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("make UUIDs of version 8", () => {
    const draws = new Draws(7);
    expect(draws.uuid("log", 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(draws.uuid("log", 1)).toBe(new Draws(7).uuid("log", 1));
    expect(new Set(numbers(10_000).map((n) => draws.uuid("log", n))).size).toBe(10_000);
  });
});

describe("decisions", () => {
  const chance = chanceOf(7);
  const sound = characterOf(chanceOf(7, new Set()), 0);

  test("do not depend on the order in which they are asked for", () => {
    const fates = (order: number[]) =>
      new Map(order.map((play) => [play, JSON.stringify(fateOfPlay(chance, characterOf(chance, 5), 5, play))]));
    const forth = fates(numbers(300));
    const back = fates(numbers(300).reverse());
    for (const play of numbers(300)) expect(back.get(play)).toBe(forth.get(play) ?? "");
    expect(new Set(forth.values()).size).toBeGreaterThan(5);
  });

  test("without faults nothing is forged, repeated or disturbed, and clocks are right; plays still end in all ways", () => {
    const none = chanceOf(7, new Set());
    for (const screen of numbers(50)) {
      expect(characterOf(none, screen)).toMatchObject({ clockAheadMs: 0, driftPpm: 0, refusedAs: null, forges: 0, losesNetwork: 0 });
      expect(fateOfRequest(none, screen, "plays", 1)).toEqual(UNDISTURBED);
    }
    const fates = numbers(2000).map((play) => fateOfPlay(none, sound, 0, play));
    expect(fates.some(({ forgery, offlinePlays, repeated }) => forgery !== null || repeated || offlinePlays > 0)).toBe(false);
    expect([...new Set(fates.map(({ ending }) => ending.status))].sort()).toEqual([
      "COMPLETED",
      "ERROR",
      "INTERRUPTED",
      "PARTIAL",
      "SKIPPED",
    ]);
  });

  test("a screen's clock is right, slightly or badly wrong, and only one that is over 30 min off is refused", () => {
    const characters = numbers(400).map((screen) => characterOf(chance, screen));
    const wrong = characters.filter(({ clockAheadMs }) => clockAheadMs !== 0);
    expect(Math.abs(wrong.length - 160)).toBeLessThan(40);
    for (const { clockAheadMs, refusedAs } of characters) expect(refusedAs).toBe(Math.abs(clockAheadMs) > 1_800_000 ? "CLOCK_SKEW" : null);
    expect(characters.some(({ clockAheadMs }) => clockAheadMs < -60_000)).toBe(true);
    expect(characters.some(({ driftPpm }) => driftPpm < -1000)).toBe(true);
    // Players at one address may ask for 60 codes of their own in ten minutes.
    expect(characters.filter(({ pairsBy }) => pairsBy === "approval").length).toBe(20);
    expect([...new Set(characters.map(({ algorithm }) => algorithm))].sort()).toEqual(["ES256", "EdDSA", "PS256", "RS256"]);
  });

  test("forged logs are no more than there should be, of all kinds, and never repeated", () => {
    const fates = numbers(5000).map((play) => fateOfPlay(chance, { ...sound, forges: 0.02 }, 0, play));
    const forged = fates.filter(({ forgery }) => forgery !== null);
    expect(Math.abs(forged.length - 100)).toBeLessThan(40);
    expect(new Set(forged.map(({ forgery }) => forgery)).size).toBe(4);
    expect(forged.some(({ repeated }) => repeated)).toBe(false);
    expect(fates.filter(({ repeated }) => repeated).length).toBeGreaterThan(50);
  });

  test("each fault of the network happens where it may, as often as it should, and one kind of request does not decide another's", () => {
    const count = (faults: string, of: (fate: ReturnType<typeof fateOfRequest>) => boolean) =>
      numbers(5000).filter((n) => of(fateOfRequest(chanceOf(3, parseFaults(faults)), 1, "plays", n))).length / 5000;
    expect(count("lost-answers", ({ lost }) => lost === "request")).toBeCloseTo(HARSH.requestLost, 1);
    expect(count("lost-answers", ({ lost }) => lost === "answer")).toBeGreaterThan(0.03);
    expect(count("duplicates", ({ doubled }) => doubled)).toBeGreaterThan(0.02);
    expect(count("reordering", ({ lateMs }) => lateMs > 0)).toBeGreaterThan(0.01);
    expect(count("slow-network", ({ slowMs }) => slowMs > 0)).toBeGreaterThan(0.08);
    expect(count("foreign-answers", ({ foreign }) => foreign !== null)).toBeGreaterThan(0.01);
    expect(count("lost-answers", ({ doubled, foreign, lateMs, slowMs }) => doubled || foreign !== null || lateMs + slowMs > 0)).toBe(0);
    const plays = numbers(200).map((n) => JSON.stringify(fateOfRequest(chance, 1, "plays", n)));
    const beats = numbers(200).map((n) => JSON.stringify(fateOfRequest(chance, 1, "heartbeat", n)));
    expect(plays).not.toEqual(beats);
  });

  test("most plays end as they should; one that is cut short is partial, whatever its screen says", () => {
    expect(drawEnding(0.029)).toMatchObject({ call: "skip", status: "SKIPPED" });
    expect(drawEnding(0.07)).toMatchObject({ call: "finish", status: "PARTIAL", share: 0.7 });
    expect(drawEnding(0.09)).toMatchObject({ call: "finish", status: "COMPLETED", share: 1 });
  });
});

describe("spells", () => {
  const first = (count: number, chance: Chance, screen = 0) => {
    const found: Spell[] = [];
    for (const spell of spellsOf(chance, screen)) {
      found.push(spell);
      if (found.length === count) break;
    }
    return found;
  };

  test("of one screen never overlap, and there are all kinds", () => {
    const spells = first(300, chanceOf(7));
    for (const [index, spell] of spells.slice(1).entries()) {
      const before = spells[index];
      expect(spell.from).toBeGreaterThanOrEqual((before?.from ?? 0) + (before?.plays ?? 0) + HARSH.playsBetweenSpells[0]);
    }
    expect([...new Set(spells.map(({ kind }) => kind))].sort()).toEqual(["clock jump", "offline", "power loss", "reimaging", "restart"]);
    expect(first(300, chanceOf(7))).toEqual(spells);
    expect(first(300, chanceOf(7), 1)).not.toEqual(spells);
  });

  test("are of the kinds that are asked for; without any there are none", () => {
    expect(new Set(first(50, chanceOf(7, parseFaults("restarts"))).map(({ kind }) => kind))).toEqual(
      new Set(["restart", "power loss"] as const),
    );
    expect(first(50, chanceOf(7, parseFaults("lost-answers,forgery")))).toEqual([]);
  });

  test("of a loss of power: what the player knew is never more than what was shown", () => {
    for (const spell of first(300, chanceOf(7, parseFaults("restarts"))))
      if (spell.kind === "power loss") expect([spell.seen >= 0, spell.seen <= spell.share, spell.share < 1]).toEqual([true, true, true]);
  });
});

test("the demo is milder than the simulator in everything", () => {
  for (const name of Object.keys(FAULTS)) expect(name).toMatch(/^[a-z-]+$/);
  const { playsBetweenSpells: mildGap, ...mild } = MILD;
  const { playsBetweenSpells: harshGap, ...harsh } = HARSH;
  for (const name of Object.keys(mild) as (keyof typeof mild)[]) expect(mild[name]).toBeLessThanOrEqual(harsh[name]);
  expect(mildGap[0]).toBeGreaterThan(harshGap[0]);
});
