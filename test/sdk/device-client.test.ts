import { afterEach, describe, expect, test } from "vitest";
import type { ClientState } from "../../src/sdk/device-client.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { MemoryStorage } from "../../src/sdk/memory.ts";
import type { PlayingSlot } from "../../src/sdk/what-plays.ts";
import { FakeEdge, FILE_SHA256, PLAN } from "./fake-edge.ts";
import { DEVICE } from "./paired.ts";

const edges: { edge: FakeEdge; stop: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const { stop } of edges.splice(0)) await stop();
});

/** What the player of the test is stopped by, when it is over. */
function watch<T extends { client: { stop: () => Promise<void> } }>(edge: FakeEdge, player: T): T {
  edges.push({ edge, stop: () => player.client.stop() });
  return player;
}

function nowShown(client: { whatPlays: () => unknown }): PlayingSlot {
  const playing = client.whatPlays() as PlayingSlot;
  expect(playing).toMatchObject({ kind: "slot", item: { sha256: FILE_SHA256 } });
  return playing;
}

const kinds = (events: { type: string; state?: ClientState }[]) => events.flatMap(({ state }) => (state ? [state.kind] : []));

describe("pairing", () => {
  test("by the device's own code: shown, approved, and the player runs, with its plan and its file", async () => {
    const edge = new FakeEdge();
    const { client, events } = watch(edge, edge.player());
    client.start();
    await edge.host.until("there is a code", () => client.state.kind === "unpaired" && client.state.claimCode !== null);
    expect(client.state).toMatchObject({ kind: "unpaired", claimCode: "CODE1", problem: null });
    expect(client.whatPlays()).toBe(null);
    edge.approved = true;
    await edge.host.until("the file is here", () => client.has(FILE_SHA256));
    expect(client.state).toEqual({ kind: "running", deviceId: DEVICE });
    // Without a code, with it, and paired; however often it asked.
    expect(kinds(events)).toEqual(["unpaired", "unpaired", "running"]);
    nowShown(client);
  });

  test("by a code typed in, whatever became of its own", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, edge.player());
    client.start();
    await edge.host.until("it waits", () => client.state.kind === "unpaired");
    await expect(client.pair("wrong")).rejects.toMatchObject({ code: "CLAIM_NOT_FOUND" });
    expect(client.state.kind).toBe("unpaired");
    await client.pair("typed in");
    await edge.host.until("it runs", () => client.state.kind === "running");
    await expect(client.pair("typed in")).rejects.toThrow("does not wait to be paired");
  });

  test("goes on with its code after a restart, and asks for another one where that has ended or was rejected", async () => {
    const edge = new FakeEdge();
    const storage = new MemoryStorage();
    const first = edge.player(storage);
    first.client.start();
    await edge.host.until("there is a code", () => first.client.state.kind === "unpaired" && first.client.state.claimCode !== null);
    await first.client.stop();
    const { client } = watch(edge, edge.player(storage));
    client.start();
    await edge.host.until("it is shown again", () => client.state.kind === "unpaired" && client.state.claimCode === "CODE1");
    for (const [refusal, next] of [
      [{ status: 410, body: { code: "CLAIM_EXPIRED", detail: "over" } }, "CODE2"],
      [{ status: 403, body: { code: "CLAIM_REJECTED", detail: "no" } }, "CODE3"],
    ] as const) {
      edge.claimRefusal = refusal;
      await edge.host.until(`${next} is shown`, () => client.state.kind === "unpaired" && client.state.claimCode === next);
    }
    edge.approved = true;
    await edge.host.until("it runs", () => client.state.kind === "running");
  });

  test("is asked for anew where the device's key was lost and nothing else: by another one nothing would be taken", async () => {
    const edge = new FakeEdge();
    const before = await edge.running();
    await before.client.stop();
    await before.storage.identity.save(await createIdentity("EdDSA"));
    edge.approved = false;
    const { client } = watch(edge, edge.player(before.storage));
    client.start();
    await edge.host.until("there is a code", () => client.state.kind === "unpaired" && client.state.claimCode !== null);
    edge.approved = true;
    await edge.host.until("it runs", () => client.state.kind === "running");
    await client.stop();
    client.start();
    await edge.host.until("it runs again without a code", () => client.state.kind === "running");
    expect(edge.codes).toBe(2);
  });

  test("without a network says so, and goes on when there is one", async () => {
    const edge = new FakeEdge();
    edge.broken = "lost";
    const { client } = watch(edge, edge.player());
    client.start();
    await edge.host.until("it says so", () => client.state.kind === "unpaired" && client.state.problem !== null);
    edge.broken = null;
    edge.approved = true;
    await edge.host.until("it runs", () => client.state.kind === "running");
  });
});

