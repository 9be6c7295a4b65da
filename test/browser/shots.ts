import { ADMIN_TOKEN } from "../stack/stack.ts";
import { livelyDevice, programmeOf, seedDevices } from "./seed.ts";
import { openSite } from "./site.ts";

// Takes pictures of pages in both themes: `bun test/browser/shots.ts <folder> [path …]`. For looking at, not a test. `:device` in a
// path is a device that has played.
const [folder = "/tmp/shots", ...paths] = Bun.argv.slice(2);
const site = await openSite();
try {
  await seedDevices(site, 300);
  const device = await livelyDevice(site);
  await programmeOf(site, device);
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, faults } = await site.visit({ colorScheme, viewport: { width: Number(process.env.WIDTH ?? 1360), height: 860 } });
    await page.addInitScript((token) => sessionStorage.setItem("alive.token", token), ADMIN_TOKEN);
    for (const path of paths.length > 0 ? paths : ["/"]) {
      await page.goto(`/console${path.replace(":device", device.id)}`);
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: `${folder}/${path.replaceAll(/[^a-z0-9]+/gi, "-")}-${colorScheme}.png`, fullPage: true });
    }
    if (faults.length > 0) console.log(colorScheme, faults);
  }
} finally {
  await site.close();
}
process.exit(0);
