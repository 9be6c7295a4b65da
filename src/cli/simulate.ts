import { mkdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { Fleet } from "./demo/fleet.ts";
import { DemoStore } from "./demo/store.ts";
import { askedToEnd } from "./ending.ts";
import { fleetArguments } from "./options.ts";
import { localSecrets } from "./secrets.ts";
import { ALIVE_DIR, main } from "./tools.ts";

/** `bun run simulate`: the fleet alone, against any address: `--base URL --token ADMIN_TOKEN`. */
await main(async () => {
  const options = fleetArguments(Bun.argv.slice(2));
  const baseUrl = options.base ?? `http://localhost:${options.port}`;
  const adminToken = options.token ?? process.env.ADMIN_TOKEN ?? localSecrets().ADMIN_TOKEN;
  const place = resolve(ALIVE_DIR, `simulate-${new URL(baseUrl).host.replaceAll(/[^a-z0-9.-]/gi, "-")}`);
  if (options.fresh) rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const ending = new AbortController();
  askedToEnd().then(() => ending.abort());
  const store = new DemoStore(resolve(place, "demo.sqlite"));
  const print = (line: string) => console.log(line);
  const fleet = new Fleet({ access: { baseUrl, adminToken }, store, screens: options.devices, speed: options.speed, print });
  try {
    await fleet.start(ending.signal);
    const agreed = await fleet.run(ending.signal, options.durationMs);
    return agreed || options.durationMs === Number.POSITIVE_INFINITY ? 0 : 1;
  } finally {
    await fleet.stop();
    store.close();
  }
});
