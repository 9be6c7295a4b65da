import { Database } from "bun:sqlite";
import { beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceStorage } from "../../src/cli/fleet/device-storage.ts";
import { StoredQueue } from "../../src/cli/fleet/queue.ts";
import { FleetStore } from "../../src/cli/fleet/store.ts";
import { createIdentity } from "../../src/sdk/identity.ts";

const log = (id: string) => ({ log_id: id, text: `{"log_id":"${id}"}` });
const nothing = { acknowledged: [], refused: [], deferred: [] };
const ids = (logs: { log_id: string }[]) => logs.map((one) => one.log_id);

let store: FleetStore;
beforeEach(() => {
  store = new FleetStore(":memory:");
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
    const queue = new StoredQueue(store, "d1", { logs: 100, refused: 2 });
    const other = new StoredQueue(store, "d2", { logs: 100, refused: 2 });
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
    const queue = new StoredQueue(store, "d1", { logs: 2 });
    for (const id of ["a", "b", "c"]) await queue.append(log(id));
    expect(ids(await queue.ready(0, 9))).toEqual(["b", "c"]);
    expect((await queue.refused()).map((one) => [one.log_id, one.code])).toEqual([["a", "QUEUE_FULL"]]);
    await queue.settle({ ...nothing, acknowledged: ["a"] });
    expect(await queue.refused()).toEqual([]);
  });

  test("drops what is older than any door takes, and counts what it dropped and what was refused", async () => {
    const queue = new StoredQueue(store, "d1", { ageMs: 1000, logs: 2 });
    for (const [id, madeAt] of Object.entries({ a: 0, b: 500, c: 2000 })) await queue.append({ ...log(id), madeAt });
    expect(await queue.expire(1500)).toBe(0);
    expect(await queue.expire(1501)).toBe(1);
    await queue.settle({ ...nothing, refused: [{ ...log("c"), code: "TOO_OLD", error: "" }] });
    expect(await queue.counts()).toEqual({ waiting: 0, refused: 1, droppedFull: 1, droppedOld: 1 });
  });

  test("finds a log by its id, with all that was kept of it", async () => {
    const queue = new StoredQueue(store, "d1");
    await queue.append({ ...log("a"), clock: "c1", madeAt: 7, filler: true });
    expect(queue.find("a")).toEqual({ ...log("a"), clock: "c1", madeAt: 7, filler: true, deferrals: 0 });
    expect(queue.find("b")).toBe(null);
  });
});

describe("a device's storage", () => {
  test("is lost with all that is in it, or but for its key and its tokens; others' stay", async () => {
    const [one, other] = [new DeviceStorage(store, "1"), new DeviceStorage(store, "2")];
    for (const storage of [one, other]) {
      await storage.identity.save(await createIdentity("EdDSA", true));
      for (const name of ["credentials", "plan", "sequence x"]) await storage.value(name).save(name);
      await storage.queue.append(log("a"));
      await storage.files.append("f", Uint8Array.of(1));
    }
    const left = async (storage: DeviceStorage) => [
      (await storage.identity.load()) !== null,
      ...(await Promise.all(["credentials", "plan", "sequence x"].map((name) => storage.value(name).load()))),
      await storage.queue.waiting(),
      (await storage.files.list()).length,
    ];
    one.wipe(true);
    expect(await left(one)).toEqual([true, "credentials", null, null, 0, 0]);
    one.wipe(false);
    expect(await left(one)).toEqual([false, null, null, null, 0, 0]);
    expect(await left(other)).toEqual([true, "credentials", "plan", "sequence x", 1, 1]);
  });

  test("a file of an older version is refused, not misread", () => {
    const dir = mkdtempSync(join(tmpdir(), "alive-store-"));
    try {
      const old = new Database(join(dir, "a.sqlite"), { create: true });
      old.run("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
      old.close();
      expect(() => new FleetStore(join(dir, "a.sqlite"))).toThrow("--fresh");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

test("a fact is made once", () => {
  expect(store.once("id", () => "first")).toBe("first");
  expect(store.once("id", () => "second")).toBe("first");
  store.note("id", "third");
  expect(store.fact<string>("id")).toBe("third");
  expect(store.fact("other")).toBe(null);
});
