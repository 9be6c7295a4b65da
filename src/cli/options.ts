import { parseArgs } from "node:util";
import { Stop } from "./tools.ts";

/** What the demo and the simulator take on the command line. */
export interface FleetArguments {
  port: number;
  devices: number;
  /** How many times faster than life the screens play. */
  speed: number;
  /** Ms; infinite without `--duration`. */
  durationMs: number;
  fresh: boolean;
  base: string | undefined;
  token: string | undefined;
}

const MAX_DEVICES = 1000;
const MAX_SPEED = 1000;

/**
 * Reads the arguments of `start` and `simulate`.
 * @throws Stop for a value that cannot be, and what `parseArgs` throws for an option that does not exist.
 */
export function fleetArguments(args: string[]): FleetArguments {
  const values = parse(args);
  return {
    port: whole("port", values.port, 1, 65_535),
    devices: whole("devices", values.devices, 1, MAX_DEVICES),
    speed: whole("speed", values.speed, 1, MAX_SPEED),
    durationMs:
      values.duration === undefined ? Number.POSITIVE_INFINITY : 1000 * whole("duration", values.duration, 1, Number.MAX_SAFE_INTEGER),
    fresh: values.fresh,
    base: values.base?.replace(/\/+$/, ""),
    token: values.token,
  };
}

function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
      port: { type: "string", default: "8787" },
      devices: { type: "string", default: "30" },
      speed: { type: "string", default: "30" },
      /** Seconds. */
      duration: { type: "string" },
      fresh: { type: "boolean", default: false },
      base: { type: "string" },
      token: { type: "string" },
    },
  }).values;
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Stop(`--${name} must be a whole number from ${least} to ${most}.`);
  return value;
}
