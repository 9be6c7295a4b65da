import { describe, expect, test } from "vitest";
import { interleave, playlistRound, spread } from "../../src/plans/spread.ts";
import fc from "../support/property.ts";
import { planOf, playlist, schedule } from "./fixture.ts";

const RUNS = 500;
const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

/** After each place, how far any index is off its share; the most of it. */
function furthestOff(order: readonly number[], shares: readonly number[]): number {
  const total = sum(shares);
  const had = shares.map(() => 0);
  let furthest = 0;
  for (const [place, index] of order.entries()) {
    had[index] = (had[index] ?? 0) + 1;
    for (const [each, share] of shares.entries()) {
      furthest = Math.max(furthest, Math.abs((had[each] ?? 0) - ((place + 1) * share) / total));
    }
  }
  return furthest;
}

describe("weights", () => {
  test(`each has its weight in a round, and its share to within less than one place at any point of it (${RUNS} runs)`, () => {
    fc.assert(
      fc.property(weights, (counts) => {
        const order = spread(counts);
        expect(counts.map((_, index) => order.filter((each) => each === index).length)).toEqual(counts);
        expect(furthestOff(order, counts)).toBeLessThan(1);
        expect(furthestOff([...order, ...order], counts)).toBeLessThan(1);
      }),
      { numRuns: RUNS },
    );
  });

  test(`schedules of one priority have their shares of the loop to within less than one slot, and play in order (${RUNS} runs)`, () => {
    const shapes = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 10 }), items: fc.integer({ min: 1, max: 12 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(shapes, (made) => {
        const ids = made.map((_, index) => `p${index}`);
        const plan = planOf({
          schedules: made.map(({ weight }, index) => schedule(`p${index}`, { weight })),
          playlists: made.map(({ items }, index) =>
            playlist(
              `p${index}`,
              Array.from({ length: items }, (_, item) => `p${index}-${item}`),
            ),
          ),
        });
        const loop = plan.segments[0]?.loop ?? [];
        expect(
          furthestOff(
            loop.map(({ playlist_id }) => ids.indexOf(playlist_id ?? "")),
            made.map(({ weight }) => weight),
          ),
        ).toBeLessThan(1);
        for (const [index, { items }] of made.entries()) {
          const own = loop.filter(({ playlist_id }) => playlist_id === `p${index}`).map(({ item }) => item);
          expect(own.length).toBeGreaterThanOrEqual(items);
          expect(own).toEqual(own.map((_, turn) => `p${index}-${turn % items}`));
        }
      }),
      { numRuns: RUNS },
    );
  });

  test(`a loop that can come out even within 360 slots does (${RUNS} runs)`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 }), (a, b) => {
        const loops = [Array.from({ length: a }, (_, index) => `a${index}`), Array.from({ length: b }, (_, index) => `b${index}`)];
        const slots = interleave(loops, [1, 1]);
        const own = slots.filter((slot) => slot.startsWith("a")).length;
        expect([own % a, (slots.length - own) % b]).toEqual([0, 0]);
      }),
      { numRuns: RUNS },
    );
  });

  test(`shares of voice have their seconds of an hour to within one play each (${RUNS} runs)`, () => {
    const shapes = fc.array(fc.record({ share: fc.integer({ min: 30, max: 1000 }), seconds: fc.integer({ min: 5, max: 60 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(shapes, fc.integer({ min: 5, max: 20 }), (voices, seconds) => {
        const plan = planOf({
          schedules: voices.map(({ share }, index) => schedule(`v${index}`, { share_of_voice_s_per_hour: share })),
          playlists: [
            ...voices.map((voice, index) => playlist(`v${index}`, [[`v${index}`, 1, voice.seconds * 1000]])),
            playlist("d", [["d", 1, seconds * 1000]]),
          ],
          default_playlist_id: "d",
        });
        const loop = plan.segments[0]?.loop ?? [];
        const secondsOf = (of: typeof loop) => sum(of.map(({ item }) => (plan.items[item]?.duration_ms ?? 0) / 1000));
        const loopSeconds = secondsOf(loop);
        for (const [index, voice] of voices.entries()) {
          const anHour = (secondsOf(loop.filter(({ item }) => item === `v${index}`)) * 3600) / loopSeconds;
          expect(Math.abs(anHour - voice.share)).toBeLessThanOrEqual(voice.seconds);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a playlist's round over 2,000 slots", () => {
  test("is shortened by what its weights have in common", () => {
    expect(playlistRound([2000, 1000]).join("")).toBe("001");
  });

  test("else cut, down to one place each", () => {
    const order = playlistRound([3999, 1]);
    expect([order.length, order.filter((index) => index === 1).length]).toEqual([2000, 1]);
  });
});
