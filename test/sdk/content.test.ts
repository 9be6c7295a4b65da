import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plans/plan.ts";
import type { Withheld } from "../../src/sdk/authorised.ts";
import { ContentKeeper } from "../../src/sdk/content.ts";
import { Counters, type Counts } from "../../src/sdk/counters.ts";
import { hex } from "../../src/sdk/encoding.ts";
import { MemoryFiles } from "../../src/sdk/files.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { Disk, paired } from "./paired.ts";
import { item, planOf, segment, slot, T0 } from "./plan-fixture.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7) % 251);
const hashOf = async (file: Uint8Array<ArrayBuffer>) => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", file)));
const SHA256 = await hashOf(bytes);
const PATH = `/v1/device/content/${SHA256}`;

/** A plan that shows these files, in this order. */
function planFor(files: { sha256: string; bytes: number | null }[]): Plan {
  const ids = files.map((_, index) => `i${index}`);
  return planOf({
    items: Object.fromEntries(files.map(({ sha256, bytes }, index) => [`i${index}`, item(sha256, { bytes })])),
    segments: [
      segment(
        0,
        96,
        ids.map((id, place) => slot("k", place, id)),
      ),
    ],
  });
}

const PLAN = planFor([{ sha256: SHA256, bytes: 1000 }]);

async function setUp(reply: (request: SeenRequest) => Reply, store = new MemoryFiles()) {
  const { access, clock, host } = paired(reply);
  const counts = new Disk<Counts>();
  const counters = await Counters.open(counts);
  const keeper = await ContentKeeper.open({ ...access, store, counters, pieceBytes: 1 });
  return { clock, host, store, counts, counters, keeper, tend: (plan = PLAN, cap: number | null = null) => keeper.tend(plan, T0, cap) };
}

const pieces = (from: number, to: number, step = 300) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, at) => bytes.slice(from + at * step, Math.min(to, from + (at + 1) * step)));
const whole: Reply = { status: 200, pieces: pieces(0, 1000) };
const rest = (from: number): Reply => ({ status: 206, headers: { "Content-Range": `bytes ${from}-999/1000` }, pieces: pieces(from, 1000) });
const nothing = { fetched: [], evicted: [], failed: [], tooMuch: [], withheld: null };

async function contentOf(store: MemoryFiles, sha256 = SHA256): Promise<string> {
  const all: number[] = [];
  for await (const piece of store.read(sha256)) all.push(...piece);
  return hex(Uint8Array.from(all));
}

describe("a file", () => {
  test("is fetched with the device's token, checked, and not fetched again", async () => {
    const { counters, host, keeper, store, tend } = await setUp(() => whole);
    expect(keeper.has(SHA256)).toBe(false);
    expect(await tend()).toEqual({ ...nothing, fetched: [SHA256] });
    expect(host.requests).toEqual([{ url: `http://edge${PATH}`, headers: { Authorization: "Bearer token-1" }, text: "" }]);
    expect([keeper.has(SHA256), keeper.bytes, keeper.lastError]).toEqual([true, 1000, null]);
    expect(await contentOf(store)).toBe(hex(bytes));
    expect(await tend()).toEqual(nothing);
    expect(host.requests.length).toBe(1);
    expect(counters.all()).toEqual({ restarts: 0, download_failures: 0 });
  });

  test("that was cut goes on where it broke off, by range, also after a restart of the player", async () => {
    const { store, tend, counters } = await setUp(() => ({ status: 200, pieces: pieces(0, 600), cut: true }));
    expect(await tend()).toEqual({ ...nothing, withheld: { kind: "wait", retryAfterMs: null, reason: "connection cut" } });
    expect(await store.list()).toEqual([{ sha256: SHA256, bytes: 600, complete: false }]);
    expect(counters.all().download_failures).toBe(0);
    const again = await setUp(() => rest(600), store);
    expect(again.keeper.has(SHA256)).toBe(false);
    expect(await again.tend()).toEqual({ ...nothing, fetched: [SHA256] });
    expect(again.host.requests[0]?.headers).toEqual({
      Range: "bytes=600-",
      "If-Range": `"${SHA256}"`,
      Authorization: "Bearer token-1",
    });
    expect(await contentOf(store)).toBe(hex(bytes));
  });

  test("that ended early without saying so is known by its size, and goes on", async () => {
    const { host, tend } = await setUp(() => (host.requests.length === 1 ? { status: 200, pieces: pieces(0, 600) } : rest(600)));
    expect((await tend()).withheld).toEqual({ kind: "wait", retryAfterMs: null, reason: "it ended after 600 bytes" });
    expect((await tend()).fetched).toEqual([SHA256]);
  });

  test("of which the server sends the whole for a part begins anew", async () => {
    const { host, store, tend } = await setUp(() =>
      host.requests.length === 1 ? { status: 200, pieces: pieces(0, 600), cut: true } : whole,
    );
    await tend();
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(await contentOf(store)).toBe(hex(bytes));
  });

  test("of which another part comes than was asked for is begun anew at once", async () => {
    const replies: Reply[] = [{ status: 200, pieces: pieces(0, 600), cut: true }, rest(300), whole];
    const { host, store, tend } = await setUp(() => replies[host.requests.length - 1] ?? "lost");
    await tend();
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(host.requests[2]?.headers.Range).toBe(undefined);
    expect(await contentOf(store)).toBe(hex(bytes));
  });

  test("that came whole before the power went is checked without a request", async () => {
    const store = new MemoryFiles();
    await store.append(SHA256, bytes);
    const { host, tend } = await setUp(() => "lost", store);
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(host.requests.length).toBe(0);
  });

  test("whose size nobody knows is whole when the server has no more of it", async () => {
    const store = new MemoryFiles();
    await store.append(SHA256, bytes);
    const { tend } = await setUp(() => ({ status: 416, body: { code: "RANGE_NOT_SATISFIABLE" } }), store);
    expect((await tend(planFor([{ sha256: SHA256, bytes: null }]))).fetched).toEqual([SHA256]);
  });

  test("fetched in a pass that is ended keeps what came, and the next pass goes on", async () => {
    const held = Promise.withResolvers<void>();
    const { host, keeper, store, tend } = await setUp(() => (host.requests.length === 1 ? whole : rest(300)));
    const append = store.append.bind(store);
    store.append = async (sha256, piece) => {
      await append(sha256, piece);
      store.append = append;
      held.resolve();
    };
    const pass = tend();
    expect(keeper.tend(PLAN, T0, null)).toBe(pass);
    await held.promise;
    await keeper.stop();
    expect((await pass).withheld).toEqual({ kind: "wait", retryAfterMs: null, reason: "ENDED" });
    expect(await store.list()).toEqual([{ sha256: SHA256, bytes: 300, complete: false }]);
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(host.requests[1]?.headers.Range).toBe("bytes=300-");
  });
});

