import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { findNode, ROOT, Stop } from "../../../src/cli/tools.ts";
import { DEVICE_TOKEN_SECRET, type FleetShape, fleetId, SPOT_MS } from "../fleet.ts";
import type { BenchKey } from "../keys.ts";
import { insertStatements, type NetworkRows, networkRows } from "../seed.ts";
import type { Target } from "../target.ts";

const BIN = "/usr/lib/postgresql/15/bin";
/** Durable as by default (fsync, synchronous_commit); memory and log sized for the machine, as its engineer would. */
const SETTINGS = ["shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=on", "listen_addresses="];

/**
 * A PostgreSQL of its own in a temporary folder, with the network in it, and the Fastify server in front.
 * @throws Stop where PostgreSQL 15 is not installed.
 */
export async function startPostgres(shape: FleetShape, keys: BenchKey[], processes: number): Promise<Target> {
  if (!existsSync(join(BIN, "initdb"))) throw new Stop("PostgreSQL 15 is not installed: apt-get install postgresql, then try again.");
  const dir = mkdtempSync(join(tmpdir(), "alive-postgres-"));
  if (process.getuid?.() === 0) Bun.spawnSync(["chown", "postgres", dir]);
  chmodSync(dir, 0o700);
  await asPostgres([join(BIN, "initdb"), "-D", join(dir, "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"], "initdb");
  const settings = [...SETTINGS, `unix_socket_directories=${dir}`].flatMap((setting) => ["-c", setting]).join(" ");
  await asPostgres(
    [join(BIN, "pg_ctl"), "-D", join(dir, "data"), "-w", "-l", join(dir, "log"), "-o", settings, "start"],
    "starting PostgreSQL",
  );
  const stopDatabase = async () => {
    await asPostgres([join(BIN, "pg_ctl"), "-D", join(dir, "data"), "-m", "immediate", "stop"], "stopping PostgreSQL");
    rmSync(dir, { recursive: true, force: true });
  };
  const interrupted = () => {
    void stopDatabase().finally(() => process.exit(130));
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  const database = `postgres://postgres@/postgres?host=${dir}`;
  const pool = new pg.Pool({ connectionString: database, max: 2 });
  const port = freePort();
  let server: Bun.Subprocess<"ignore", "pipe", "inherit">;
  try {
    await pool.query(readFileSync(join(import.meta.dirname, "schema.sql"), "utf8"));
    for (const statement of insertStatements(rowsOf(shape, keys))) await pool.query(statement);
    await pool.query("ANALYZE");
    server = await startServer(database, port, processes);
  } catch (error) {
    await pool.end();
    await stopDatabase();
    throw error;
  }
  const postmaster = Number(readFileSync(join(dir, "data", "postmaster.pid"), "utf8").split("\n")[0]);
  const one = async (sql: string) => Number((await pool.query<{ n: string }>(sql)).rows[0]?.n ?? 0);
  const recordedCount = () => one("SELECT coalesce(sum(plays_count), 0) AS n FROM plays_hourly");
  return {
    url: `http://127.0.0.1:${port}`,
    pids: () => [server.pid, postmaster],
    recordedCount,
    recorded: async () => ({
      plays: {
        "single plays": await one("SELECT count(*) AS n FROM plays"),
        "hourly sums": await recordedCount(),
        "sums by device": await one("SELECT coalesce(sum(plays_count), 0) AS n FROM device_activity_daily"),
      },
      refused: await one("SELECT coalesce(sum(count), 0) AS n FROM refusals_hourly"),
    }),
    stop: async () => {
      process.kill(-server.pid, "SIGKILL");
      await server.exited;
      await pool.end();
      await stopDatabase();
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    },
  };
}

/** The network as the tables of this comparison have it. */
function rowsOf(shape: FleetShape, keys: BenchKey[]): NetworkRows {
  const rows = networkRows(shape, keys, Date.now());
  const pick = (table: string, columns: string[]) =>
    (rows[table] ?? []).map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? null])));
  return {
    stores: pick("stores", ["id", "supplier_id", "timezone", "lat", "lng"]),
    devices: pick("devices", ["id", "store_id", "status", "token_family_id"]).map((row) => ({ ...row, requests_per_minute: 1_000_000 })),
    campaigns: pick("campaigns", ["id"]),
    content: Array.from({ length: shape.contents }, (_, n) => ({ id: fleetId("content", n), duration_ms: SPOT_MS })),
  };
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** Runs one of PostgreSQL's tools: it refuses to run as root. */
async function asPostgres(command: string[], what: string): Promise<void> {
  const whole = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--", ...command] : command;
  const child = Bun.spawn(whole, { stdout: "ignore", stderr: "pipe", stdin: "ignore", cwd: tmpdir() });
  const [code, error] = await Promise.all([child.exited, what.startsWith("starting") ? "" : new Response(child.stderr).text()]);
  if (code !== 0) throw new Stop(`${what} failed: ${error}`);
}

async function startServer(database: string, port: number, processes: number): Promise<Bun.Subprocess<"ignore", "pipe", "inherit">> {
  const argument = JSON.stringify({ port, processes, database, secret: DEVICE_TOKEN_SECRET });
  const server = Bun.spawn([findNode(), join(ROOT, "test/bench/postgres/server.ts"), argument], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
  const reader = server.stdout.getReader();
  const first = await reader.read();
  if (first.done) throw new Error("the Fastify server ended before it was ready");
  reader.releaseLock();
  return server;
}
