import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { type Change, createRow, findRow, findVisible, listRows } from "../audit/changes.ts";
import { equals, newRow, type Resource } from "../audit/resource.ts";
import { conditionsOf, createdHeaders, createHeaders, idParams, listQuery } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { idField, timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageSchema } from "../platform/paging.ts";
import { type Requirement, refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { SECOND_MS } from "../platform/time.ts";
import { COMMAND_LIFETIME_MS, COMMAND_STATUSES, COMMAND_TYPES, commandSchema, MAX_WAITING_COMMANDS } from "./commands.ts";
import { deviceResource } from "./devices.ts";
import { profilePushStatement, scopes } from "./profile.ts";
import { deliverProfilesSoon } from "./push.ts";
import { deviceCommands } from "./tables.ts";

const PATH = "/v1/admin/devices/{id}/commands";

type CommandRow = typeof deviceCommands.$inferSelect;

const shownSchema = z
  .object({
    id: z.uuid(),
    device_id: z.uuid(),
    type: z.enum(COMMAND_TYPES),
    params: z.record(z.string(), z.unknown()),
    status: z.enum(COMMAND_STATUSES),
    result: z.record(z.string(), z.unknown()).nullable().meta({ description: "What the device said of it." }),
    created_at: timeField,
    created_by: z.string(),
    expires_at: timeField,
    settled_at: timeField.nullable(),
  })
  .openapi("DeviceCommand");

type Shown = z.infer<typeof shownSchema>;

/** What a device is told to do. Its object holds it, and repeats it with each heartbeat until the device says what became of it. */
const commandResource: Resource<CommandRow> = {
  noun: "device_command",
  plural: "device commands",
  path: PATH,
  table: deviceCommands,
  // The body is a union by type, which the routes below read themselves.
  create: z.strictObject({}),
  change: z.strictObject({}),
  answer: shownSchema,
  filters: { status: equals(deviceCommands.status, z.enum(COMMAND_STATUSES)), type: equals(deviceCommands.type, z.enum(COMMAND_TYPES)) },
  visible: {},
  requirements: (_before, { device_id, id }) => [isActive(device_id), hasRoom(device_id, id)],
  effects: (db, _before, command, now) => [profilePushStatement(db, scopes.device(command.device_id), now)],
};

function isActive(deviceId: string): Requirement {
  return {
    breaches: "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM devices WHERE id = ? AND status = 'active')",
    values: [deviceId],
    pointer: () => "/device_id",
    detail: "Only a device that is paired can be told anything.",
    code: "DEVICE_NOT_ACTIVE",
  };
}

function hasRoom(deviceId: string, id: string): Requirement {
  return {
    breaches: `SELECT NULL AS at FROM device_commands WHERE device_id = ? AND status = 'waiting' AND id <> ? LIMIT 1 OFFSET ${MAX_WAITING_COMMANDS - 1}`,
    values: [deviceId, id],
    pointer: () => "/device_id",
    detail: `${MAX_WAITING_COMMANDS} commands wait for this device already; cancel some.`,
    code: "TOO_MANY_COMMANDS",
  };
}

const tags = ["Devices"];
const reading = { ...guarded(reads(deviceResource.visible)), tags };
const changing = { ...guarded(OPERATE), tags };
const oneParams = idParams.extend({ command_id: idField });

export const commandRoutes = createRouter();

commandRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: PATH,
    summary: "Tell a device to do something",
    description:
      "A device whose live stream is open is told at once. Else it waits for the device's next heartbeat; it is repeated with each one until the device reports it done or failed, until it expires, or until it is cancelled. A device executes each id once.",
    request: {
      params: idParams,
      headers: createHeaders,
      body: { required: true, content: { "application/json": { schema: commandSchema } } },
    },
    responses: responses(201, "The command, as it waits", shownSchema),
  }),
  async (c) => {
    const { id: deviceId } = c.req.valid("param");
    const { type, params, expires_in_s } = c.req.valid("json");
    await findRow(c.env.DB, deviceResource, deviceId);
    const now = Date.now();
    const actor = c.get("actor");
    const expires_at = now + (expires_in_s === undefined ? COMMAND_LIFETIME_MS : expires_in_s * SECOND_MS);
    const made = { device_id: deviceId, type, status: "waiting", created_by: actor, expires_at };
    const row = newRow(deviceCommands, { params }, uuidv7(), now, made);
    const outcome = await createRow({ db: c.env.DB, actor, now }, commandResource, row, await readIdempotency(c));
    if (outcome.effects) c.executionCtx.waitUntil(deliverProfilesSoon(c.env));
    return c.json(outcome.shown as Shown, 201, createdHeaders(PATH.replace("{id}", deviceId), outcome));
  },
);

commandRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: PATH,
    summary: "List a device's commands, newest first",
    request: { params: idParams, query: listQuery(commandResource.filters) },
    responses: responses(200, "A page of commands", pageSchema(shownSchema)),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const query: Row = c.req.valid("query");
    await findVisible(c.env.DB, deviceResource, id, viewerScope(c));
    const conditions = [sql`${deviceCommands.device_id} = ${id}`, ...conditionsOf(commandResource.filters, query)];
    const page = { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
    const { items, next_cursor } = await listRows(c.env.DB, deviceCommands, page, conditions, "newest");
    return c.json({ items: items.map((row) => presentRow(row) as Shown), next_cursor }, 200);
  },
);

commandRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${PATH}/{command_id}`,
    summary: "Get a device's command",
    request: { params: oneParams },
    responses: responses(200, "The command", shownSchema),
  }),
  async (c) => {
    const { id, command_id } = c.req.valid("param");
    await findVisible(c.env.DB, deviceResource, id, viewerScope(c));
    return c.json(presentRow(await findCommand(c.env.DB, id, command_id)) as Shown, 200);
  },
);

commandRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${PATH}/{command_id}/cancel`,
    summary: "Cancel a command that waits",
    description:
      "It is not repeated any more. A device that has it already may still execute it; what it then reports is written down. Cancelling twice changes nothing.",
    request: { params: oneParams },
    responses: responses(200, "The command is cancelled", shownSchema),
  }),
  async (c) => {
    const { id, command_id } = c.req.valid("param");
    const command = await cancelCommand({ db: c.env.DB, actor: c.get("actor"), now: Date.now() }, id, command_id);
    c.executionCtx.waitUntil(deliverProfilesSoon(c.env));
    return c.json(presentRow(command) as Shown, 200);
  },
);

async function findCommand(db: D1Database, deviceId: string, id: string): Promise<Row> {
  const row = await findRow(db, commandResource, id);
  if (row.device_id !== deviceId) throw new Problem("not-found", "There is no device command with this id.");
  return row;
}

/** @throws Problem `not-found`, or `conflict` (code `COMMAND_SETTLED`) for one that waits no more. */
async function cancelCommand({ db, actor, now }: Change, deviceId: string, id: string): Promise<Row> {
  const before = await findCommand(db, deviceId, id);
  if (before.status === "cancelled") return before;
  const settled = (row: Row) => new Problem("conflict", `The command is ${row.status}; it waits no more.`, { code: "COMMAND_SETTLED" });
  if (before.status !== "waiting") throw settled(before);
  const details = { before: { status: "waiting" }, after: { status: "cancelled" } };
  try {
    await db.batch([
      refuseWhereStatement(db, "SELECT 1 FROM device_commands WHERE id = ? AND status <> 'waiting'", [id]),
      db.prepare("UPDATE device_commands SET status = 'cancelled', settled_at = ? WHERE id = ?").bind(now, id),
      profilePushStatement(db, scopes.device(deviceId), now),
      auditStatement(db, { actor, action: "device_command.cancel", targetType: "device_command", targetId: id, details }, now),
    ]);
  } catch (error) {
    const current = await findCommand(db, deviceId, id);
    if (current.status === "cancelled") return current;
    if (current.status !== "waiting") throw settled(current);
    throw error;
  }
  return await findCommand(db, deviceId, id);
}
