import { expect, test } from "vitest";
import guide from "../../src/docs/play-logs.md";
import { FLAG_EFFECTS, FLAGS } from "../../src/plays/policy.ts";
import { REJECTIONS } from "../../src/plays/rejection.ts";

/** The rows of the guide's tables: first cell without its quotes, and the last one. */
const rows = new Map(
  guide
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map((cells) => [cells[1]?.replaceAll("`", "") ?? "", cells.at(-2) ?? ""]),
);

test("the guide names every refusal, and whether it may be sent again", () => {
  for (const [code, { retryable }] of Object.entries(REJECTIONS)) expect([code, rows.get(code)]).toEqual([code, retryable ? "yes" : "no"]);
});

test("the guide names every flag that a play can carry, with its effect", () => {
  for (const flag of FLAGS) {
    const { quality, billable } = FLAG_EFFECTS[flag];
    const effect = billable ? (quality === 0 ? "none" : `−${-quality}`) : "not billable";
    expect([flag, rows.get(flag)?.startsWith(effect)]).toEqual([flag, true]);
  }
});
