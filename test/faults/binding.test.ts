import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { isOutage, Outage } from "../../src/platform/outage.ts";
import { TimeoutError } from "../../src/platform/retry.ts";
import { app } from "../../workers/http.ts";
import { makeDevice } from "../support/device.ts";

/** The Worker's bindings with a database of which every statement fails so. */
function withoutDatabase(message: string): Env {
  const fail = () => Promise.reject(new Error(message));
  const statement: Record<string, unknown> = { first: fail, all: fail, run: fail, raw: fail };
  statement.bind = () => statement;
  return { ...env, DB: { prepare: () => statement, batch: fail, exec: fail } as unknown as D1Database };
}

const UUID = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
const JSON_TYPE = { "Content-Type": "application/json" };

describe("while the database is away", () => {
  const requests: [method: string, path: string, by: "admin" | "device" | "nobody", body?: unknown][] = [
    ["GET", "/v1/admin/stores", "admin"],
    ["GET", `/v1/admin/stores/${UUID}`, "admin"],
    ["POST", "/v1/admin/suppliers", "admin", { name: "Chain" }],
    ["PATCH", `/v1/admin/suppliers/${UUID}`, "admin", { name: "Chain" }],
    ["DELETE", `/v1/admin/stores/${UUID}`, "admin"],
    ["GET", "/v1/admin/incidents", "admin"],
    ["GET", `/v1/admin/devices/${UUID}/plan`, "admin"],
    ["PUT", `/v1/admin/playlists/${UUID}/items`, "admin", { items: [] }],
    ["POST", "/v1/device/pairing/create-claim", "nobody", { device_info: {} }],
    ["POST", "/v1/device/pairing/claim", "nobody", { claim_code: "BCDFGHJK", device_info: {} }],
    ["POST", "/v1/device/token", "nobody", { refresh_token: `rt_${"A".repeat(43)}` }],
    ["GET", "/v1/device/plan", "device"],
    ["GET", `/v1/device/content/${"a".repeat(64)}`, "device"],
  ];

  test.each(requests)("%s %s is answered 503, and when to come again", async (method, path, by, body) => {
    const tokens = { admin: "test-admin-token", device: (await makeDevice()).token, nobody: null };
    const answer = await app.request(
      path,
      {
        method,
        headers: { ...(tokens[by] === null ? {} : { Authorization: `Bearer ${tokens[by]}` }), ...(body === undefined ? {} : JSON_TYPE) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      withoutDatabase("D1_ERROR: Network connection lost."),
      createExecutionContext(),
    );
    expect(await answer.json()).toMatchObject({ type: "/docs/errors/service-unavailable", status: 503, code: "SERVICE_UNAVAILABLE" });
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "5"]);
  });

  test("what is wrong with a statement stays a fault of ours", async () => {
    const broken = withoutDatabase("D1_ERROR: no such column: nmae at offset 7: SQLITE_ERROR");
    const answer = await app.request(
      "/v1/admin/stores",
      { headers: { Authorization: "Bearer test-admin-token" } },
      broken,
      createExecutionContext(),
    );
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([500, null]);
  });
});

describe("an outage", () => {
  const inside = (message: string) => new Error("Failed query: select 1", { cause: new Error(message) });

  test.each([
    ["a lost connection", new Error("D1_ERROR: Network connection lost.")],
    ["a reset", new Error("D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.")],
    ["a deploy", new Error("D1_ERROR: D1 DB reset because its code was updated.")],
    ["a full queue", new Error("D1_ERROR: D1 DB is overloaded. Requests queued for too long.")],
    ["one behind the query builder", inside("D1_ERROR: Network connection lost.")],
    ["storage's own fault", new Error("put: We encountered an internal error. Please try again. (10001)")],
    ["a time limit", new TimeoutError("plan took over 500 ms")],
    ["an object that may be called again", Object.assign(new Error("any"), { retryable: true })],
    ["an object with too much to do", Object.assign(new Error("any"), { overloaded: true })],
    ["the pipeline's own word", new Outage("D1 cannot be reached")],
  ])("is %s", (_, error) => expect(isOutage(error)).toBe(true));

  test.each([
    ["a violated constraint", new Error("D1_ERROR: UNIQUE constraint failed: stores.id: SQLITE_CONSTRAINT")],
    ["an unknown column", inside("D1_ERROR: no such column: a at offset 7: SQLITE_ERROR")],
    ["a wrong hash", new Error("put: The SHA-256 checksum you specified did not match what we received. (10037)")],
    ["a bug", new TypeError("Cannot read properties of undefined")],
    ["no error at all", "Network connection lost"],
  ])("is not %s", (_, error) => expect(isOutage(error)).toBe(false));
});
