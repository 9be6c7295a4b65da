import { beforeEach, describe, expect, test } from "bun:test";
import { DemoStore, StoredQueue } from "../../src/cli/demo/store.ts";

const log = (id: string) => ({ log_id: id, text: `{"log_id":"${id}"}` });
const nothing = { acknowledged: [], refused: [], deferred: [] };
const ids = (logs: { log_id: string }[]) => logs.map((one) => one.log_id);

let store: DemoStore;
beforeEach(() => {
  store = new DemoStore(":memory:");
});

describe("a stored queue", () => {
  test("gives the oldest logs of its device and keeps them until they are acknowledged", async () => {
    const [queue, other] = [new StoredQueue(store, "d1"), new StoredQueue(store, "d2")];
    for (const id of ["a", "b", "c"]) await queue.append(log(id));
    await other.append(log("a"));
    expect(ids(await queue.ready(0, 2))).toEqual(["a", "b"]);
    await queue.settle({ ...nothing, acknowledged: ["a"] });
    expect(ids(await queue.ready(0, 9))).toEqual(["b", "c"]);
    expect(ids(await other.ready(0, 9))).toEqual(["a"]);
    expect(await queue.waiting()).toBe(2);
  });

  test("keeps a log's text as it was when it is added again", async () => {
    const queue = new StoredQueue(store, "d1");
    await queue.append(log("a"));
    await queue.append({ log_id: "a", text: "other" });
    expect(await queue.ready(0, 9)).toEqual([{ ...log("a"), deferrals: 0 }]);
  });

  test("puts off, and refuses into a bounded list of the device's own", async () => {
    const queue = new StoredQueue(store, "d1", 100, 2);
    const other = new StoredQueue(store, "d2", 100, 2);
    for (const id of ["a", "b", "c", "d"]) await queue.append(log(id));
    await queue.settle({ ...nothing, deferred: [{ log_id: "d", notBefore: 500 }] });
    for (const id of ["a", "b", "c"]) {
      await queue.settle({ ...nothing, refused: [{ ...log(id), code: "TOO_OLD", error: "" }] });
      await other.settle({ ...nothing, refused: [{ ...log(id), code: "TOO_OLD", error: "" }] });
    }
    expect(ids(await queue.refused())).toEqual(["b", "c"]);
    expect(await queue.ready(499, 9)).toEqual([]);
    expect(await queue.ready(500, 9)).toEqual([{ ...log("d"), deferrals: 1 }]);
  });

  test("makes room by its oldest log, which is told", async () => {
    const queue = new StoredQueue(store, "d1", 2);
    for (const id of ["a", "b", "c"]) await queue.append(log(id));
    expect(ids(await queue.ready(0, 9))).toEqual(["b", "c"]);
    expect((await queue.refused()).map((one) => [one.log_id, one.code])).toEqual([["a", "QUEUE_FULL"]]);
    await queue.settle({ ...nothing, acknowledged: ["a"] });
    expect(await queue.refused()).toEqual([]);
  });
});

test("a fact is made once", () => {
  expect(store.once("id", () => "first")).toBe("first");
  expect(store.once("id", () => "second")).toBe("first");
  store.note("id", "third");
  expect(store.fact<string>("id")).toBe("third");
  expect(store.fact("other")).toBe(null);
});
