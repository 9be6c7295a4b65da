import { describe, expect, test } from "bun:test";
import { FORGERIES, type Forgery, type RequestFate, UNDISTURBED } from "../../src/cli/fleet/decisions.ts";
import { forge } from "../../src/cli/fleet/forger.ts";
import { fitting, kindOf, NO_TROUBLES, ShakyNetwork } from "../../src/cli/fleet/shaky-network.ts";
import { outcomeOf } from "../../src/cli/fleet/steps.ts";
import { type Host, type HttpRequest, type SocketListener, systemHost } from "../../src/sdk/host.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { checksumOf, signPlayLog } from "../../src/sdk/record.ts";
import type { PlayingSlot } from "../../src/sdk/what-plays.ts";

const request: HttpRequest = { method: "POST", headers: {}, body: '{"logs":[1,2]}' };
const PLAYS = "http://x/api/v1/playback-logs/batch";

/** A network whose requests have these fates, in their order, and what has arrived. */
function networkOf(fates: Partial<RequestFate>[], host: Partial<Host> = {}) {
  const arrived: string[] = [];
  const troubles = { ...NO_TROUBLES };
  let sent = 0;
  const network = new ShakyNetwork({
    host: {
      ...systemHost,
      fetch: async (url) => {
        arrived.push(url);
        return new Response("{}");
      },
      sleep: async () => {},
      ...host,
    },
    clockErrorMs: () => 0,
    streams: host.openSocket !== undefined,
    fateOf: (_, number) => ({ ...UNDISTURBED, ...fates[number] }),
    onSentLogs: (logs) => {
      sent += logs;
    },
    tally: (what) => {
      troubles[what] += 1;
    },
  });
  return { network, arrived, troubles, sent: () => sent };
}

describe("a shaky network", () => {
  test("loses a request before it arrives, and an answer behind it", async () => {
    const { network, arrived, sent, troubles } = networkOf([{ lost: "request" }, { lost: "answer" }, {}]);
    await expect(network.fetch(PLAYS, request)).rejects.toThrow("the request was lost");
    expect([arrived.length, sent()]).toEqual([0, 0]);
    await expect(network.fetch(PLAYS, request)).rejects.toThrow("the answer was lost");
    expect([arrived.length, sent()]).toEqual([1, 2]);
    expect((await network.fetch(PLAYS, request)).status).toBe(200);
    expect(troubles).toMatchObject({ requestsLost: 1, answersLost: 1 });
  });

  test("delivers a request twice, or late, when nobody waits for it any more", async () => {
    const { network, arrived } = networkOf([{ doubled: true }, { lateMs: 1000 }]);
    expect((await network.fetch(PLAYS, request)).status).toBe(200);
    expect(arrived.length).toBe(2);
    await expect(network.fetch(PLAYS, request)).rejects.toThrow("no answer in time");
    await Bun.sleep(0);
    expect(arrived.length).toBe(3);
  });

  test.each([
    ["portal", 200],
    ["bad gateway", 502],
    ["forbidden", 403],
    ["busy", 503],
  ] as const)("has a %s answer in place of the server, with %p and no JSON", async (foreign, status) => {
    const { network, arrived } = networkOf([{ foreign }]);
    const answer = await network.fetch(PLAYS, request);
    expect([answer.status, arrived.length]).toEqual([status, 0]);
    expect(await answer.text()).toStartWith("<!doctype html>");
  });

  test("without a network nothing goes out, and what has gone out before is not counted as a try", async () => {
    const { network, arrived } = networkOf([{}, { lost: "request" }]);
    network.offline = true;
    await expect(network.fetch(PLAYS, request)).rejects.toThrow("offline");
    network.offline = false;
    expect((await network.fetch(PLAYS, request)).status).toBe(200);
    await expect(network.fetch(PLAYS, request)).rejects.toThrow("the request was lost");
    expect(arrived.length).toBe(1);
  });

  test("when all is calm nothing goes wrong, and when the power goes, what is under way breaks off", async () => {
    const waiting = Promise.withResolvers<Response>();
    const { network } = networkOf([{ lost: "request" }], { fetch: () => waiting.promise });
    network.calm = true;
    const broken = network.fetch(PLAYS, request);
    network.hangUp();
    await expect(broken).rejects.toThrow("the power is gone");
    const next = network.fetch(PLAYS, request);
    waiting.resolve(new Response("{}"));
    expect((await next).status).toBe(200);
  });

  test("never replays a refresh token, which would be a theft, and leaves pairing to the server", () => {
    const worst: RequestFate = { lost: null, doubled: true, lateMs: 9, slowMs: 9, foreign: "portal" };
    expect(fitting("token", worst)).toEqual({ ...UNDISTURBED, slowMs: 9 });
    expect(fitting("pairing", worst)).toEqual({ ...worst, foreign: null });
    expect(fitting("plays", worst)).toEqual(worst);
    expect(
      [PLAYS, "http://x/v1/device/token", "http://x/v1/device/pairing/claim", "http://x/v1/device/heartbeat", "x"].map(kindOf),
    ).toEqual([...(["plays", "token", "pairing", "heartbeat", "other"] as const)]);
  });
});

