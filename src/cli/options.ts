import { parseArgs } from "node:util";
import { type Fault, parseFaults } from "./fleet/faults.ts";
import { Stop } from "./tools.ts";

/** What the demo takes on the command line. */
export interface DemoArguments {
  port: number;
  devices: number;
  /** How many times faster than life the screens play. */
  speed: number;
  /** Ms; infinite without `--duration`. */
  durationMs: number;
  fresh: boolean;
}

/** What the simulator takes on the command line. */
export interface SimulateArguments {
  devices: number;
  speed: number;
  durationMs: number;
  faults: ReadonlySet<Fault>;
  seed: number;
  /** Null: it starts a Worker of its own. */
  base: string | null;
  token: string | null;
  /** At which shares of the run, from 0 to 1, its own Worker is killed and started again. */
  killAt: number[];
}

const MAX_DEVICES = 1000;
const MAX_SPEED = 1000;
const MAX_SEED = 2 ** 32 - 1;
const UNITS_MS = { "": 1000, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Reads the arguments of `start`.
 * @throws Stop for a value that cannot be, and what `parseArgs` throws for an option that does not exist.
 */
export function demoArguments(args: string[]): DemoArguments {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "8787" },
      devices: { type: "string", default: "30" },
      speed: { type: "string", default: "30" },
      duration: { type: "string" },
      fresh: { type: "boolean", default: false },
    },
  });
  return {
    port: whole("port", values.port, 1, 65_535),
    devices: whole("devices", values.devices, 1, MAX_DEVICES),
    speed: whole("speed", values.speed, 1, MAX_SPEED),
    durationMs: values.duration === undefined ? Number.POSITIVE_INFINITY : spanMs("duration", values.duration),
    fresh: values.fresh,
  };
}

/**
 * Reads the arguments of `simulate`. Without a seed it draws one.
 * @throws Stop for a value that cannot be, and what `parseArgs` throws for an option that does not exist.
 */
export function simulateArguments(args: string[]): SimulateArguments {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: "string", default: "30" },
      speed: { type: "string", default: "10" },
      duration: { type: "string", default: "5m" },
      faults: { type: "string", default: "all" },
      seed: { type: "string", default: String(Math.floor(Math.random() * MAX_SEED)) },
      base: { type: "string" },
      token: { type: "string" },
      serve: { type: "boolean", default: false },
      "kill-at": { type: "string" },
    },
  });
  const base = values.base?.replace(/\/+$/, "") ?? null;
  if (base !== null && values.serve) throw new Stop("Either --base, an address that answers already, or --serve, a Worker of its own.");
  if (base !== null && values["kill-at"] !== undefined)
    throw new Stop("--kill-at kills the simulator's own Worker; it goes without --base.");
  return {
    devices: whole("devices", values.devices, 1, MAX_DEVICES),
    speed: whole("speed", values.speed, 1, MAX_SPEED),
    durationMs: spanMs("duration", values.duration),
    faults: parseFaults(values.faults),
    seed: whole("seed", values.seed, 0, MAX_SEED),
    base,
    token: values.token ?? null,
    killAt: values["kill-at"]?.split(",").map(share) ?? [],
  };
}

/** A span of time, as `300`, `90s`, `5m` or `1h`, in ms. */
function spanMs(name: string, text: string): number {
  const [, number = "", unit = ""] = /^(\d+)([smh]?)$/.exec(text) ?? [];
  const ms = Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (number === "" || ms === 0) throw new Stop(`--${name} is a span of time, as 90s, 5m or 1h.`);
  return ms;
}

function share(text: string): number {
  const percent = Number(/^(\d{1,2})%?$/.exec(text.trim())?.[1] ?? Number.NaN);
  if (Number.isNaN(percent)) throw new Stop("--kill-at is one or more shares of the run, as 50% or 30%,60%.");
  return percent / 100;
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
    throw new Stop(`--${name} must be a whole number from ${least} to ${most}.`);
  return value;
}
