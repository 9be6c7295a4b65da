import { expect, test } from "vitest";
import { app } from "../../workers/http.ts";
import { admin, call } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { CHANGES } from "./changes.ts";

const WRITING = ["POST", "PUT", "PATCH", "DELETE"];
const served = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => WRITING.includes(method) && (path.startsWith("/v1/admin/") || path.endsWith("/create-claim")))
      .map(({ method, path }) => `${method} ${path}`),
  ),
];

test("every change that an administrator can make is known here", () => {
  expect(Object.keys(CHANGES).sort()).toEqual(served.sort());
});

test.each(Object.entries(CHANGES))("%s leaves exactly one audit row, which says from where", async (route, prepare) => {
  const { path, body, headers } = await prepare();
  const before = (await auditRows()).map((row) => row.id);
  const [method = ""] = route.split(" ");
  const answer = await admin(method, path, body, { ...headers, "CF-Connecting-IP": "203.0.113.7", "X-Correlation-Id": "audit-test-1" });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  const rows = (await auditRows()).filter((row) => !before.includes(row.id));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.origin).toMatchObject({ network: "203.0.113.0/24", correlation_id: "audit-test-1" });
  expect(JSON.stringify(rows[0])).not.toContain("203.0.113.7");
});

test.each(Object.entries(CHANGES))("%s leaves none where it is refused for want of a token", async (route, prepare) => {
  const { path, body } = await prepare();
  const before = (await auditRows()).length;
  const [method = ""] = route.split(" ");
  expect((await call(method, path, body, { Authorization: "Bearer wrong" })).status).toBe(401);
  expect(await auditRows()).toHaveLength(before);
});
