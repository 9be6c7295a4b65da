import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { decideAct } from "../../src/monitoring/decide.ts";
import {
  commitIncidents,
  INCIDENT_TYPES,
  type IncidentRow,
  incidentChanges,
  incidentStatements,
  openedRow,
  openIncidents,
} from "../../src/monitoring/incidents.ts";
import { admin } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { makeDevice } from "../support/device.ts";
import { incidentsOf } from "../support/heartbeats.ts";

const drift = (deviceId: string) => ({ deviceId, type: "CLOCK_DRIFT" as const, details: { clock_offset_ms: 9 } });

async function opened(deviceId: string = crypto.randomUUID()): Promise<IncidentRow> {
  await openIncidents(env.DB, [drift(deviceId)], 1000, []);
  const row = await env.DB.prepare("SELECT * FROM incidents WHERE device_id = ? AND resolved_at IS NULL")
    .bind(deviceId)
    .first<IncidentRow>();
  if (!row) throw new Error("not opened");
  return row;
}

describe("which changes lead from what is open to what is wrong", () => {
  const incident = (deviceId: string) => openedRow(drift(deviceId), 1);

  test("what is new opens once, what is open stays, what is gone and covered resolves", () => {
    const open = [incident("stays"), incident("gone"), incident("not covered")];
    const changes = incidentChanges([drift("stays"), drift("new"), drift("new")], open, ({ device_id }) => device_id !== "not covered");
    expect(changes).toEqual([
      { kind: "open", finding: drift("new") },
      { kind: "resolve", incident: open[1], resolvedBy: null },
    ]);
  });
});

describe("statements", () => {
  test("take their transaction back where one of the type is open already", async () => {
    const { device_id } = await opened();
    const stray = env.DB.prepare("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, 'x', 0, 0)").bind(device_id);
    await expect(env.DB.batch([stray, ...incidentStatements(env.DB, [{ kind: "open", finding: drift(device_id) }], 2)])).rejects.toThrow(
      /UNIQUE/,
    );
    expect(await env.DB.prepare("SELECT 1 FROM suppliers WHERE id = ?").bind(device_id).first()).toBeNull();
  });

  test("take it back where one was resolved already, and write the time and who otherwise", async () => {
    const incident = await opened();
    const resolve = incidentStatements(env.DB, [{ kind: "resolve", incident, resolvedBy: "someone" }], 7);
    await env.DB.batch(resolve);
    expect(await env.DB.prepare("SELECT resolved_at, resolved_by, version FROM incidents WHERE id = ?").bind(incident.id).first()).toEqual({
      resolved_at: 7,
      resolved_by: "someone",
      version: 2,
    });
    await expect(env.DB.batch(resolve)).rejects.toThrow();
  });

  test("who decided on what has changed decides anew", async () => {
    const device_id = crypto.randomUUID();
    let rounds = 0;
    await commitIncidents(env.DB, 5, async () => {
      rounds += 1;
      if (rounds === 1) {
        await opened(device_id);
        return { changes: [{ kind: "open", finding: drift(device_id) }], result: undefined };
      }
      return { changes: [], result: undefined };
    });
    expect(rounds).toBe(2);
    expect(await incidentsOf(device_id)).toHaveLength(1);
  });
});

