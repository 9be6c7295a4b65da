import type { FleetStore } from "../fleet/store.ts";
import type { DemoScreen } from "./network.ts";

/** What stands in the store for whoever has no network to ask: the screens in their order. */
const SCREENS = "screens";
const OFF = "switched off";

export function noteScreens(store: FleetStore, screens: readonly DemoScreen[]): void {
  store.note(SCREENS, screens);
}

/** The screens of the demo that ran last; empty where none ever did. */
export function knownScreens(store: FleetStore): DemoScreen[] {
  return store.fact<DemoScreen[]>(SCREENS) ?? [];
}

/** The devices that a person has switched off. They stay so until somebody switches them on. */
export function switchedOff(store: FleetStore): ReadonlySet<string> {
  return new Set(store.fact<string[]>(OFF) ?? []);
}

/** Switches screens off or on by hand. The demo, where it runs, sees it within a second. */
export function switchScreens(store: FleetStore, deviceIds: readonly string[], on: boolean): void {
  const off = new Set(switchedOff(store));
  for (const id of deviceIds) {
    if (on) off.delete(id);
    else off.add(id);
  }
  store.note(OFF, [...off]);
}