describe("a stream over it", () => {
  function streamOf(fates: Partial<RequestFate>[]) {
    const arrived: string[] = [];
    const heard: string[] = [];
    let server: SocketListener | null = null;
    const openSocket: NonNullable<Host["openSocket"]> = (_url, _protocols, listener) => {
      server = listener;
      return { send: (text) => arrived.push(text), close: () => {} };
    };
    const { network, sent } = networkOf(fates, { openSocket });
    const listener: SocketListener = {
      opened: () => heard.push("opened"),
      text: (text) => heard.push(text),
      closed: (code) => heard.push(`closed ${code}`),
    };
    const socket = network.openSocket?.("ws://x", [], listener);
    if (!socket || !server) throw new Error("no stream was opened");
    return { network, socket, server: server as SocketListener, arrived, heard, sent };
  }
  const frame = '{"type":"plays","id":"1","logs":[1,2,3]}';

  test("passes frames on, until it breaks before a frame of plays or before its answer", () => {
    const before = streamOf([{}, { lost: "request" }]);
    before.server.opened();
    before.socket.send("ping");
    before.socket.send(frame);
    before.server.text("verdicts 1");
    before.socket.send(frame);
    before.server.text("too late");
    expect([before.arrived, before.heard, before.sent()]).toEqual([["ping", frame], ["opened", "verdicts 1", "closed 1006"], 3]);
    const behind = streamOf([{ lost: "answer" }]);
    behind.socket.send(frame);
    behind.server.text("verdicts 1");
    behind.server.closed(1000, "");
    expect([behind.arrived, behind.heard]).toEqual([[frame], ["closed 1006"]]);
  });

  test("ends with the network, and opens none without it", async () => {
    const { heard, network, socket } = streamOf([]);
    network.offline = true;
    expect(heard).toEqual(["closed 1006"]);
    socket.send(frame);
    const closed: number[] = [];
    network.openSocket?.("ws://x", [], { opened: () => {}, text: () => {}, closed: (code) => closed.push(code) });
    await Bun.sleep(0);
    expect(closed).toEqual([1006]);
  });
});

test("each forgery is one that the server can tell: by its checksum, its signature or its device", async () => {
  const identity = await createIdentity("EdDSA");
  const log = await signPlayLog(identity, {
    ...{ log_id: "l", device_id: "d", content_id: "c", status: "COMPLETED", duration_actual: 15 },
    ...{ started_at: "2026-02-05T10:00:00.000Z", ended_at: "2026-02-05T10:00:15.000Z" },
  });
  const forged = async (forgery: Forgery) => await forge(log, forgery, "other");
  const stranger = await forged("signed by another key");
  expect([stranger.checksum === log.checksum, stranger.signature === log.signature]).toEqual([true, false]);
  const longer = await forged("made longer");
  expect([longer.duration_actual, longer.ended_at, longer.signature === log.signature]).toEqual([20, "2026-02-05T10:00:20.000Z", true]);
  expect(longer.checksum).not.toBe(await checksumOf(longer));
  const summed = await forged("made longer, and summed anew");
  expect([summed.checksum, summed.signature]).toEqual([await checksumOf(summed), log.signature]);
  expect((await forged("another device's")).device_id).toBe("other");
  expect(Object.keys(FORGERIES)).toHaveLength(4);
});

describe("how a slot's play ends", () => {
  const slotOf = (slotMs: number, durationMs: number | null, campaign: string | null = "k"): PlayingSlot => {
    const terms = { duration_ms: durationMs, campaign_id: campaign, ad_group_id: null, caps: {} };
    const item = { content_id: "c", type: "video" as const, sha256: "", url: null, bytes: null, ...terms };
    return { kind: "slot", slot: { slot_id: "s", item: "v", playlist_id: null }, item, terms, startsAt: 0, endsAt: slotMs };
  };
  const complete = { call: "finish", share: 1, status: "COMPLETED" } as const;
  const skip = { call: "skip", share: 0.3, status: "SKIPPED" } as const;

  test("as it was drawn, and only what is complete and of a campaign is billed", () => {
    expect(outcomeOf(slotOf(15_000, 15_000), complete)).toEqual({ ending: complete, durationMs: 15_000, billable: true });
    expect(outcomeOf(slotOf(15_000, 15_000, null), complete).billable).toBe(false);
    expect(outcomeOf(slotOf(15_000, null), complete).billable).toBe(false);
    expect(outcomeOf(slotOf(15_000, 15_000), skip)).toEqual({ ending: skip, durationMs: 4500, billable: false });
  });

  test("interrupted, where the plan cuts the slot", () => {
    expect(outcomeOf(slotOf(9000, 15_000), complete)).toMatchObject({
      ending: { status: "INTERRUPTED" },
      durationMs: 9000,
      billable: false,
    });
  });
});
