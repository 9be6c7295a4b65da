import type { CommandHandler, PlayerStorage } from "../sdk/index.ts";
import type { Screen } from "./screen.ts";
import { fetchUpdate } from "./shell.ts";

export interface RemoteOptions {
  storage: PlayerStorage;
  screen: Screen;
  /** Takes everything off the screen, and has it recorded. */
  close: () => Promise<void>;
}

const VOLUME = "volume";
const FULL = 100;

/** What a web player can be told to do, beside what the SDK does for every player. */
export function remoteCommands({ storage, screen, close }: RemoteOptions): Record<string, CommandHandler> {
  const restart = async () => {
    await close();
    location.reload();
    // The page ends in the middle of it. That it runs again says that it is done.
    return await new Promise<null>(() => {});
  };
  return {
    reboot: restart,
    update: async () => {
      await fetchUpdate();
      return await restart();
    },
    set_volume: async ({ level }) => {
      if (typeof level !== "number" || !(level >= 0 && level <= FULL)) throw new Error("level is no number from 0 to 100.");
      screen.volume = level / FULL;
      await storage.value<number>(VOLUME).save(level);
      return { level };
    },
  };
}

/** Sets the volume as it was last told. */
export async function restoreVolume({ storage, screen }: Pick<RemoteOptions, "storage" | "screen">): Promise<void> {
  const level = await storage.value<number>(VOLUME).load();
  if (level !== null) screen.volume = level / FULL;
}
