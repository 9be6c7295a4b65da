import { openBrowserStorage } from "../sdk/browser/index.ts";
import { byId } from "./elements.ts";
import { showMessage } from "./message.ts";
import { Player } from "./player.ts";
import { PlayerHost } from "./player-host.ts";
import { keepShell } from "./shell.ts";
import { statusOnKey } from "./status.ts";
import { keepAwake } from "./wake.ts";

const RELOAD_AFTER_MS = 30_000;

try {
  if (!isSecureContext) throw new Error("Browsers let a player keep its key only on pages that come by https, or from localhost.");
  const kept = keepShell();
  const storage = await openBrowserStorage();
  // Else a browser that runs out of room may throw away the plays that wait to be sent.
  void navigator.storage?.persist?.().catch(() => false);
  const host = await PlayerHost.open(storage.value<number>("server time"));
  const player = new Player(storage, byId("stage"), { host, awake: keepAwake(), kept });
  statusOnKey(() => player.statusLines());
  await player.start();
} catch (error) {
  showMessage({
    title: "The player cannot start",
    text: `${error instanceof Error ? error.message : String(error)} It tries again in half a minute.`,
  });
  setTimeout(() => location.reload(), RELOAD_AFTER_MS);
}
