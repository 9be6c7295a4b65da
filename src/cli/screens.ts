import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { DemoScreen } from "./demo/network.ts";
import { knownScreens, switchedOff, switchScreens } from "./demo/switches.ts";
import { FleetStore } from "./fleet/store.ts";
import { ALIVE_DIR, main, Stop } from "./tools.ts";

const USAGE = "bun run screens [on|off NUMBER|all …]";

/** `bun run screens`: lists the demo's screens, and switches them off and on, as somebody who pulls the plug. */
await main(async () => {
  const file = resolve(ALIVE_DIR, "fleet.sqlite");
  if (!existsSync(file)) throw new Stop("There are no screens yet: start the demo first, by `bun start`.");
  const store = new FleetStore(file);
  try {
    const screens = knownScreens(store);
    const [state, ...numbers] = Bun.argv.slice(2);
    if (state !== undefined) turn(store, screens, state, numbers);
    const off = switchedOff(store);
    for (const [index, { name, deviceId }] of screens.entries())
      console.log(`${String(index + 1).padStart(4)}  ${off.has(deviceId) ? "OFF" : "on "}  ${deviceId}  ${name}`);
    return 0;
  } finally {
    store.close();
  }
});

function turn(store: FleetStore, screens: DemoScreen[], state: string, numbers: string[]): void {
  if ((state !== "on" && state !== "off") || numbers.length === 0) throw new Stop(USAGE);
  const chosen = numbers.flatMap((number) => {
    if (number === "all") return screens;
    const screen = /^\d+$/.test(number) ? screens[Number(number) - 1] : undefined;
    if (!screen) throw new Stop(`There is no screen ${number}: they go from 1 to ${screens.length}.`);
    return [screen];
  });
  switchScreens(
    store,
    chosen.map(({ deviceId }) => deviceId),
    state === "on",
  );
}
