import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode } from "../../src/cli/tools.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { FolderFiles, openSqlite, openSqliteStorage, SqliteFiles, SqliteQueue, SqliteStorage } from "../../src/sdk/node/index.ts";
import { FILES_CASES } from "../sdk/files-contract.ts";
import { QUEUE_CASES } from "../sdk/queue-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "alive-sdk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const same = (found: unknown, expected: unknown) => expect(found).toEqual(expected);
let names = 0;
const fresh = () => join(folder, String(names++));

/** A database with the storage's tables, in memory. */
async function database() {
  const db = await openSqlite(":memory:");
  return { db, storage: new SqliteStorage(db, "p") };
}

describe("a queue in SQLite", () => {
  for (const { check, limits, name } of QUEUE_CASES)
    test(name, async () => {
      const { db } = await database();
      // Another player's logs in the same file are none of its business.
      await new SqliteQueue(db, "other").append({ log_id: "a", text: "other", filler: true, madeAt: 0 });
      await check(new SqliteQueue(db, "p", limits), same);
      expect(await new SqliteQueue(db, "other").waiting()).toBe(1);
    });
});

describe("files in SQLite", () => {
  for (const { check, name } of FILES_CASES)
    test(name, async () => {
      const { db } = await database();
      await new SqliteFiles(db, "other").append("a".repeat(64), Uint8Array.of(5));
      await check(new SqliteFiles(db, "p"), same);
    });
});

describe("files in a folder", () => {
  for (const { check, name } of FILES_CASES) test(name, async () => await check(new FolderFiles(fresh()), same));

  test("are named by their hashes, and nothing else is a name", async () => {
    const files = new FolderFiles(fresh());
    const sha256 = "c".repeat(64);
    await files.append(sha256, Uint8Array.of(1));
    await files.complete(sha256);
    expect(statSync(files.pathOf(sha256)).size).toBe(1);
    for (const wrong of ["../../etc/passwd", `${sha256}.part`, ""]) expect(() => files.pathOf(wrong)).toThrow("is no SHA-256");
  });
});

test("a player's key, values, logs and files outlive a restart, and only its owner may read them", async () => {
  const path = fresh();
  const storage = await openSqliteStorage(path);
  const identity = await createIdentity("EdDSA", true);
  await storage.identity.save(identity);
  await storage.value("x").save({ n: 1 });
  await storage.queue.append({ log_id: "a", text: "{}" });
  await storage.files.append("d".repeat(64), Uint8Array.of(1));
  expect([path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  await storage.close();
  const again = await openSqliteStorage(path);
  expect((await again.identity.load())?.publicJwk).toEqual(identity.publicJwk);
  expect(await again.value<object>("x").load()).toEqual({ n: 1 });
  expect(await again.value("y").load()).toBe(null);
  expect([await again.queue.waiting(), (await again.files.list()).length]).toEqual([1, 1]);
  await again.close();
});

describe("the right to play", () => {
  test("has one player of a name at a time, in one process", async () => {
    const db = await openSqlite(fresh());
    const [one, other] = [new SqliteStorage(db, "one"), new SqliteStorage(db, "other")];
    const held = await one.lock();
    expect([held === null, await new SqliteStorage(db, "one").lock(), (await other.lock()) === null]).toEqual([false, null, false]);
    await held?.release();
    await held?.release();
    expect(await one.lock()).not.toBe(null);
  });

  test("has one process at a time, and is free when that is killed", async () => {
    const path = fresh();
    const program = `
      import { openSqliteStorage } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/sdk/node/index.ts"))};
      const storage = await openSqliteStorage(${JSON.stringify(path)});
      console.log((await storage.lock()) === null ? "taken" : "held");
      setInterval(() => {}, 1000);`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value).trim()).toBe("held");
    const storage = await openSqliteStorage(path);
    expect(await storage.lock()).toBe(null);
    child.kill("SIGKILL");
    await child.exited;
    expect(await storage.lock()).not.toBe(null);
    await storage.close();
  });
});

test("Node keeps the same by its own SQLite, in a bundle without anything of Bun's", async () => {
  const root = resolve(import.meta.dirname, "../..");
  const entry = join(folder, "entry.ts");
  await Bun.write(
    entry,
    `import { openSqliteStorage } from ${JSON.stringify(join(root, "src/sdk/node/index.ts"))};
     import { QUEUE_CASES } from ${JSON.stringify(join(root, "test/sdk/queue-contract.ts"))};
     import { FILES_CASES } from ${JSON.stringify(join(root, "test/sdk/files-contract.ts"))};
     import { deepStrictEqual } from "node:assert";
     let passed = 0;
     for (const { check, limits } of QUEUE_CASES) {
       await check((await openSqliteStorage(":memory:", { limits })).queue, deepStrictEqual);
       passed += 1;
     }
     for (const { check } of FILES_CASES) {
       await check((await openSqliteStorage(":memory:")).files, deepStrictEqual);
       passed += 1;
     }
     const path = ${JSON.stringify(fresh())};
     const [one, other] = [await openSqliteStorage(path), await openSqliteStorage(path)];
     const held = await one.lock();
     const second = await other.lock();
     await held.release();
     console.log(JSON.stringify([passed, held !== null, second, (await other.lock()) !== null]));`,
  );
  const built = await Bun.build({ entrypoints: [entry], target: "node", format: "esm" });
  const bundle = join(folder, "bundle.mjs");
  await Bun.write(bundle, built.outputs[0] ?? "");
  const child = Bun.spawn([findNode(), "--no-warnings", bundle], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect([err, JSON.parse(out || "null") as unknown]).toEqual(["", [QUEUE_CASES.length + FILES_CASES.length, true, null, true]]);
});

test("the package exports the SDK under the names that its guide gives", async () => {
  const [sdk, node, browser] = await Promise.all([
    import("alive-signage/sdk"),
    import("alive-signage/sdk/node"),
    import.meta.resolve("alive-signage/sdk/browser"),
  ]);
  expect(typeof sdk.DeviceClient).toBe("function");
  expect(typeof node.openSqliteStorage).toBe("function");
  expect(browser.endsWith("/src/sdk/browser/index.ts")).toBe(true);
  expect(await Bun.file(fileURLToPath(browser)).text()).toContain("openBrowserStorage");
});
