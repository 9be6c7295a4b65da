import { expect, test } from "vitest";
import { Problem } from "../../src/platform/errors.ts";
import { answerTo, closingOf } from "../../src/stream/closing.ts";
import { readFrame } from "../../src/stream/frames.ts";
import { readHandshake } from "../../src/stream/protocol.ts";

test.each<[Record<string, string>, ReturnType<typeof readHandshake>]>([
  [{}, { upgrade: false, version: false, authorization: null }],
  [
    { Upgrade: "WebSocket", "Sec-WebSocket-Protocol": "alive.v1,bearer.a.b-c" },
    { upgrade: true, version: true, authorization: "Bearer a.b-c" },
  ],
  [
    { Upgrade: "websocket", "Sec-WebSocket-Protocol": "bearer.x , alive.v1", Authorization: "Bearer own" },
    { upgrade: true, version: true, authorization: "Bearer own" },
  ],
  [
    { Upgrade: "h2c", "Sec-WebSocket-Protocol": "alive.v10" },
    { upgrade: false, version: false, authorization: null },
  ],
])("the handshake %j", (headers, read) => {
  expect(readHandshake(new Headers(headers))).toEqual(read);
});

test("a problem with who speaks ends the stream, any other only refuses the frame", () => {
  expect(closingOf(new Problem("unauthorized", "", { code: "TOKEN_EXPIRED" }))).toEqual({ code: 4401, reason: "TOKEN_EXPIRED" });
  expect(closingOf(new Problem("device-revoked", ""))).toEqual({ code: 4403, reason: "DEVICE_REVOKED" });
  expect(closingOf(new Problem("rate-limit-exceeded", ""))).toBeNull();
  expect(closingOf(new Problem("internal-error", ""))).toBeNull();
});

test("a close is answered with its code, or with 1000 where that may not be sent", () => {
  expect([1000, 1001, 4000, 1005, 1006, 1015].map(answerTo)).toEqual([1000, 1001, 4000, 1000, 1000, 1000]);
});

test("a frame is read with its id, text or number, and keeps all its members", () => {
  const frame = { type: "plays", id: 7, logs: [], more: 1 };
  expect(readFrame(JSON.stringify(frame))).toEqual({ frame: { type: "plays", id: 7, body: frame } });
  expect(readFrame('{"type":"plays","id":"7"}')).toMatchObject({ frame: { id: "7" } });
  expect(readFrame('{"type":"plays","id":1.5}')).toMatchObject({ id: null, problem: { type: "validation-error" } });
  expect(readFrame('{"type":"plays","id":""}')).toMatchObject({ id: null, problem: { type: "validation-error" } });
});
