import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { admin } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { CHANGES } from "./changes.ts";

/** What the sequencers write by themselves, a little after a change that they were told of. */
const OWN_TIME = ["profile_pushes", "sequencer_incarnations"];

/** All that the database holds but the audit log, as text by table. */
async function contents(): Promise<Record<string, string>> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf*' AND name <> 'audit_log'",
  ).all<{ name: string }>();
  const tables = results.filter(({ name }) => !OWN_TIME.includes(name));
  const rows = await env.DB.batch(tables.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`)));
  return Object.fromEntries(tables.map(({ name }, at) => [name, JSON.stringify(rows[at]?.results)]));
}

test.each(Object.entries(CHANGES))("%s changes nothing where its audit row cannot be written", async (route, prepare) => {
  const { path, body, headers } = await prepare();
  const before = await contents();
  const [method = ""] = route.split(" ");
  await env.DB.prepare("CREATE TRIGGER audit_full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END").run();
  try {
    const { status, body: answer } = await admin(method, path, body, headers);
    // Of many at once, each says for itself that it failed.
    if (route === "POST /v1/admin/pipeline/redrive")
      expect(answer).toMatchObject({ redriven: [], failed: [{ code: "SERVICE_UNAVAILABLE" }] });
    else expect(status, JSON.stringify(answer)).toBeGreaterThanOrEqual(500);
  } finally {
    await env.DB.prepare("DROP TRIGGER audit_full").run();
  }
  expect(await contents()).toEqual(before);
});

/** Each time that these are called they look at everything anew, whatever was found before. */
const ANEW = ["POST /v1/admin/devices/:id/sequencer/trust", "POST /v1/admin/pipeline/relist"];
/** What there is nothing to do for any more is answered so, and its caller may have signed itself out. */
const SETTLED = [200, 201, 202, 401, 409];
const posts = Object.entries(CHANGES).filter(([route]) => route.startsWith("POST ") && !ANEW.includes(route));
/** A letter goes into the queue before that is written down, and so may go twice at once: its chunk is recorded once. */
const ONE_BY_ONE = ["POST /v1/admin/pipeline/dead-letters/:id/redrive", "POST /v1/admin/pipeline/redrive"];

test.each(posts)("%s leaves one audit row when it comes again under its Idempotency-Key, later and at once", async (route, prepare) => {
  const { path, body, headers } = await prepare();
  const before = (await auditRows()).length;
  const key = { "Idempotency-Key": crypto.randomUUID() };
  const send = () => admin("POST", path, body, { ...headers, ...key });
  const first = ONE_BY_ONE.includes(route) ? [await send()] : await Promise.all([send(), send()]);
  const answers = [...first, await send()];
  expect(Math.min(...answers.map(({ status }) => status))).toBeLessThan(300);
  for (const { status, body: answer } of answers) expect(SETTLED, JSON.stringify(answer)).toContain(status);
  expect(await auditRows()).toHaveLength(before + 1);
});

test("a claim code that is asked for again under its key is the same, and is kept nowhere", async () => {
  const ask = () =>
    admin("POST", "/v1/device/pairing/create-claim", { name: "Entrance" }, { "Idempotency-Key": "the-same-claim-code-again" });
  const [first, second] = [await ask(), await ask()];
  expect(first.body.claim_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
  expect(second.body).toEqual(first.body);
  expect(second.headers.get("Idempotency-Replayed")).toBe("true");
  expect(JSON.stringify(await contents())).not.toContain(first.body.claim_code);
  expect(
    await admin("POST", "/v1/device/pairing/create-claim", { name: "Exit" }, { "Idempotency-Key": "the-same-claim-code-again" }),
  ).toMatchObject({
    status: 409,
    body: { code: "IDEMPOTENCY_KEY_REUSED" },
  });
});
