import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

test("a path that does not exist is a problem document with the request's correlation id", async () => {
  const answer = await exports.default.fetch("http://localhost/nowhere", { headers: { "X-Correlation-Id": "abcdefgh-1" } });
  expect(answer.status).toBe(404);
  expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
  expect(answer.headers.get("X-Correlation-Id")).toBe("abcdefgh-1");
  expect(await answer.json()).toMatchObject({ type: "/docs/errors/not-found", code: "NOT_FOUND", correlation_id: "abcdefgh-1" });
});
