import { expect, test } from "vitest";
import { EvidenceKeeper } from "../../src/sdk/evidence.ts";
import { MemoryFiles } from "../../src/sdk/files.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { paired } from "./paired.ts";

const HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const hello = () => new Uint8Array(new TextEncoder().encode("hello"));

function setUp(reply: (request: SeenRequest) => Reply) {
  const { access, host } = paired(reply);
  const store = new MemoryFiles();
  return { host, store, keeper: new EvidenceKeeper({ ...access, store }) };
}

test("a picture is named by its hash, sent to that address, and kept no longer", async () => {
  const { host, keeper, store } = setUp(() => ({ status: 201 }));
  expect([await keeper.take(hello()), await keeper.take(hello())]).toEqual([HELLO, HELLO]);
  expect(await keeper.send()).toEqual({ sent: 1, refused: 0, waiting: 0 });
  expect(host.requests.map(({ url, bytes }) => [url, bytes])).toEqual([[`http://edge/v1/device/screenshots/${HELLO}`, hello()]]);
  expect(await store.list()).toEqual([]);
});

test("pictures wait for a server that cannot be reached, in their order, and those that it will never take are dropped", async () => {
  const replies: Reply[] = ["lost", { status: 503 }, { status: 400, body: { code: "UNKNOWN_KIND" } }, { status: 201 }];
  const { host, keeper } = setUp(() => replies[host.requests.length - 1] ?? "lost");
  await keeper.take(hello());
  await keeper.take(Uint8Array.of(1));
  expect(await keeper.send()).toEqual({ sent: 0, refused: 0, waiting: 2 });
  expect(await keeper.send()).toEqual({ sent: 0, refused: 0, waiting: 2 });
  expect(await keeper.send()).toEqual({ sent: 1, refused: 1, waiting: 0 });
});

test("a page of a network that wants a login is no receipt", async () => {
  const { keeper } = setUp(() => ({ status: 200, body: "<html>" }));
  await keeper.take(hello());
  expect(await keeper.send()).toEqual({ sent: 0, refused: 0, waiting: 1 });
});

test("where too many wait the oldest make room, and are counted", async () => {
  const { keeper, store } = setUp(() => "lost");
  await keeper.take(hello());
  for (let n = 0; n < 50; n++) await keeper.take(Uint8Array.of(n));
  const kept = await store.list();
  expect([kept.length, kept.some(({ sha256 }) => sha256 === HELLO), keeper.dropped]).toEqual([50, false, 1]);
});

test("a disk that is full fails the picture, and sending never throws", async () => {
  const { keeper, store } = setUp(() => "lost");
  store.append = async () => {
    throw new Error("disk full");
  };
  await expect(keeper.take(hello())).rejects.toThrow("disk full");
  store.list = async () => {
    throw new Error("disk broken");
  };
  expect(await keeper.send()).toEqual({ sent: 0, refused: 0, waiting: 0 });
});
