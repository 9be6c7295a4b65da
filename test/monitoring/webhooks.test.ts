import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { type IncidentRow, incidentStatements } from "../../src/monitoring/incidents.ts";
import { toIso } from "../../src/platform/time.ts";
import { fanOut } from "../../src/webhooks/dispatch.ts";
import { deliverAt, makeWebhook, receivedBy, verified } from "../support/webhooks.ts";

test("whoever subscribes hears of an incident when it opens and when it resolves, each once and signed", async () => {
  const webhook = await makeWebhook(["incident.opened", "incident.resolved"]);
  const deviceId = crypto.randomUUID();
  const now = Date.now() + 1000;
  await env.DB.batch(
    incidentStatements(env.DB, [{ kind: "open", finding: { deviceId, type: "LOW_STORAGE", details: { used_share: 0.95 } } }], now),
  );
  const incident = await env.DB.prepare("SELECT * FROM incidents WHERE device_id = ?").bind(deviceId).first<IncidentRow>();
  if (!incident) throw new Error("nothing was opened");
  await env.DB.batch(incidentStatements(env.DB, [{ kind: "resolve", incident, resolvedBy: null }], now + 1));
  await fanOut(env.DB, now + 2);
  await deliverAt(webhook, now + 2);
  const told = (await receivedBy(webhook)).map((message) => verified(webhook.secret, message)) as { type: string; data: object }[];
  const about = { id: incident.id, device_id: deviceId, type: "LOW_STORAGE", severity: "medium", details: { used_share: 0.95 } };
  expect(told.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
    { type: "incident.opened", data: { ...about, resolved_at: null } },
    { type: "incident.resolved", data: { ...about, resolved_at: toIso(now + 1) } },
  ]);
});

test("where the transaction is taken back, nobody is told", async () => {
  const webhook = await makeWebhook(["incident.opened"]);
  const finding = { deviceId: crypto.randomUUID(), type: "CRASH_LOOP" as const, details: {} };
  const now = Date.now() + 1000;
  await env.DB.batch(incidentStatements(env.DB, [{ kind: "open", finding }], now));
  await expect(env.DB.batch(incidentStatements(env.DB, [{ kind: "open", finding }], now))).rejects.toThrow("UNIQUE");
  await fanOut(env.DB, now + 1);
  await deliverAt(webhook, now + 1);
  expect(await receivedBy(webhook)).toHaveLength(1);
});
