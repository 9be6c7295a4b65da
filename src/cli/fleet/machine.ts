import type { CommandHandler } from "../../sdk/commands.ts";
import type { PlayItem } from "../../sdk/open-play.ts";
import { pictureOf } from "../media/png.ts";
import type { FleetStore } from "./store.ts";

const DISK_BYTES = 16_000_000_000;
const FIRST_VERSION = "1.0.0";
const NEXT_VERSION = "1.1.0";

/** What a simulated screen can be told, and says of itself. `reboot` ends the player soon and starts it again. */
export function commandsOf(store: FleetStore, screen: number, reboot: () => void) {
  const restart = () => {
    reboot();
    // The player ends in the middle of it. That it runs again says that it is done.
    return new Promise<null>(() => {});
  };
  const commands: Record<string, CommandHandler> = {
    reboot: restart,
    update: async ({ version }) => {
      store.note(`version ${screen}`, typeof version === "string" ? version : NEXT_VERSION);
      return await restart();
    },
    set_volume: async ({ level }) => {
      store.note(`volume ${screen}`, level);
      return { level };
    },
  };
  return {
    commands,
    machine: async () => ({
      disk_total_bytes: DISK_BYTES,
      player_version: store.fact<string>(`version ${screen}`) ?? FIRST_VERSION,
    }),
    metadata: () => ({ screen_resolution: "1920x1080" }),
    /** For the command that asks for one: stripes in the colours of what is shown. */
    screenshot: async (item: PlayItem | null) => pictureOf(item?.content_id ?? "nothing"),
  };
}
