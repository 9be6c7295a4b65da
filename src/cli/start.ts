import { readdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { demoLogin, type Login } from "./accounts.ts";
import { fireLocally, tickCrons } from "./cron.ts";
import { Show } from "./demo/show.ts";
import { lockDemo } from "./demo-lock.ts";
import { askedToEnd } from "./ending.ts";
import { FleetStore } from "./fleet/store.ts";
import { type DemoArguments, demoArguments } from "./options.ts";
import { localSecrets } from "./secrets.ts";
import { ALIVE_DIR, main, Stop } from "./tools.ts";
import { migrateLocally, type RunningWorker, requireFree, startWorker } from "./worker.ts";

/** The local queue lives in memory: what it lost must be sent again soon. */
const DEMO_VARS = { OUTBOX_RESEND_AFTER_MS: "5000" };

/** `bun start`: the Worker, a demo network, and a fleet of simulated screens that plays against it. */
await main(async () => {
  const options = demoArguments(Bun.argv.slice(2));
  const ending = new AbortController();
  askedToEnd().then(() => ending.abort());
  const lock = lockDemo(ALIVE_DIR);
  try {
    await requireFree(options.port);
    if (options.fresh)
      for (const name of readdirSync(ALIVE_DIR)) if (name !== "pid") rmSync(resolve(ALIVE_DIR, name), { recursive: true, force: true });
    return await runDemo(options, ending);
  } finally {
    lock.release();
    console.log("Stopped. The next start goes on where this one did.");
  }
});

async function runDemo(options: DemoArguments, ending: AbortController): Promise<number> {
  const persistTo = resolve(ALIVE_DIR, "state");
  const { ADMIN_TOKEN: adminToken } = localSecrets();
  console.log("Migrating the local database and starting the Worker …");
  await migrateLocally(persistTo);
  const worker = await startWorker({ port: options.port, persistTo, vars: DEMO_VARS, logFile: resolve(ALIVE_DIR, "worker.log") });
  let died = false;
  worker.ended.then(() => {
    died = !ending.signal.aborted;
    ending.abort();
  });
  try {
    introduce(worker, await demoLogin({ baseUrl: worker.url, adminToken }, resolve(ALIVE_DIR, "login.json")));
    const agreed = await playDemo(worker, adminToken, options, ending.signal);
    if (died) throw new Stop("The Worker has ended by itself; its last words are in .alive/worker.log.");
    return agreed || options.durationMs === Number.POSITIVE_INFINITY ? 0 : 1;
  } finally {
    // Whatever happened before: nothing is left running.
    await worker.stop();
  }
}

/** Lets the fleet play until somebody ends it. Returns whether the sums agreed at the end. */
async function playDemo(worker: RunningWorker, adminToken: string, options: DemoArguments, signal: AbortSignal): Promise<boolean> {
  const stopCrons = tickCrons(fireLocally(worker.url), (expression, reason) => console.log(`cron "${expression}" failed: ${reason}`));
  const store = new FleetStore(resolve(ALIVE_DIR, "fleet.sqlite"));
  const print = (line: string) => console.log(line);
  const show = new Show({ access: { baseUrl: worker.url, adminToken }, store, screens: options.devices, speed: options.speed, print });
  try {
    await show.start(signal);
    return await show.run(signal, options.durationMs);
  } finally {
    stopCrons();
    await show.stop();
    store.close();
  }
}

function introduce({ url }: RunningWorker, { email, password }: Login): void {
  console.log(`
Alive Signage answers on ${url}
  The console       ${url}/console/   e-mail ${email}   password ${password}
  API and guides    ${url}/docs
  A report          curl -H "Authorization: Bearer $(grep ^ADMIN_TOKEN= .dev.vars | cut -d= -f2-)" "${url}/v1/admin/reports/proof-of-play?group_by=campaign&totals=true"
  Pull a plug       npx -y bun run screens off 8     (and on 8)
  The Worker's log  .alive/worker.log
Ctrl-C ends it; the next start goes on where this one stopped; --fresh begins anew.

The fleet plays in shifts and rests until all is counted; the first time takes about a minute. Each line says what the screens sent and
what they were answered (some answers are lost on purpose: the retry is a duplicate), what still waits on them, how many plays the report
shows of those that it should by the screens' own books, and whether all sums agree, device by device.
`);
}
