import { expect, test } from "vitest";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";

const log = (id: string) => ({ log_id: id, text: `{"log_id":"${id}"}` });
const nothing = { acknowledged: [], refused: [], deferred: [] };

test("logs come oldest first and stay until they are acknowledged", async () => {
  const queue = new MemoryQueue();
  for (const id of ["a", "b", "c"]) await queue.append(log(id));
  expect((await queue.ready(0, 2)).map((one) => one.log_id)).toEqual(["a", "b"]);
  expect((await queue.ready(0, 2)).map((one) => one.log_id)).toEqual(["a", "b"]);
  await queue.settle({ ...nothing, acknowledged: ["a"] });
  expect((await queue.ready(0, 9)).map((one) => one.log_id)).toEqual(["b", "c"]);
  expect(await queue.waiting()).toBe(2);
});

test("a refused log leaves the queue and is kept in a list of its own", async () => {
  const queue = new MemoryQueue();
  await queue.append(log("a"));
  await queue.settle({ ...nothing, refused: [{ ...log("a"), code: "TOO_OLD", error: "too old" }] });
  expect(await queue.waiting()).toBe(0);
  expect(await queue.refused()).toEqual([{ ...log("a"), code: "TOO_OLD", error: "too old" }]);
});

test("a log that was put off keeps its place but not its turn", async () => {
  const queue = new MemoryQueue();
  for (const id of ["a", "b"]) await queue.append(log(id));
  await queue.settle({ ...nothing, deferred: [{ log_id: "a", notBefore: 500 }] });
  expect((await queue.ready(499, 9)).map((one) => one.log_id)).toEqual(["b"]);
  expect(await queue.ready(500, 1)).toEqual([{ ...log("a"), deferrals: 1 }]);
});

test("a full queue makes room by its oldest log, which is not lost silently", async () => {
  const queue = new MemoryQueue({ logs: 2 });
  for (const id of ["a", "b", "c"]) await queue.append(log(id));
  expect((await queue.ready(0, 9)).map((one) => one.log_id)).toEqual(["b", "c"]);
  expect((await queue.refused()).map((one) => [one.log_id, one.code])).toEqual([["a", "QUEUE_FULL"]]);
  await queue.settle({ ...nothing, acknowledged: ["a"] });
  expect(await queue.refused()).toEqual([]);
});

test("the list of refused logs keeps the last ones only", async () => {
  const queue = new MemoryQueue({ refused: 2 });
  const refused = ["a", "b", "c"].map((id) => ({ ...log(id), code: "TOO_OLD", error: "" }));
  await queue.settle({ ...nothing, refused });
  expect((await queue.refused()).map((one) => one.log_id)).toEqual(["b", "c"]);
});