describe("what people do", () => {
  const ROW = openedRow(drift("d"), 1);
  test.each([
    ["acknowledge", { kind: "acknowledge" }, ROW, { acknowledged_at: 9, acknowledged_by: "me" }],
    ["acknowledge again", { kind: "acknowledge" }, { ...ROW, acknowledged_at: 5 }, null],
    ["note", { kind: "note", notes: "n" }, ROW, { notes: "n" }],
    ["note the same", { kind: "note", notes: "n" }, { ...ROW, notes: "n" }, null],
    ["wipe notes", { kind: "note", notes: null }, { ...ROW, notes: "n" }, { notes: null }],
    ["resolve", { kind: "resolve" }, ROW, { resolved_at: 9, resolved_by: "me" }],
    ["resolve again", { kind: "resolve" }, { ...ROW, resolved_at: 5 }, null],
  ] as const)("%s", (_, act, row, edit) => {
    expect(decideAct(row, act, "me", 9)).toEqual(edit);
  });

  test("acknowledging, notes and resolving are shown, with a new ETag and one audit row each; doing it twice changes nothing", async () => {
    const { id } = await opened();
    const path = `/v1/admin/incidents/${id}`;
    const first = await admin("POST", `${path}/acknowledge`);
    expect([first.status, first.headers.get("ETag"), first.body.acknowledged_by, first.body.resolved_at]).toEqual([
      200,
      '"2"',
      "admin-token",
      null,
    ]);
    expect((await admin("POST", `${path}/acknowledge`)).body).toEqual(first.body);
    const noted = await admin("PATCH", path, { notes: "Called the shop." }, { "If-Match": '"2"' });
    expect([noted.headers.get("ETag"), noted.body.notes]).toEqual(['"3"', "Called the shop."]);
    const resolved = await admin("POST", `${path}/resolve`);
    expect([resolved.body.resolved_by, resolved.body.acknowledged_by]).toEqual(["admin-token", "admin-token"]);
    expect((await admin("POST", `${path}/resolve`)).body).toEqual(resolved.body);
    expect((await auditRows(id)).map(({ action, details }) => [action, Object.keys(details.after as object)])).toEqual([
      ["incident.acknowledge", ["acknowledged_at", "acknowledged_by"]],
      ["incident.note", ["notes"]],
      ["incident.resolve", ["resolved_at", "resolved_by"]],
    ]);
  });

  test("a stale ETag is 412 and writes nothing", async () => {
    const { id } = await opened();
    await admin("PATCH", `/v1/admin/incidents/${id}`, { notes: "a" });
    for (const [method, path, body] of [
      ["PATCH", "", { notes: "b" }],
      ["POST", "/acknowledge", undefined],
      ["POST", "/resolve", undefined],
    ] as const) {
      expect((await admin(method, `/v1/admin/incidents/${id}${path}`, body, { "If-Match": '"1"' })).status).toBe(412);
    }
    expect(await auditRows(id)).toHaveLength(1);
  });

  test("many at once: each change is there, with its audit row", async () => {
    const { id } = await opened();
    const path = `/v1/admin/incidents/${id}`;
    const all = [admin("POST", `${path}/acknowledge`), admin("POST", `${path}/resolve`), admin("PATCH", path, { notes: "n" })];
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await admin("GET", path)).body).toMatchObject({
      acknowledged_by: "admin-token",
      resolved_by: "admin-token",
      notes: "n",
      version: 4,
    });
    expect(await auditRows(id)).toHaveLength(3);
  });

  test("one that was resolved may open again", async () => {
    const { id, device_id } = await opened();
    await admin("POST", `/v1/admin/incidents/${id}/resolve`);
    await opened(device_id);
    expect((await incidentsOf(device_id)).map(({ open }) => open)).toEqual([false, true]);
  });

  test("what is not there is 404, and an unknown field is refused", async () => {
    expect((await admin("GET", `/v1/admin/incidents/${crypto.randomUUID()}`)).status).toBe(404);
    const { id } = await opened();
    expect((await admin("PATCH", `/v1/admin/incidents/${id}`, { severity: "low" })).status).toBe(400);
  });
});

describe("the list", () => {
  test("is narrowed by device, type, severity, state, acknowledgement and store, newest first, by pages", async () => {
    const { id, storeId } = await makeDevice();
    await openIncidents(
      env.DB,
      INCIDENT_TYPES.map((type) => ({ deviceId: id, type, details: {} })),
      1000,
      [],
    );
    const list = async (query: string) => {
      const answer = await admin("GET", `/v1/admin/incidents?device_id=${id}&${query}`);
      return answer.body as { items: { id: string; type: string }[]; next_cursor: string | null };
    };
    const types = async (query: string) => (await list(query)).items.map(({ type }) => type).sort();
    expect(await types("")).toEqual(INCIDENT_TYPES.toSorted());
    expect(await types("severity=low")).toEqual(["SEQUENCE_GAP"]);
    const [gap] = (await list("type=SEQUENCE_GAP")).items;
    await admin("POST", `/v1/admin/incidents/${gap?.id}/acknowledge`);
    expect(await types("acknowledged=true")).toEqual(["SEQUENCE_GAP"]);
    expect(await types("acknowledged=false")).toHaveLength(INCIDENT_TYPES.length - 1);
    await admin("POST", `/v1/admin/incidents/${gap?.id}/resolve`);
    expect(await types("state=resolved")).toEqual(["SEQUENCE_GAP"]);
    expect(await types("state=open")).toHaveLength(INCIDENT_TYPES.length - 1);
    expect(await types(`store_id=${storeId}`)).toHaveLength(INCIDENT_TYPES.length);
    expect(await types(`store_id=${crypto.randomUUID()}`)).toEqual([]);

    const first = await list("limit=6");
    const second = await list(`limit=6&cursor=${first.next_cursor}`);
    const ids = [...first.items, ...second.items].map((item) => item.id);
    expect([ids.length, second.next_cursor, ids]).toEqual([INCIDENT_TYPES.length, null, ids.toSorted().reverse()]);
  });

  test("an incident of no device says null", async () => {
    await env.DB.prepare("DELETE FROM incidents WHERE device_id = ''").run();
    await openIncidents(env.DB, [{ deviceId: "", type: "PIPELINE_LAG", details: {} }], 1000, []);
    const answer = await admin("GET", "/v1/admin/incidents?type=PIPELINE_LAG&state=open&limit=1");
    expect(answer.body.items).toMatchObject([{ device_id: null, severity: "high" }]);
  });
});