describe("a player that runs", () => {
  test("reports what it showed, signed and numbered, and says in heartbeats what it shows", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running(new MemoryStorage(), { metadata: () => ({ screen_resolution: "1920x1080" }) }));
    const play = client.play(nowShown(client));
    const beats = edge.beats.length;
    await edge.host.until("a heartbeat goes out", () => edge.beats.length > beats);
    expect(edge.beats.at(-1)).toMatchObject({
      now_playing: { content_id: PLAN.items.a?.content_id, slot_id: "k-0", duration_s: 20 },
      disk_used_bytes: 100,
      plan_etag: "plan-1",
      counters: { restarts: 1, download_failures: 0, plays_refused: 0, plays_dropped_full: 0, plays_dropped_old: 0 },
    });
    await play.finish();
    await edge.host.until("the log has arrived", () => edge.logs.length === 1);
    expect(edge.logs[0]).toMatchObject({
      device_id: DEVICE,
      status: "COMPLETED",
      sequence: 1,
      slot_id: "k-0",
      content_version: FILE_SHA256,
      campaign_id: "134f86e7-7ad8-4962-a649-96572230be4a",
      duration_expected: 20,
      metadata: { screen_resolution: "1920x1080" },
    });
    await edge.host.until("a heartbeat says that nothing is shown", () => edge.beats.at(-1)?.now_playing === null);
    expect(await client.status()).toMatchObject({
      planEtag: "plan-1",
      ready: true,
      clockOffsetMs: 0,
      queue: { waiting: 0 },
      lastError: null,
    });
  });

  test("does each command once, and tells of it at once", async () => {
    const edge = new FakeEdge();
    const levels: unknown[] = [];
    const set_volume = async ({ level }: Record<string, unknown>) => {
      levels.push(level);
      return { level };
    };
    watch(edge, await edge.running(new MemoryStorage(), { commands: { set_volume } }));
    edge.commands = [{ id: "c1", type: "set_volume", params: { level: 40 } }];
    await edge.host.until("the result is told", () => edge.commands.length === 0);
    expect(levels).toEqual([40]);
    const [asked, told] = edge.beats.slice(-2);
    expect(told?.command_results).toEqual([{ id: "c1", status: "done", detail: { level: 40 } }]);
    expect(Date.parse(String(told?.device_time)) - Date.parse(String(asked?.device_time))).toBe(0);
  });

  test("clears its files and fetches its plan when it is told to", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running());
    edge.commands = [
      { id: "c1", type: "clear_cache", params: {} },
      { id: "c2", type: "refresh_plan", params: {} },
      { id: "c3", type: "screenshot", params: {} },
    ];
    await edge.host.until("the results are told", () => edge.commands.length === 0);
    const results = edge.beats.flatMap(({ command_results }) => command_results as { id: string; status: string; detail: unknown }[]);
    expect(results.find(({ id }) => id === "c1")).toMatchObject({ status: "done", detail: { files: 1 } });
    expect(results.find(({ id }) => id === "c2")).toMatchObject({ status: "done", detail: { plan: "unchanged", etag: "plan-1" } });
    expect(results.find(({ id }) => id === "c3")).toMatchObject({ status: "failed" });
    await edge.host.until("the file is here again", () => client.has(FILE_SHA256));
  });

  test("keeps its plan where the next one cannot be played, and tells why", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running());
    edge.plan = { ...PLAN, etag: "plan-2", segments: [] };
    await edge.host.until("it is told", () => typeof edge.beats.at(-1)?.last_error === "string");
    expect(edge.beats.at(-1)?.last_error).toBe("The plan cannot be played: its segments do not reach valid_to.");
    expect([client.plan?.etag, nowShown(client).slot.slot_id]).toEqual(["plan-1", "k-0"]);
    edge.plan = { ...PLAN, etag: "plan-3" };
    await edge.host.until("the good one is taken", () => client.plan?.etag === "plan-3");
    await edge.host.until("the error is gone", () => edge.beats.at(-1)?.last_error === null);
  });

  test("keeps to a cap by the store's hours", async () => {
    const edge = new FakeEdge();
    edge.plan = { ...PLAN, items: { a: { ...PLAN.items.a, caps: { max_plays_per_hour: 2 } } } };
    const { client } = watch(edge, await edge.running());
    for (const _ of [1, 2]) await client.play(nowShown(client)).finish();
    expect(client.whatPlays()).toMatchObject({ kind: "nothing" });
    expect(client.whatPlays(client.serverNow() + 3_600_000)).toMatchObject({ kind: "slot" });
  });

  test("proves a play by a picture that was taken in its middle", async () => {
    const edge = new FakeEdge();
    const at: number[] = [];
    const screenshot = async () => {
      at.push(edge.host.elapsed);
      return new Uint8Array(new TextEncoder().encode("hello"));
    };
    const { client } = watch(edge, await edge.running(new MemoryStorage(), { screenshot, wantsScreenshot: () => true }));
    const began = edge.host.elapsed;
    const play = client.play(nowShown(client));
    await edge.host.until("it has its picture", () => play.note().screenshot_hash !== undefined);
    const log = await play.finish();
    expect(log.screenshot_hash).toBe("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    expect(at.length).toBe(1);
    expect((at[0] ?? 0) - began).toBeGreaterThanOrEqual(8000);
    expect((at[0] ?? 0) - began).toBeLessThanOrEqual(12_000);
    await edge.host.until("the picture has arrived", () => edge.screenshots.length === 1);
    expect(edge.screenshots[0]).toBe(log.screenshot_hash);
  });

  test("drops what no server takes any more, and says how much in its heartbeats", async () => {
    const edge = new FakeEdge();
    const storage = new MemoryStorage();
    watch(edge, await edge.running(storage));
    edge.brokenAt.set("/api/v1/playback-logs/batch", "lost");
    await storage.queue.append({ log_id: "old", text: "{}", madeAt: edge.host.wall - 7 * 86_400_000 - 1 });
    const counted = () => edge.beats.map(({ counters }) => (counters as Record<string, number>).plays_dropped_old);
    await edge.host.until("it is told", () => counted().at(-1) === 1);
    expect((await storage.queue.refused()).map(({ code }) => code)).toEqual(["QUEUE_TOO_OLD"]);
  });

  test("goes on where everything that listens to it fails", async () => {
    const edge = new FakeEdge();
    edge.approved = true;
    const { client } = watch(edge, edge.player());
    client.on(() => {
      throw new Error("a display's fault");
    });
    client.start();
    await edge.host.until("the file is here", () => client.has(FILE_SHA256));
  });
});

