/**
 * A player over many item changes, by hand: `bun test/browser/soak.ts --minutes 60`. Prints what it takes up every minute, and what
 * that comes to for each change: `--item-ms` is how long an item is shown, so that an hour has as many changes as days in a shop.
 */
import { parseArgs } from "node:util";
import { hurryPlan, measure } from "./memory.ts";
import { makeProgramme } from "./player-programme.ts";
import { startPlayer, untilKept, untilShown } from "./screen.ts";
import { openSite } from "./site.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" }, "item-ms": { type: "string", default: "100" } } });
const durationMs = 1000;
const site = await openSite();
try {
  const programme = await makeProgramme(site, [
    { name: "Poster", type: "image", durationMs },
    { name: "Spot", type: "video", durationMs: 3000 },
    { name: "Second poster", type: "image", durationMs },
    {
      name: "Page",
      type: "web",
      durationMs,
      html: "<!doctype html><html><body><h1>Hello</h1><script>1</script></body></html>",
    },
  ]);
  let look: Awaited<ReturnType<typeof measure>> = () => Promise.reject(new Error("Nothing is measured yet."));
  const player = await startPlayer(site, programme, "Soak", async (context, page) => {
    await hurryPlan(context, Number(values["item-ms"]));
    look = await measure(page);
  });
  await untilKept(player.page);
  await player.page.keyboard.press("Escape");
  const started = performance.now();
  const first = { shown: 0, heapBytes: 0 };
  for (let minute = 0; minute <= Number(values.minutes); minute++) {
    while (performance.now() - started < minute * 60_000) await Bun.sleep(500);
    // Kept short here: what the test notes is not the player's.
    player.turns.length = 0;
    const shown = await untilShown(player.page, null);
    const taken = await look();
    if (minute === 1) Object.assign(first, { shown, heapBytes: taken.heapBytes });
    const perChange =
      minute > 1 ? `, ${((taken.heapBytes - first.heapBytes) / (shown - first.shown)).toFixed(1)} bytes a change since minute 1` : "";
    console.log(
      `${minute} min: ${shown} changes, heap ${(taken.heapBytes / 1e6).toFixed(2)} MB, ${taken.nodes} nodes, ${taken.documents} documents, ${taken.listeners} listeners, ${taken.objectUrls} object URLs, ${player.gaps.length} gaps${perChange}`,
    );
  }
  await player.context.close();
} finally {
  await site.close();
}
process.exit();