describe("a wrong file", () => {
  const forged = Uint8Array.from(bytes, (byte, index) => (index === 999 ? byte ^ 1 : byte));

  test("is thrown away and fetched once more", async () => {
    const { counters, host, store, tend } = await setUp(() => (host.requests.length === 1 ? { status: 200, pieces: [forged] } : whole));
    expect(await tend()).toEqual({ ...nothing, fetched: [SHA256] });
    expect(host.requests.map(({ headers }) => headers.Range)).toEqual([undefined, undefined]);
    expect(await contentOf(store)).toBe(hex(bytes));
    expect(counters.all().download_failures).toBe(0);
  });

  test("that comes again is counted and told, and tried again later and later", async () => {
    const { counters, host, keeper, store, tend } = await setUp(() => ({ status: 200, pieces: [forged] }));
    expect(await tend()).toEqual({ ...nothing, failed: [SHA256] });
    const error = `File ${SHA256}: the bytes that came have another hash.`;
    expect([keeper.has(SHA256), keeper.lastError, await store.list()]).toEqual([false, error, []]);
    expect(await tend()).toEqual(nothing);
    expect([keeper.lastError, host.requests.length]).toEqual([error, 2]);
    host.pass(500);
    await tend();
    expect([counters.all().download_failures, host.requests.length]).toEqual([2, 4]);
    host.pass(999);
    await tend();
    expect(host.requests.length).toBe(4);
    host.pass(1);
    host.reply = () => whole;
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(keeper.lastError).toBe(null);
  });

  test("that never ends is broken off", async () => {
    let given = 0;
    const endless: Reply = {
      status: 200,
      get pieces() {
        return Array.from({ length: 1000 }, () => bytes);
      },
    };
    const { store, tend } = await setUp(() => endless);
    const append = store.append.bind(store);
    store.append = async (sha256, piece) => {
      given += 1;
      await append(sha256, piece);
    };
    expect((await tend()).failed).toEqual([SHA256]);
    // Twice: the file, and the piece by which it is longer.
    expect(given).toBe(4);
  });
});

