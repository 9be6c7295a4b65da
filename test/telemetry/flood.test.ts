import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { isFlooding } from "../../src/plays/intake/flood.ts";
import { DEFAULT_REQUESTS_PER_MINUTE } from "../../src/plays/limits.ts";
import { playerId } from "../../src/telemetry/players.ts";
import { type SentEvents, submitEvents } from "../../src/telemetry/submit.ts";
import { makeDevice } from "../support/device.ts";
import { sentEvent } from "../support/telemetry.ts";

const receivedAt = Date.now();
/** A limit that is used up. */
const closed: RateLimit = { limit: async () => ({ success: false }) };

function sentBy(tokenId: string, records: unknown[]): SentEvents {
  const sender = { kind: "reporter", tokenId, scope: { all_content: true } } as const;
  return { sender, records, receivedAt, correlationId: "correlated", maxAgeMs: 60_000, queueMessages: null };
}

/** Notes what is asked of a binding. */
function watched<T extends object>(binding: T, asked: string[]): T {
  return new Proxy(binding, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      asked.push(String(property));
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}

test("a player that floods is turned away before D1 is asked or an object woken", async () => {
  const tokenId = crypto.randomUUID();
  const { contentId } = await makeDevice();
  const asked: string[] = [];
  const bindings = { DB: watched(env.DB, asked), SEQUENCER: watched(env.SEQUENCER, asked), FLOOD_LIMIT: closed };
  const send = async (deviceId: string) => await submitEvents(sentBy(tokenId, [sentEvent(contentId, { deviceId })]), bindings);
  for (let request = 0; request < DEFAULT_REQUESTS_PER_MINUTE; request++) await isFlooding(closed, playerId(tokenId, "loud"), receivedAt);
  await expect(send("loud")).rejects.toMatchObject({ type: "rate-limit-exceeded" });
  expect(asked).toEqual([]);
  expect((await send("quiet")).events).toEqual([{ status: "accepted" }]);
});

test("names made up for a token that is full share one rate; its own players go on", async () => {
  const tokenId = crypto.randomUUID();
  const { contentId } = await makeDevice();
  const woken: string[] = [];
  const bindings = { DB: env.DB, SEQUENCER: watched(env.SEQUENCER, woken), FLOOD_LIMIT: closed };
  const send = async (deviceIds: string[]) =>
    (
      await submitEvents(
        sentBy(
          tokenId,
          deviceIds.map((deviceId) => sentEvent(contentId, { deviceId })),
        ),
        bindings,
      )
    ).events.map((event) => (event.status === "rejected" ? event.code : event.status));
  expect(await send(["old"])).toEqual(["accepted"]);
  await env.DB.prepare(
    `INSERT INTO telemetry_players (token_id, player_id, created_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT ?, 'player ' || i, 0 FROM n`,
  )
    .bind(tokenId)
    .run();
  expect(await send(["old", "one too many"])).toEqual(["accepted", "PLAYER_LIMIT"]);

  woken.length = 0;
  const codes: string[] = [];
  for (let round = 0; round < 3; round++) codes.push(...(await send(["old", ...Array.from({ length: 49 }, () => crypto.randomUUID())])));
  const count = (code: string) => codes.filter((one) => one === code).length;
  expect(count("accepted")).toBe(3);
  expect(count("PLAYER_LIMIT")).toBe(DEFAULT_REQUESTS_PER_MINUTE);
  expect(count("RATE_LIMIT_EXCEEDED")).toBe(3 * 49 - DEFAULT_REQUESTS_PER_MINUTE);
  expect(woken.length).toBe(3 + DEFAULT_REQUESTS_PER_MINUTE);
});

test("a limiter that is away turns nobody away", async () => {
  const away: RateLimit = { limit: () => Promise.reject(new Error("injected: the limiter is away")) };
  const device = crypto.randomUUID();
  const asked = [];
  for (let request = 0; request <= DEFAULT_REQUESTS_PER_MINUTE; request++) asked.push(await isFlooding(away, device, receivedAt));
  expect(new Set(asked)).toEqual(new Set([false]));
});
