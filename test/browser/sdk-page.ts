import { Connection } from "../../src/sdk/browser/database.ts";
import { BrowserFiles, BrowserQueue, openBrowserStorage } from "../../src/sdk/browser/index.ts";
import { createIdentity, type Identity, sign } from "../../src/sdk/identity.ts";
import { FILES_CASES } from "../sdk/files-contract.ts";
import { QUEUE_CASES } from "../sdk/queue-contract.ts";

/** What the test calls in the page. */
const calls = {
  /** Runs a case on a database of its own. @throws Error that says what differs. */
  async queue(name: string): Promise<void> {
    const one = QUEUE_CASES.find((other) => other.name === name);
    await one?.check(new BrowserQueue(fresh(), one.limits), same);
  },

  async files(name: string): Promise<void> {
    const connection = fresh();
    await new BrowserFiles(connection, "other").append("a".repeat(64), Uint8Array.of(5));
    await FILES_CASES.find((other) => other.name === name)?.check(new BrowserFiles(connection, "files"), same);
  },

  /** The bytes of a file as a page shows it: null before it is complete. */
  async blob(): Promise<[null | number[], number[], string]> {
    const files = new BrowserFiles(fresh(), "files");
    const sha256 = "b".repeat(64);
    for (const piece of [[1, 2], [3]]) await files.append(sha256, Uint8Array.from(piece));
    const before = await files.blob(sha256);
    await files.complete(sha256);
    const blob = await files.blob(sha256, "image/png");
    return [before && [], [...new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer())], blob?.type ?? ""];
  },

  /** Keeps a key and some values, as a player does that is paired. */
  async keep(algorithm: Identity["alg"]): Promise<JsonWebKey> {
    const storage = await openBrowserStorage({ name: "kept" });
    const identity = await createIdentity(algorithm, storage.readableKeys);
    await storage.identity.save(identity);
    await storage.value("answer").save({ n: 42 });
    await storage.queue.append({ log_id: "a", text: "{}" });
    await storage.close();
    return { ...identity.publicJwk };
  },

  /** What a page that was loaded anew finds of it. */
  async kept() {
    const storage = await openBrowserStorage({ name: "kept" });
    const identity = await storage.identity.load();
    if (!identity) throw new Error("no identity");
    const signature = await sign(identity, new Uint8Array([1, 2, 3]));
    const read = await crypto.subtle.exportKey("jwk", identity.privateKey).then(
      () => "read",
      (error: unknown) => (error instanceof Error ? error.name : "refused"),
    );
    return {
      publicJwk: identity.publicJwk,
      signature: [...signature],
      read,
      answer: await storage.value("answer").load(),
      nothing: await storage.value("nothing").load(),
      waiting: await storage.queue.waiting(),
    };
  },

  /** Takes the right to play; whether it was to be had. Held until the page ends. */
  async lock(): Promise<boolean> {
    const storage = await openBrowserStorage({ name: "locked" });
    return (await storage.lock()) !== null;
  },

  /** Takes it, gives it back, and takes it again. */
  async lockAgain(): Promise<boolean[]> {
    const storage = await openBrowserStorage({ name: "again" });
    const first = await storage.lock();
    const meanwhile = await storage.lock();
    await first?.release();
    return [first !== null, meanwhile !== null, (await storage.lock()) !== null];
  },
};

export type SdkPage = typeof calls;

let databases = 0;

function fresh(): Connection {
  databases += 1;
  return new Connection(`${performance.timeOrigin}-${databases}`);
}

function same(found: unknown, expected: unknown): void {
  const [one, other] = [text(found), text(expected)];
  if (one !== other) throw new Error(`found ${one}, expected ${other}`);
}

/** JSON with members in the order of their names. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => a.localeCompare(b)))
      : member,
  );
}

Object.assign(globalThis, { sdk: calls });