describe("when the network comes back", () => {
  /** Leaves the player without a network, with a play to send, until its sender waits for minutes. */
  async function cutOff(edge: FakeEdge) {
    const player = watch(edge, await edge.running());
    edge.broken = "lost";
    await player.client.play(nowShown(player.client)).finish();
    await edge.host.until("its sender waits for minutes", () => edge.host.slept.includes(150_000));
    return player;
  }

  test("the first call that is answered wakes the sender, which had minutes to wait", async () => {
    const edge = new FakeEdge();
    await cutOff(edge);
    edge.broken = null;
    await edge.host.until("a heartbeat was heard", () => edge.beats.length > 0 && edge.logs.length === 0);
    const since = edge.host.elapsed;
    await edge.host.until("the log has arrived", () => edge.logs.length === 1);
    expect(edge.host.elapsed - since).toBeLessThanOrEqual(60_000);
    expect(edge.beats.length).toBeGreaterThan(1);
  });

  test("and the machine says so, nothing waits", async () => {
    const edge = new FakeEdge();
    const { client } = await cutOff(edge);
    edge.broken = null;
    const [since, beats] = [edge.host.elapsed, edge.beats.length];
    client.tryAgain();
    await edge.host.settle();
    expect([edge.logs.length, edge.beats.length - beats, edge.host.elapsed - since]).toEqual([1, 1, 0]);
  });

  test("a wait that the server asked for is waited out all the same", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running());
    edge.brokenAt.set("/api/v1/playback-logs/batch", { status: 503, headers: { "Retry-After": "90" } });
    await client.play(nowShown(client)).finish();
    const sent = () => edge.asked("/api/v1/playback-logs/batch").length;
    await edge.host.until("it has tried", () => sent() === 1);
    const [since, beats] = [edge.host.elapsed, edge.beats.length];
    edge.brokenAt.clear();
    client.tryAgain();
    await edge.host.until("the log has arrived", () => edge.logs.length === 1);
    expect([sent(), edge.host.elapsed - since]).toEqual([2, 90_000]);
    expect(edge.beats.length).toBeGreaterThan(beats);
  });

  test("a plan whose first request was lost is asked for again within seconds, not with the next heartbeat", async () => {
    const edge = new FakeEdge();
    edge.brokenAt.set("/v1/device/plan", "lost");
    edge.approved = true;
    const { client } = watch(edge, edge.player());
    client.start();
    const asked = () => edge.asked("/v1/device/plan").length;
    // With the start, with the first heartbeat, and then by itself.
    await edge.host.until("it has asked four times", () => asked() === 4);
    expect([edge.beats.length, client.plan]).toEqual([1, null]);
    edge.brokenAt.clear();
    const since = edge.host.elapsed;
    await edge.host.until("it has its file", () => client.has(FILE_SHA256));
    expect([edge.beats.length, edge.host.elapsed - since < 10_000]).toEqual([1, true]);
  });
});