describe("what goes wrong", () => {
  test("counts over restarts of the player", async () => {
    const { counts, tend } = await setUp(() => ({ status: 404, body: { code: "NOT_FOUND" } }));
    await tend();
    expect((await Counters.open(counts)).all()).toEqual({ restarts: 0, download_failures: 1 });
  });

  test.each<[string, Reply, string]>([
    ["a file that is not there", { status: 404, body: { code: "NOT_FOUND" } }, `File ${SHA256}: NOT_FOUND`],
    ["a connection that brings nothing", { status: 200, pieces: [], cut: true }, `File ${SHA256}: connection cut`],
  ])("%s is a failure", async (_, reply, error) => {
    const { counters, keeper, tend } = await setUp(() => reply);
    expect(await tend()).toEqual({ ...nothing, failed: [SHA256] });
    expect([keeper.lastError, counters.all().download_failures]).toEqual([error, 1]);
  });

  test.each<[string, Reply, Withheld]>([
    ["no network", "lost", { kind: "wait", retryAfterMs: null, reason: "connection lost" }],
    ["a server that is down", { status: 503 }, { kind: "wait", retryAfterMs: null, reason: "HTTP_503" }],
    ["revocation", { status: 403, body: { code: "DEVICE_REVOKED" } }, { kind: "stopped", code: "DEVICE_REVOKED" }],
    ["a server that is busy", { status: 503, headers: { "Retry-After": "9" } }, { kind: "wait", retryAfterMs: 9000, reason: "HTTP_503" }],
  ])("%s is none, and ends the pass", async (_, reply, withheld) => {
    const others = await Promise.all([1, 2, 3].map((byte) => hashOf(new Uint8Array([byte]))));
    const { counters, host, tend } = await setUp(() => reply);
    const plan = planFor([{ sha256: SHA256, bytes: 1000 }, ...others.map((sha256) => ({ sha256, bytes: 1 }))]);
    expect(await tend(plan)).toEqual({ ...nothing, withheld });
    // One or two may be a file that this server does not give; three are no network.
    const patient = withheld.kind === "wait" && withheld.retryAfterMs === null;
    expect([host.requests.length, counters.all().download_failures]).toEqual([patient ? 3 : 1, 0]);
  });

  test("one file over which the server stumbles does not keep the others away", async () => {
    const poison = await hashOf(new Uint8Array([1]));
    const { tend } = await setUp((request) => (request.url.endsWith(poison) ? { status: 500 } : whole));
    const both = planFor([
      { sha256: poison, bytes: 1 },
      { sha256: SHA256, bytes: 1000 },
    ]);
    const withheld = { kind: "wait" as const, retryAfterMs: null, reason: "HTTP_500" };
    expect(await tend(both)).toEqual({ ...nothing, fetched: [SHA256], withheld });
  });

  test("a file that failed is tried again soon, also where the device's clock is set back meanwhile", async () => {
    const { clock, host, tend } = await setUp(() => (host.requests.length === 1 ? { status: 404 } : whole));
    expect((await tend()).failed).toEqual([SHA256]);
    host.wall -= 365 * 86_400_000;
    clock.hear({ t0: clock.now(), t1: host.wall, t2: host.wall, t3: clock.now() });
    host.elapsed += 500;
    expect((await tend()).fetched).toEqual([SHA256]);
  });

  test("one file that cannot be had does not keep the others away", async () => {
    const missing = await hashOf(new Uint8Array([1]));
    const { tend } = await setUp((request) => (request.url.endsWith(missing) ? { status: 404 } : whole));
    const both = planFor([
      { sha256: missing, bytes: 1 },
      { sha256: SHA256, bytes: 1000 },
    ]);
    expect(await tend(both)).toEqual({ ...nothing, failed: [missing], fetched: [SHA256] });
  });

  test("a full disk is a failure, and what no plan needs makes room", async () => {
    const store = new MemoryFiles();
    await store.append("x", bytes);
    await store.complete("x");
    const append = store.append.bind(store);
    store.append = async (sha256, piece) => {
      if ((await store.list()).reduce((sum, file) => sum + file.bytes, 0) > 1200) throw new Error("no space left");
      await append(sha256, piece);
    };
    const { counters, host, keeper, tend } = await setUp(() => (host.requests.length === 1 ? whole : rest(300)), store);
    expect(await tend()).toEqual({ ...nothing, failed: [SHA256], evicted: ["x"] });
    expect([keeper.lastError, counters.all().download_failures]).toEqual(["no space left", 1]);
    host.pass(500);
    expect((await tend()).fetched).toEqual([SHA256]);
  });
});

describe("the storage", () => {
  test("is kept within its cap: the old file goes, and what does not fit is told", async () => {
    const store = new MemoryFiles();
    await store.append("x", bytes);
    await store.complete("x");
    const { keeper, tend } = await setUp(() => whole, store);
    expect(await tend(PLAN, 999)).toEqual({ ...nothing, tooMuch: [SHA256], evicted: ["x"] });
    expect(keeper.lastError).toBe("The storage is too small for 1 of the plan's files.");
    expect(await tend(PLAN, 1000)).toEqual({ ...nothing, fetched: [SHA256] });
    expect([keeper.bytes, keeper.lastError]).toEqual([1000, null]);
  });

  test("is cleared, and filled again by the next pass", async () => {
    const { host, keeper, tend } = await setUp(() => whole);
    await tend();
    expect(await keeper.clear()).toBe(1);
    expect([keeper.has(SHA256), keeper.bytes]).toEqual([false, 0]);
    expect((await tend()).fetched).toEqual([SHA256]);
    expect(host.requests.length).toBe(2);
  });
});
