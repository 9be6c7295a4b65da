import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BUGS } from "./bugs.ts";

const ROOT = resolve(import.meta.dirname, "../..");

describe("planted bugs", () => {
  test("can all be planted: each text stands in its file exactly once, and what it becomes differs", () => {
    const stale = BUGS.filter(({ file, find, replace }) => {
      const parts = readFileSync(resolve(ROOT, file), "utf8").split(find);
      return parts.length !== 2 || find === replace;
    });
    // Where the code has changed, bring the text in bugs.ts up to date and run `bun run planted`.
    expect(stale.map(({ what, file }) => `${what} (${file})`)).toEqual([]);
    expect(BUGS.length).toBeGreaterThan(20);
  });

  test("name tests that there are", () => {
    const files = BUGS.map(({ caughtBy }) => caughtBy).filter((catcher) => catcher !== "simulation");
    expect(files.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
  });
});

describe("the table of faults", () => {
  test("has each number once, and cites tests that there are", () => {
    const rows = readFileSync(resolve(ROOT, "src/docs/faults.md"), "utf8")
      .split("\n")
      .filter((line) => /^\| \d+ /.test(line));
    expect(rows.map((row) => Number(row.split("|")[1]))).toEqual(Array.from({ length: 38 }, (_, index) => index + 1));
    const cited = rows.flatMap((row) => [...row.matchAll(/`([a-z]+(?:\/[a-z.-]+)+)`/g)].map(([, name]) => `test/${name}.test.ts`));
    expect(cited.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
    expect(cited.length).toBeGreaterThan(40);
  });
});