describe("without the server", () => {
  test.each([
    ["there is no network", "lost" as const],
    ["a network wants a login", { status: 200, pieces: [new TextEncoder().encode("<html>Log in</html>")] }],
    ["it is down", { status: 503, headers: { "Retry-After": "30" } }],
    ["something in between refuses the token", { status: 401 }],
    ["something in between forbids it", { status: 403 }],
  ])("a player that starts while %s plays what it has, and reports it when that is over", async (_, broken) => {
    const edge = new FakeEdge();
    const before = await edge.running();
    await before.client.stop();
    edge.broken = broken;
    const { client, storage } = watch(edge, edge.player(before.storage));
    client.start();
    await edge.host.until("it runs", () => client.state.kind === "running");
    const ids = [];
    for (let n = 0; n < 3; n++) {
      const play = client.play(nowShown(client));
      ids.push(play.logId);
      edge.host.pass(20_000);
      await play.finish();
    }
    await edge.host.until("it has tried again and again", () => edge.asked("/").length > 30);
    expect([await storage.queue.waiting(), client.state.kind]).toEqual([3, "running"]);
    edge.broken = null;
    await edge.host.until("the logs have arrived", async () => (await storage.queue.waiting()) === 0);
    expect(edge.logs.map(({ log_id }) => log_id)).toEqual(ids);
  });

  test("it plays for the 72 hours that its plan reaches, and says when that is over", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running());
    edge.broken = "lost";
    edge.host.pass(72 * 3_600_000);
    nowShown(client);
    edge.host.pass(12 * 3_600_000);
    expect(client.whatPlays()).toEqual({ kind: "over" });
  });
});

describe("an end", () => {
  test("by hand interrupts what is on the screen", async () => {
    const edge = new FakeEdge();
    const { client, storage } = await edge.running();
    client.play(nowShown(client), "cut");
    edge.host.pass(7000);
    await client.stop();
    expect(client.state).toEqual({ kind: "off" });
    expect((await storage.queue.ready(0, 9)).map(({ text }) => JSON.parse(text) as object)).toMatchObject([
      { log_id: "cut", status: "INTERRUPTED", duration_actual: 7 },
    ]);
  });

  test("of the power is found at the next start, and the play reported as long as it is known to have lasted", async () => {
    const edge = new FakeEdge();
    const before = await edge.running();
    before.client.play(nowShown(before.client), "cut");
    const began = edge.host.elapsed;
    await edge.host.until("its progress was noted", () => edge.host.elapsed - began >= 10_000);
    await before.client.stop("leave");
    const { client, events } = watch(edge, edge.player(before.storage));
    client.start();
    await edge.host.until("it has arrived", () => edge.logs.length === 1);
    expect(events).toContainEqual({ type: "recovered", logId: "cut" });
    expect(edge.logs[0]).toMatchObject({ log_id: "cut", status: "INTERRUPTED" });
    expect(edge.logs[0]?.duration_actual).toBeGreaterThanOrEqual(5);
  });

  test("by the server's word stops the player, and it can be paired anew", async () => {
    const edge = new FakeEdge();
    const { client } = watch(edge, await edge.running());
    edge.revoked = true;
    await edge.host.until("it has stopped", () => client.state.kind === "stopped");
    expect(client.state).toEqual({ kind: "stopped", code: "DEVICE_REVOKED" });
    edge.revoked = false;
    edge.approved = false;
    await client.forget();
    client.start();
    await edge.host.until("there is a code", () => client.state.kind === "unpaired" && client.state.claimCode !== null);
  });
});

test("of two players on one storage one plays; the other says so, and takes over", async () => {
  const edge = new FakeEdge();
  const first = await edge.running();
  const second = watch(edge, edge.player(first.storage));
  second.client.start();
  await edge.host.until("it says so", () => second.client.state.kind === "elsewhere");
  expect(first.client.state.kind).toBe("running");
  await edge.host.settle();
  expect(second.client.whatPlays()).toBe(null);
  await first.client.stop();
  await edge.host.until("it has taken over", () => second.client.state.kind === "running");
});

test("a disk that is full stops nothing: what can be shown is shown, and it is told", async () => {
  const edge = new FakeEdge();
  const before = await edge.running();
  await before.client.stop();
  const { storage } = before;
  const value = storage.value.bind(storage);
  const full = async () => {
    throw new Error("disk full");
  };
  storage.value = (name) => ({ ...value(name), save: full });
  storage.queue.append = full;
  storage.files.append = full;
  edge.plan = { ...PLAN, etag: "plan-2" };
  const { client } = watch(edge, edge.player(storage));
  client.start();
  await edge.host.until("it has the new plan", () => client.plan?.etag === "plan-2");
  await expect(client.play(nowShown(client)).finish()).rejects.toThrow("disk full");
  await edge.host.until("it is told", () => edge.beats.at(-1)?.last_error === "The plan could not be kept: disk full");
  expect(client.state.kind).toBe("running");
});
