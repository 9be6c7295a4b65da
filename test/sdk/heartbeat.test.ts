import { describe, expect, test } from "vitest";
import type { CommandResult } from "../../src/sdk/commands.ts";
import { type Beat, HeartbeatClient, type HeartbeatNews, heartbeatBody, readNews, type Vitals } from "../../src/sdk/heartbeat.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { paired } from "./paired.ts";

const vitals: Vitals = {
  now_playing: { content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e", started_at: "2026-11-20T11:59:55.000Z", duration_s: 15 },
  disk_used_bytes: 1000,
  disk_total_bytes: 16_000,
  plan_etag: "plan-1",
  counters: { restarts: 2, download_failures: 1 },
  player_version: "1.2.3",
};
const body = {
  server_time: "2026-11-20T11:58:00.000Z",
  clock_offset_ms: 120_000,
  plan_etag: "plan-2",
  epoch: "e",
  expected_sequence: 813,
  commands: [{ id: "c1", type: "set_volume", params: { level: 40 }, created_at: "x", expires_at: "y" }],
  policy: { heartbeat_interval_s: 20, storage_cap_bytes: 5000 },
  next_heartbeat_s: 20,
};
const news: HeartbeatNews = {
  serverTime: Date.parse("2026-11-20T11:58:00.000Z"),
  planEtag: "plan-2",
  position: { epoch: "e", expectedSequence: 813 },
  commands: [{ id: "c1", type: "set_volume", params: { level: 40 } }],
  storageCapBytes: 5000,
  nextHeartbeatMs: 20_000,
};

function setUp(reply: (request: SeenRequest) => Reply, results: CommandResult[] = []) {
  const { access, clock, host } = paired(reply);
  const heard: [HeartbeatNews, CommandResult[]][] = [];
  const options = {
    ...access,
    clock,
    vitals: async () => vitals,
    results: () => results,
    onNews: async (one: HeartbeatNews, told: CommandResult[]) => {
      heard.push([one, told]);
    },
  };
  return { host, clock, heard, options, client: new HeartbeatClient(options) };
}

/** Runs the loop for so many heartbeats. */
async function runFor(beats: number, { host, client }: Pick<ReturnType<typeof setUp>, "host" | "client">) {
  const stop = new AbortController();
  const sleep = host.sleep.bind(host);
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.slept.length === beats) stop.abort();
  };
  await client.run(stop.signal);
}

describe("a heartbeat", () => {
  test("says how the player is, by the device's clock, with the results that wait, and hears what is new", async () => {
    const results = [{ id: "c0", status: "done" as const, detail: null }];
    const { client, heard, host } = setUp(() => ({ status: 200, body }), results);
    expect(await client.beatOnce()).toEqual({ kind: "taken", news, failure: null });
    expect(host.requests).toEqual([
      {
        url: "http://edge/v1/device/heartbeat",
        headers: { "Content-Type": "application/json", Authorization: "Bearer token-1" },
        text: JSON.stringify({ ...vitals, last_error: null, device_time: "2026-11-20T12:00:00.000Z", command_results: results }),
      },
    ]);
    expect(heard).toEqual([[news, results]]);
  });

  test("measures the clock by the server's time", async () => {
    const { client, clock, host } = setUp(() => {
      host.pass(100);
      return { status: 200, body };
    });
    await client.beatOnce();
    // From 12:00:00.000 to .100 by the device; the server said 11:58:00.
    expect(clock.offsetMs).toBe(120_050);
  });

  test("tells in the next one what the player could not do with the news", async () => {
    const { host, options } = setUp(() => ({ status: 200, body }));
    const client = new HeartbeatClient({ ...options, onNews: () => Promise.reject(new Error("disk full")) });
    expect(await client.beatOnce()).toMatchObject({ kind: "taken", failure: "disk full" });
    await client.beatOnce();
    expect(host.requests.map(({ text }) => (JSON.parse(text) as Vitals).last_error)).toEqual([null, "disk full"]);
  });

  test("has no text that is longer than the server takes", () => {
    const said = heartbeatBody({ ...vitals, last_error: "x".repeat(900), player_version: "v".repeat(99) }, 0, []);
    expect(said).toMatchObject({ last_error: "x".repeat(500), player_version: "v".repeat(64) });
  });
});

describe("an answer", () => {
  test("without what it may lack is still read", () => {
    expect(
      readNews({ server_time: "2026-11-20T11:58:00.000Z", next_heartbeat_s: 60, plan_etag: null, commands: [7, { id: "a" }] }),
    ).toEqual({
      serverTime: Date.parse("2026-11-20T11:58:00.000Z"),
      planEtag: null,
      position: null,
      commands: [],
      storageCapBytes: null,
      nextHeartbeatMs: 60_000,
    });
  });

  test.each([
    [0, 1000],
    [-5, 1000],
    [1e9, 3_600_000],
  ])("that asks for the next one in %d s gets it in %d ms", (next_heartbeat_s, expected) => {
    expect(readNews({ ...body, next_heartbeat_s })?.nextHeartbeatMs).toBe(expected);
  });

  test.each<[string, Reply, Beat]>([
    [
      "a refusal of what was said",
      { status: 400, body: { code: "VALIDATION_ERROR", detail: "/counters" } },
      { kind: "refused", code: "VALIDATION_ERROR", error: "/counters" },
    ],
    ["no time", { status: 200, body: {} }, { kind: "refused", code: "HTTP_200", error: "The server answered 200." }],
    ["revocation", { status: 403, body: { code: "DEVICE_REVOKED" } }, { kind: "stopped", code: "DEVICE_REVOKED" }],
    ["nothing", "lost", { kind: "wait", retryAfterMs: null, reason: "connection lost" }],
  ])("of %s is told", async (_, reply, expected) => {
    const { client, heard } = setUp(() => reply);
    expect(await client.beatOnce()).toEqual(expected);
    expect(heard).toEqual([]);
  });
});

describe("the loop", () => {
  test("sends the next one when the server asks for it", async () => {
    const up = setUp(() => ({ status: 200, body: { ...body, next_heartbeat_s: up.host.requests.length === 1 ? 20 : 45 } }));
    await runFor(3, up);
    expect(up.host.slept).toEqual([20_000, 45_000, 45_000]);
  });

  test("through an outage waits ever longer, but no longer than between heartbeats, and as long as the server asks for", async () => {
    const replies: Reply[] = [
      { status: 200, body },
      ...Array<Reply>(7).fill("lost"),
      { status: 503, headers: { "Retry-After": "90" } },
      { status: 200, body },
      "lost",
    ];
    const up = setUp(() => replies[up.host.requests.length - 1] ?? "lost");
    await runFor(11, up);
    expect(up.host.slept).toEqual([20_000, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 90_000, 20_000, 500]);
  });

  test("goes on where the player cannot even say how it is, and ends when the device may write no more", async () => {
    const up = setUp(() => ({ status: 403, body: { code: "DEVICE_REVOKED" } }));
    let asked = 0;
    const client = new HeartbeatClient({
      ...up.options,
      vitals: async () => {
        asked += 1;
        if (asked === 1) throw new Error("no disk");
        return vitals;
      },
    });
    await client.run(new AbortController().signal);
    expect(up.host.slept).toEqual([500]);
    expect(up.host.requests.length).toBe(1);
  });
});
