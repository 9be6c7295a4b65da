import { describe, expect, test } from "vitest";
import { decodeChunk, encodeChunk, encodePlays } from "../../src/plays/chunk.ts";
import type { AcceptedPlay, Proof } from "../../src/plays/play.ts";

const header = { v: 1, device_id: "aa705f37-c8cc-4726-a32f-315d7df12ae3", incarnation: "0b0e0c5e-43a7-4c34-9bd7-5d3b1c2f6a11", number: 7 };

function play(index: number): { play: AcceptedPlay; proof: Proof } {
  return {
    play: {
      event_id: `id-${index}`,
      day: "2026-02-05",
      store_id: "store",
      supplier_id: "supplier",
      campaign_id: "",
      ad_group_id: "",
      playlist_id: "",
      content_id: "content",
      content_version: "",
      slot_id: 'a "quoted"\nslot',
      type: "PLAY",
      started_at_raw: 1,
      ended_at_raw: 2,
      started_at: 3,
      ended_at: 4,
      received_at: 5,
      duration_ms: 6,
      expected_ms: null,
      result: "COMPLETED",
      billable: 1,
      quality: 90,
      flags: "LATE",
      door: "playback-log",
      epoch: "0",
      sequence: null,
      record_hash: "ab",
      key_id: "kid",
      policy_version: "1",
      correlation_id: "c",
    },
    proof: { record: `{"n":${index},"text":"Thành phố\\n"}`, recordHash: "ab", signedBy: "record", signature: "c2ln" },
  };
}

const without = (given: Proof): Omit<Proof, "recordHash"> => ({
  record: given.record,
  signedBy: given.signedBy,
  signature: given.signature,
});

describe("a chunk", () => {
  test("is read as it was written: header, refusals, plays, records and signatures", () => {
    const plays = [play(1), play(2), play(3)];
    const bodies = encodePlays(plays, null, 1_000_000);
    const refusals: [number, string, string, number][] = [[3_600_000, "playback-log", "TOO_OLD", 4]];
    const chunk = decodeChunk(
      encodeChunk(
        { ...header, plays: 3, refusals },
        bodies.map(({ bytes }) => bytes),
      ),
    );
    expect(chunk.header).toEqual({ ...header, plays: 3, refusals });
    expect(chunk.plays).toMatchObject(plays.map((given) => ({ play: given.play, proof: without(given.proof), batch: null })));
    expect(chunk.plays.map(({ line }) => JSON.parse(line)[0])).toEqual(["id-1", "id-2", "id-3"]);
  });

  test("splits plays so that no body is over the size, and each body carries its batch's proof", () => {
    const batch = { lines: "alive-batch-v1\n…", signature: "c2ln" };
    const plays = Array.from({ length: 40 }, (_, index) => {
      const { play: accepted, proof } = play(index);
      return { play: accepted, proof: { ...proof, signedBy: "batch" as const, signature: null } };
    });
    const bodies = encodePlays(plays, batch, 1500);
    expect(bodies.length).toBeGreaterThan(5);
    for (const body of bodies) expect(body.bytes.length).toBeLessThanOrEqual(1500);
    const chunk = decodeChunk(
      encodeChunk(
        { ...header, plays: 40, refusals: [] },
        bodies.map(({ bytes }) => bytes),
      ),
    );
    expect(chunk.plays.map((read) => read.play.event_id)).toEqual(plays.map((given) => given.play.event_id));
    expect(chunk.plays.every((read) => read.batch?.lines === batch.lines)).toBe(true);
  });

  test("is refused when it is cut, miscounts, is of an unknown version, or is none", () => {
    const [body] = encodePlays([play(1)], null, 1_000_000);
    if (!body) throw new Error("no body");
    const whole = encodeChunk({ ...header, plays: 1, refusals: [] }, [body.bytes]);
    expect(() => decodeChunk(whole.subarray(0, whole.length - 1))).toThrow("cut short");
    expect(() => decodeChunk(encodeChunk({ ...header, plays: 2, refusals: [] }, [body.bytes]))).toThrow("says 2 plays and holds 1");
    expect(() => decodeChunk(new TextEncoder().encode(new TextDecoder().decode(whole).replace('"v":1', '"v":2')))).toThrow();
    const altered = (from: string, to: string) => () =>
      decodeChunk(new TextEncoder().encode(new TextDecoder().decode(whole).replace(from, to)));
    expect(altered('"COMPLETED"', '"PLAYED"')).toThrow("result");
    expect(altered('"2026-02-05"', '"5 February"')).toThrow("day");
    expect(altered(",6,", ",6.5,")).toThrow("duration_ms");
    expect(altered(',"LATE"', ",null")).toThrow("flags");
    expect(altered("record c2ln", "c2ln")).toThrow("proof");
    expect(() => decodeChunk(new Uint8Array([255, 10]))).toThrow();
    expect(() => decodeChunk(new Uint8Array(0))).toThrow();
  });
});
