import { mkdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { tickCrons } from "./cron.ts";
import { Fleet } from "./demo/fleet.ts";
import { DemoStore } from "./demo/store.ts";
import { askedToEnd } from "./ending.ts";
import { fleetArguments } from "./options.ts";
import { localSecrets } from "./secrets.ts";
import { ALIVE_DIR, main, Stop } from "./tools.ts";
import { migrateLocally, type RunningWorker, startWorker } from "./worker.ts";

/** The local queue lives in memory: what it lost must be sent again soon. */
const DEMO_VARS = { OUTBOX_RESEND_AFTER_MS: "5000" };

/** `bun start`: the Worker, a demo network, and a fleet of simulated screens that plays against it. */
await main(async () => {
  const options = fleetArguments(Bun.argv.slice(2));
  const ending = new AbortController();
  askedToEnd().then(() => ending.abort());
  if (options.fresh) rmSync(ALIVE_DIR, { recursive: true, force: true });
  mkdirSync(ALIVE_DIR, { recursive: true });
  const persistTo = resolve(ALIVE_DIR, "state");
  const { ADMIN_TOKEN: adminToken } = localSecrets();
  console.log("Migrating the local database and starting the Worker …");
  await migrateLocally(persistTo);
  const worker = await startWorker({ port: options.port, persistTo, vars: DEMO_VARS, logFile: resolve(ALIVE_DIR, "worker.log") });
  const stopCrons = tickCrons(worker.url, (expression, reason) => console.log(`cron "${expression}" failed: ${reason}`));
  let died = false;
  worker.ended.then(() => {
    died = !ending.signal.aborted;
    ending.abort();
  });
  const store = new DemoStore(resolve(ALIVE_DIR, "demo.sqlite"));
  const print = (line: string) => console.log(line);
  const fleet = new Fleet({ access: { baseUrl: worker.url, adminToken }, store, screens: options.devices, speed: options.speed, print });
  try {
    introduce(worker);
    await fleet.start(ending.signal);
    const agreed = await fleet.run(ending.signal, options.durationMs);
    if (died) throw new Stop("The Worker has ended by itself; its last words are in .alive/worker.log.");
    return agreed || options.durationMs === Number.POSITIVE_INFINITY ? 0 : 1;
  } finally {
    stopCrons();
    await fleet.stop();
    store.close();
    await worker.stop();
  }
});

function introduce({ url }: RunningWorker): void {
  console.log(`
Alive Signage answers on ${url}
  API and guides    ${url}/docs
  A report          curl -H "Authorization: Bearer $(grep ^ADMIN_TOKEN= .dev.vars | cut -d= -f2-)" "${url}/v1/admin/reports/proof-of-play?group_by=campaign&totals=true"
  The Worker's log  .alive/worker.log
Ctrl-C ends it; the next start goes on where this one stopped; --fresh begins anew.

The fleet pairs, then plays in shifts and rests until all is counted. Each line: what was sent, accepted, duplicate, refused
by reason, waits on the screens, is recorded according to the report of what the screens' own books say, and whether all sums agree.
`);
}
