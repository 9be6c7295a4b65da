import { env } from "cloudflare:workers";
import { getTableName, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import * as audit from "../../src/audit/tables.ts";
import * as auth from "../../src/auth/tables.ts";
import * as campaigns from "../../src/campaigns/tables.ts";
import * as content from "../../src/content/tables.ts";
import * as devices from "../../src/devices/tables.ts";
import * as monitoring from "../../src/monitoring/tables.ts";
import * as plans from "../../src/plans/tables.ts";
import * as playlists from "../../src/playlists/tables.ts";
import * as schedules from "../../src/schedules/tables.ts";
import * as stores from "../../src/stores/tables.ts";
import * as takeovers from "../../src/takeovers/tables.ts";
import * as webhooks from "../../src/webhooks/tables.ts";

const tables = [audit, auth, campaigns, content, devices, monitoring, plans, playlists, schedules, stores, takeovers, webhooks]
  .flatMap((module): unknown[] => Object.values(module))
  .filter((value): value is SQLiteTable => is(value, SQLiteTable));

interface ColumnInfo {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

test("there are tables to compare", () => {
  expect(tables.map(getTableName)).toEqual(expect.arrayContaining(["suppliers", "devices", "content_versions", "audit_log"]));
});

test.each(tables.map((table) => [getTableName(table), table] as const))("%s has the columns of its migration", async (name, table) => {
  const { results } = await env.DB.prepare(`SELECT name, type, "notnull", pk FROM pragma_table_info('${name}')`).all<ColumnInfo>();
  const migrated = results.map((column) => ({
    name: column.name,
    type: column.type,
    required: column.notnull === 1 || column.pk > 0,
    key: column.pk > 0,
  }));
  const { columns, primaryKeys } = getTableConfig(table);
  const keys = primaryKeys.flatMap((key) => key.columns.map((column) => column.name));
  const declared = columns.map((column) => ({
    name: column.name,
    type: column.getSQLType().toUpperCase(),
    required: column.notNull || keys.includes(column.name),
    key: column.primary || keys.includes(column.name),
  }));
  expect(declared).toEqual(migrated);
});
