import { parseArgs } from "node:util";
import { Stop } from "../../src/cli/tools.ts";
import type { FleetShape } from "./fleet.ts";

export const PARTS = ["intake", "steady", "singles", "usage", "reports", "plans"] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  shape: FleetShape;
  parts: Part[];
  /** How long load is sent for, each time. */
  seconds: number;
  /** Signed logs to have ready for the intake; it ends early where they run out. */
  logs: number;
  batch: number;
  connections: number;
  /** Whether each log carries its checksum, as the product's own player sends it. */
  checksum: boolean;
  eventRows: boolean;
  runs: number;
  against: "postgres" | null;
  postgresProcesses: number;
  profile: boolean;
  jsonFile: string | null;
  compareFile: string | null;
}

export const USAGE = `bun run bench [-- options]
  --only a,b        of ${PARTS.join(", ")} (default: all)
  --seconds 60      how long load is sent for
  --logs N          signed logs to have ready for the intake (default: 10,000 a second)
  --devices 500 --stores 50 --contents 40 --campaigns 5
  --batch 100 --connections 16 --checksum on|off --event-rows on|off
  --runs 1          medians of so many runs
  --against postgres [--processes 2]   the same intake on Fastify and PostgreSQL, and the ratio
  --profile         where the Worker's time goes, by function (intake only)
  --json FILE       keeps the rows; --compare FILE shows them beside those of an earlier run
Sweeps and a long run: bun test/bench/sweep.ts`;

/** @throws Stop where an option makes no sense. */
export function readOptions(args: string[]): BenchOptions {
  const text = (fallback: string) => ({ type: "string" as const, default: fallback });
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      only: text(PARTS.join(",")),
      seconds: text("60"),
      logs: { type: "string" },
      devices: text("500"),
      stores: text("50"),
      contents: text("40"),
      campaigns: text("5"),
      batch: text("100"),
      connections: text("16"),
      checksum: text("on"),
      "event-rows": text("on"),
      runs: text("1"),
      against: { type: "string" },
      processes: text("2"),
      profile: { type: "boolean", default: false },
      json: { type: "string" },
      compare: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) throw new Stop(USAGE);
  if (values.against !== undefined && values.against !== "postgres") throw new Stop(`--against knows postgres only\n${USAGE}`);
  const seconds = whole("seconds", values.seconds);
  const batch = whole("batch", values.batch);
  if (batch > 100) throw new Stop("--batch is 100 at most");
  return {
    shape: {
      devices: whole("devices", values.devices),
      stores: whole("stores", values.stores),
      contents: whole("contents", values.contents),
      campaigns: whole("campaigns", values.campaigns),
    },
    parts: values.only.split(",").map(partOf),
    seconds,
    logs: values.logs === undefined ? seconds * 10_000 : whole("logs", values.logs),
    batch,
    connections: whole("connections", values.connections),
    checksum: onOff("checksum", values.checksum),
    eventRows: onOff("event-rows", values["event-rows"]),
    runs: whole("runs", values.runs),
    against: values.against === "postgres" ? "postgres" : null,
    postgresProcesses: whole("processes", values.processes),
    profile: values.profile,
    jsonFile: values.json ?? null,
    compareFile: values.compare ?? null,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Stop(`--${name} is a whole number from 1 on, not ${text}`);
  return value;
}

function onOff(name: string, text: string): boolean {
  if (text !== "on" && text !== "off") throw new Stop(`--${name} is on or off, not ${text}`);
  return text === "on";
}

function partOf(name: string): Part {
  const part = PARTS.find((one) => one === name);
  if (!part) throw new Stop(`--only knows ${PARTS.join(", ")}, not ${name}`);
  return part;
}
