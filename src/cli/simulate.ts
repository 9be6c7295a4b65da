import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askedToEnd } from "./ending.ts";
import { OwnWorker } from "./fleet/own-worker.ts";
import { Simulation } from "./fleet/simulation.ts";
import { FleetStore } from "./fleet/store.ts";
import { type SimulateArguments, simulateArguments } from "./options.ts";
import { localSecrets } from "./secrets.ts";
import { main, Stop } from "./tools.ts";

/**
 * `bun run simulate`: screens with faults, against a Worker of its own or `--base URL --token ADMIN_TOKEN`. Exits with 0 exactly
 * where the books are equal at the end.
 */
await main(async () => {
  const options = simulateArguments(Bun.argv.slice(2));
  const ending = new AbortController();
  askedToEnd().then(() => ending.abort());
  const place = mkdtempSync(join(tmpdir(), "alive-simulate-"));
  let agreed = false;
  try {
    agreed =
      options.base === null
        ? await withOwnWorker(options, place, ending.signal)
        : await against(options, options.base, place, ending.signal);
    return agreed ? 0 : 1;
  } finally {
    if (agreed || ending.signal.aborted) rmSync(place, { recursive: true, force: true });
    else console.log(`What the screens and the Worker kept is in ${place}.`);
  }
});

async function withOwnWorker(options: SimulateArguments, place: string, signal: AbortSignal): Promise<boolean> {
  console.log("Building the Worker and starting it on an empty database …");
  const worker = await OwnWorker.start(join(place, "worker"), (line) => console.log(line));
  try {
    const kills = [...options.killAt].sort((a, b) => a - b);
    return await simulate(options, { baseUrl: worker.url, adminToken: worker.adminToken }, place, signal, async (share) => {
      while (kills[0] !== undefined && share >= kills[0]) {
        kills.shift();
        console.log("Killing the Worker (-9), and starting it again …");
        await worker.killAndRestart();
        console.log("The Worker is back.");
      }
    });
  } finally {
    await worker.stop();
  }
}

async function against(options: SimulateArguments, baseUrl: string, place: string, signal: AbortSignal): Promise<boolean> {
  const adminToken = options.token ?? process.env.ADMIN_TOKEN ?? localSecrets().ADMIN_TOKEN;
  const answer = await fetch(`${baseUrl}/healthz`).catch(() => null);
  if (!answer) throw new Stop(`Nothing answers on ${baseUrl}.`);
  return await simulate(options, { baseUrl, adminToken }, place, signal, async () => {});
}

async function simulate(
  options: SimulateArguments,
  access: { baseUrl: string; adminToken: string },
  place: string,
  signal: AbortSignal,
  onProgress: (share: number) => Promise<void>,
): Promise<boolean> {
  const { devices, durationMs, faults, seed, speed } = options;
  const store = new FleetStore(join(place, "fleet.sqlite"));
  try {
    const print = (line: string) => console.log(line);
    const simulation = new Simulation({
      ...{ access, store, devices, speed, durationMs, faults, seed, print, onProgress },
      salt: crypto.randomUUID(),
    });
    const { differences, fingerprint, lines } = await simulation.run(signal);
    console.log(`\n${lines.join("\n")}`);
    console.log(`fingerprint ${fingerprint} (seed ${seed}: the same plays and fates give the same)`);
    if (differences.length > 0) console.log(`BOOKS DIFFER:\n  ${differences.slice(0, 40).join("\n  ")}`);
    else console.log("Books equal: the server's report is what the screens' own books say, device by device.");
    return differences.length === 0 && !signal.aborted;
  } finally {
    store.close();
  }
}
