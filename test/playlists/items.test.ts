import { describe, expect, test } from "vitest";
import {
  addItem,
  changeItem,
  type GivenItem,
  type Item,
  type ItemsOutcome,
  PLAYLIST_MAX_ITEMS,
  removeItem,
  replaceItems,
} from "../../src/playlists/items.ts";

const item = (id: string, fields: Partial<Item> = {}): Item => ({
  id,
  content_version_id: `v-${id}`,
  weight: 1,
  duration_ms: null,
  ...fields,
});
const LIST = [item("a"), item("b", { weight: 3 }), item("c", { duration_ms: 5000 })];
const order = (outcome: ItemsOutcome) => (outcome.ok ? outcome.items.map(({ id }) => id).join("") : outcome);
const pointers = (outcome: ItemsOutcome) => ("errors" in outcome ? outcome.errors.map(({ pointer }) => pointer) : outcome);

describe("an item", () => {
  test.each([
    [undefined, "abcx"],
    [0, "xabc"],
    [1, "axbc"],
    [3, "abcx"],
  ])("is added at %s: %s", (at, expected) => {
    expect(order(addItem({ content_version_id: "v" }, "x", at)(LIST))).toBe(expected);
  });

  test("gets weight 1 and no duration of its own unless it is given them", () => {
    expect(addItem({ content_version_id: "v" }, "x", 0)([])).toEqual({ ok: true, items: [item("x", { content_version_id: "v" })] });
    const given = { content_version_id: "v", weight: 2, duration_ms: 1000 };
    expect(addItem(given, "x", 0)([])).toEqual({ ok: true, items: [{ id: "x", ...given }] });
  });

  test("cannot be added behind the end", () => {
    expect(pointers(addItem({ content_version_id: "v" }, "x", 4)(LIST))).toEqual(["/order_index"]);
  });

  test.each([
    ["a", 0, "abc"],
    ["a", 1, "bac"],
    ["a", 2, "bca"],
    ["c", 0, "cab"],
  ])("%s moves to %i: %s", (id, order_index, expected) => {
    expect(order(changeItem(id, { order_index })(LIST))).toBe(expected);
  });

  test("changes what is named and keeps the rest", () => {
    expect(changeItem("b", { duration_ms: 9000 })(LIST)).toEqual({
      ok: true,
      items: [LIST[0], item("b", { weight: 3, duration_ms: 9000 }), LIST[2]],
    });
    expect(changeItem("c", { duration_ms: null, weight: 2 })(LIST)).toEqual({
      ok: true,
      items: [LIST[0], LIST[1], item("c", { weight: 2 })],
    });
    expect(pointers(changeItem("a", { order_index: 3 })(LIST))).toEqual(["/order_index"]);
    expect(changeItem("x", { weight: 1 })(LIST)).toEqual({ ok: false, missing: "x" });
  });

  test("is taken out", () => {
    expect(order(removeItem("b")(LIST))).toBe("ac");
    expect(removeItem("x")(LIST)).toEqual({ ok: false, missing: "x" });
  });
});

describe("a list", () => {
  const replace = (given: GivenItem[]) => {
    let made = 0;
    return replaceItems(given, () => `new${++made}`)(LIST);
  };

  test("is put into another order with new ones between, ids kept", () => {
    const given = [
      { id: "c", content_version_id: "v-c", duration_ms: 5000 },
      { content_version_id: "v" },
      { id: "a", content_version_id: "w" },
    ];
    expect(replace(given)).toEqual({
      ok: true,
      items: [LIST[2], item("new1", { content_version_id: "v" }), item("a", { content_version_id: "w" })],
    });
  });

  test("names each id that is not its own, or stands there twice", () => {
    const v = { content_version_id: "v" };
    expect(
      pointers(
        replace([
          { id: "a", ...v },
          { id: "x", ...v },
          { id: "a", ...v },
        ]),
      ),
    ).toEqual(["/items/1/id", "/items/2/id"]);
  });

  test("is bounded in items and in the length of its round", () => {
    const many = (count: number, weight: number) => Array.from({ length: count }, () => ({ content_version_id: "v", weight }));
    expect(replace(many(PLAYLIST_MAX_ITEMS, 4))).toMatchObject({ ok: true });
    expect(pointers(replace(many(PLAYLIST_MAX_ITEMS + 1, 1)))).toEqual(["/items"]);
    expect(pointers(replace(many(21, 96)))).toEqual(["/items"]);
    const full: Item[] = Array.from({ length: PLAYLIST_MAX_ITEMS }, (_, n) => item(String(n), { weight: 4 }));
    expect(pointers(addItem({ content_version_id: "v" }, "x", 0)(full))).toEqual(["/items"]);
    expect(pointers(changeItem("7", { weight: 5 })(full))).toEqual(["/items"]);
  });
});
