import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { app } from "../../workers/http.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const away = (): never => {
  throw new Error("away");
};
const brokenQueue = { metrics: async () => away() } as unknown as Queue;

async function health(bindings: Partial<Env>): Promise<[number, unknown]> {
  vi.spyOn(console, "error").mockReturnValue();
  const answer = await app.request("/healthz", {}, { ...env, ...bindings });
  return [answer.status, await answer.json()];
}

const WELL = { database: "ok", storage: "ok", queue: "ok" };

test.each<[string, Partial<Env>, number, Record<string, string>]>([
  ["all parts answer", {}, 200, WELL],
  [
    "the database does not",
    { DB: { prepare: () => ({ run: async () => away() }) } as unknown as D1Database },
    503,
    { ...WELL, database: "failed" },
  ],
  ["the storage does not", { BUCKET: { head: async () => away() } as unknown as R2Bucket }, 503, { ...WELL, storage: "failed" }],
  ["a queue does not", { PLAY_EVENTS_0: brokenQueue }, 503, { ...WELL, queue: "failed" }],
  ["a queue does not that is not in use", { PLAY_EVENTS_3: brokenQueue }, 200, WELL],
  ["one of four in use does not", { PLAY_EVENTS_3: brokenQueue, QUEUE_SHARDS: "4" }, 503, { ...WELL, queue: "failed" }],
])("/healthz where %s", async (_, bindings, status, parts) => {
  expect(await health(bindings)).toEqual([status, { status: status === 200 ? "ok" : "failed", parts }]);
});
