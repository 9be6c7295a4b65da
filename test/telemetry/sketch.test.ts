import { describe, expect, test } from "vitest";
import { sha256Now } from "../../src/platform/hash.ts";
import { SKETCH_STANDARD_ERROR, Sketch } from "../../src/telemetry/sketch.ts";

const hash = (n: number) => sha256Now(`thing ${n}`).slice(0, 16);

function sketchOf(from: number, to: number): Sketch {
  const sketch = new Sketch();
  for (let n = from; n < to; n++) sketch.add(hash(n));
  return sketch;
}

describe("a sketch", () => {
  test("is exact up to 256 things, and says so", () => {
    expect(new Sketch().distinct()).toEqual({ count: 0, standard_error: 0 });
    const sketch = sketchOf(0, 256);
    for (let n = 0; n < 256; n++) sketch.add(hash(n));
    expect(sketch.distinct()).toEqual({ count: 256, standard_error: 0 });
    sketch.add(hash(256));
    expect(sketch.distinct().standard_error).toBe(SKETCH_STANDARD_ERROR);
  });

  test("says an error of 1.63 %", () => {
    expect(SKETCH_STANDARD_ERROR).toBe(0.0163);
  });

  test.each([257, 1000, 5000, 10_000, 20_000, 50_000])("of %i things is off by less than three standard errors", (count) => {
    const estimate = sketchOf(0, count).distinct().count;
    expect(Math.abs(estimate - count) / count).toBeLessThan(3 * SKETCH_STANDARD_ERROR);
  });

  test("is off by about the error that it says, over many sets", () => {
    const errors = Array.from({ length: 40 }, (_, set) => sketchOf(set * 10_000, set * 10_000 + 3000).distinct().count / 3000 - 1);
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    expect(rms).toBeGreaterThan(0.5 * SKETCH_STANDARD_ERROR);
    expect(rms).toBeLessThan(1.5 * SKETCH_STANDARD_ERROR);
    const bias = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(Math.abs(bias)).toBeLessThan(SKETCH_STANDARD_ERROR / 2);
  });

  test.each([
    ["two small ones", 0, 100, 50, 150, 150],
    ["a small and a large one", 0, 100, 50, 2000, 2000],
    ["a large and a small one", 0, 2000, 1950, 2010, 2010],
    ["two large ones", 0, 2000, 1000, 3000, 3000],
    ["two small ones that are large together", 0, 200, 150, 400, 400],
  ])("merges: %s", (_, from, to, otherFrom, otherTo, all) => {
    const whole = sketchOf(0, all).toString();
    const merged = sketchOf(from, to);
    merged.merge(sketchOf(otherFrom, otherTo));
    expect(merged.toString()).toBe(whole);
    merged.merge(sketchOf(otherFrom, otherTo));
    expect(merged.toString()).toBe(whole);
  });

  test.each([0, 3, 256, 1000])("is read as it was written, of %i things", (count) => {
    const sketch = sketchOf(0, count);
    expect(Sketch.parse(sketch.toString()).distinct()).toEqual(sketch.distinct());
    expect(Sketch.parse(sketch.toString()).toString()).toBe(sketch.toString());
  });

  test.each(["", "x", "rAAAA", "xAAAA", "yAAAAAAAAAAA="])("is not read from %j, unless it is an empty one", (text) => {
    if (text === "x") expect(Sketch.parse(text).distinct().count).toBe(0);
    else expect(() => Sketch.parse(text)).toThrow("not a sketch");
  });
});
