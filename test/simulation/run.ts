import { alteredChunk } from "../support/chunks.ts";
import type { ObjectHost } from "./fake-object.ts";
import { checkEnd } from "./final.ts";
import { stateOf, Watch } from "./invariants.ts";
import { makeNetwork, type Network } from "./network.ts";
import type { Player } from "./player.ts";
import { compact, deliverProfiles, foldTelemetry, mergePending, reconcile, redriveMany, rollUp, sweepOutboxes } from "./product.ts";
import { type FaultKind, Life, World } from "./world.ts";

/** What one run did. */
export interface RunReport {
  seed: number;
  error: Error | null;
  fired: ReadonlyMap<FaultKind, number>;
  checks: ReadonlyMap<string, number>;
  trace: string[];
  plays: number;
  /** Simulated time that draining took after faults ended. */
  drainMs: number;
  steps: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** The longest way to nothing: the outbox sends again after six hours at most, and a message is held back for two. */
const DRAIN_MAX_MS = 48 * HOUR_MS;
/** A start is open for as long as an end of it could be accepted: its age, a play's length and the skew; its player's clock may be two hours off. */
const STARTS_END_MAX_MS = 36 * HOUR_MS;
/** The runs that end with compaction and reconciliation: reading all again takes as long as the run. */
const UPKEEP_SHARE = 0.3;
/** A look reads every row, so it is not taken behind each operation. */
const CHECK_EVERY_OPS = 30;

/** One run: so many operations by chance under faults, then no faults until all is drained, then every invariant. The seed decides all of it. */
export async function runSeed(seed: number, operations: number, traced = false): Promise<RunReport> {
  const world = new World(seed, traced);
  const uninstall = world.install();
  const report = { seed, plays: 0, drainMs: 0 };
  let error: Error | null = null;
  try {
    const network = makeNetwork(world);
    const watch = new Watch(network);
    keepSweeping(network);
    for (let done = 1; done <= operations; done++) {
      operate(network);
      await world.advance(pause(network));
      if (done % CHECK_EVERY_OPS === 0) watch.check();
    }
    watch.check();
    report.drainMs = await drain(network, watch);
    await checkEnd(network);
    if (world.random.chance(UPKEEP_SHARE)) await checkUpkeep(network);
    report.plays = network.d1.rows<{ plays: number }>("SELECT coalesce(sum(plays_count), 0) AS plays FROM chunk_ledger")[0]?.plays ?? 0;
    for (const host of network.hosts) host.storage.db.close();
    network.d1.db.close();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  } finally {
    uninstall();
  }
  return { ...report, error, fired: world.fired, checks: world.checks, trace: world.trace ?? [], steps: world.steps };
}

/** How long it is until the next operation: mostly at once, now and then hours. */
function pause({ world: { random } }: Network): number {
  const kind = random.weighted({ none: 40, moment: 40, seconds: 25, minutes: 6, hours: 2, days: 0.05 });
  switch (kind) {
    case "none":
      return 0;
    case "moment":
      return random.between(1, 100);
    case "seconds":
      return random.between(1, 10) * SECOND_MS;
    case "minutes":
      return random.between(1, 20) * MINUTE_MS;
    case "hours":
      return random.between(1, 8) * HOUR_MS;
    case "days":
      return 9 * 24 * HOUR_MS;
  }
}

interface Actors {
  player: Player;
  host: ObjectHost;
}

/** What may happen next, and how often it does. */
const OPERATIONS: Record<string, [weight: number, run: (network: Network, actors: Actors) => void]> = {
  play: [
    30,
    ({ world, players }, { player }) => {
      const ids = players.filter((one) => one !== player).flatMap((one) => one.freshIds());
      for (let left = world.random.pick([1, 1, 2, 5, 30]); left > 0; left--) player.play(ids);
    },
  ],
  tell: [
    12,
    ({ world }, { player }) => {
      for (let left = world.random.pick([1, 1, 3]); left > 0; left--) player.tell();
    },
  ],
  showings: [8, (_, { player }) => player.watch()],
  sendShowings: [8, (_, { player }) => player.sendShowings()],
  fold: [
    2,
    ({ world, d1 }) => {
      const life = new Life();
      if (world.random.chance(0.1)) world.after(world.random.between(0, 100), () => life.end("the cron job was killed"));
      foldTelemetry(d1.for(life), world.now).catch((error) => world.note(`fold failed: ${error}`));
    },
  ],
  send: [40, (_, { player }) => player.send(false)],
  sendAgain: [8, (_, { player }) => player.send(true)],
  restart: [
    2,
    ({ world }, { player }) => {
      world.fire("player restarts");
      player.restart();
    },
  ],
  clock: [3, (_, { player }) => player.setClock()],
  intrude: [
    1,
    ({ world }, { player }) => {
      world.fire("former player's token");
      player.intrude().catch((error) => world.fail(error));
    },
  ],
  evict: [
    3,
    ({ world }, { host }) => {
      world.fire("object evicted");
      host.evict();
    },
  ],
  abort: [
    3,
    ({ world }, { host }) => {
      const keep = world.random.chance(0.5);
      world.fire(keep ? "object aborted, write kept" : "object aborted, write lost");
      host.abort(keep);
    },
  ],
  deliver: [10, ({ queue }) => queue.deliver()],
  away: [2, goAway],
  litter: [1, litter],
  rollUp: [
    4,
    (network) => {
      const { world } = network;
      void runRollup(network, world.random.pick([0, 10 * MINUTE_MS]), world.fault("rollup dies", 5));
    },
  ],
  merge: [
    2,
    ({ world, d1 }) => {
      const life = new Life();
      if (world.random.chance(0.1)) world.after(world.random.between(0, 100), () => life.end("the cron job was killed"));
      mergePending(d1.for(life), 1).catch((error) => world.note(`merge failed: ${error}`));
    },
  ],
  compact: [
    2,
    (network) => {
      const { world, envFor } = network;
      const life = new Life();
      if (world.fault("compaction dies", 5)) world.after(world.random.between(0, 600), () => life.end("the cron job was killed"));
      compact(envFor(life), world.now).catch((error) => world.note(`compaction failed: ${error}`));
    },
  ],
  pushes: [3, (network) => void runPushes(network)],
  wake: [2, (_, { host }) => void host.rpc(new Life(), "wake").catch(() => {})],
  redrive: [
    1,
    ({ world, envFor }) => {
      world.fire("dead letters redriven");
      redriveMany(envFor(new Life()), undefined, "operator", world.now).catch((error) => world.note(`redrive failed: ${error}`));
    },
  ],
  revoke: [0.3, revoke],
};
const WEIGHTS = Object.fromEntries(Object.entries(OPERATIONS).map(([name, [weight]]) => [name, weight]));

function operate(network: Network): void {
  const { world, players, hosts } = network;
  const actors = { player: world.random.pick(players), host: world.random.pick(hosts) };
  const name = world.random.weighted(WEIGHTS);
  world.note(`-- ${name}`);
  OPERATIONS[name]?.[1](network, actors);
}

/** An outage of one of the three, for seconds or hours. */
function goAway({ world, d1, r2, queue }: Network): void {
  const [name, what] = world.random.pick([["D1 away", d1] as const, ["R2 away", r2] as const, ["queue away", queue] as const]);
  world.fire(name);
  what.awayUntil = world.now + world.random.pick([5 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, 3 * HOUR_MS]);
}

/** Puts into the queue what is no chunk, or a recorded chunk with a byte changed. */
function litter({ world, queue, d1 }: Network): void {
  const { random } = world;
  const recorded = new Set(
    d1
      .rows<{ chunk: string }>("SELECT json_array(device_id, incarnation, number) AS chunk FROM chunk_ledger WHERE plays_count > 0")
      .map(({ chunk }) => chunk),
  );
  const chunks = queue.sent.filter((body) => {
    const [header = ""] = new TextDecoder().decode(body).split("\n");
    if (!header.startsWith('{"v":')) return false;
    const { device_id, incarnation, number } = JSON.parse(header);
    return recorded.has(JSON.stringify([device_id, incarnation, number]));
  });
  if (chunks.length === 0 || random.chance(0.5)) {
    world.fire("rubbish in the queue");
    queue.put(random.fill(new Uint8Array(random.between(0, 200))));
    return;
  }
  world.fire("altered chunk in the queue");
  // One of its plays under another correlation id: still a chunk, with the same id and other bytes.
  queue.put(alteredChunk(random.pick(chunks), () => ({ correlation_id: "c-0000" })));
}

async function runRollup({ world, d1 }: Network, quietMs: number, dies: boolean): Promise<void> {
  const life = new Life();
  if (dies) world.after(world.random.between(0, 300), () => life.end("the cron job was killed"));
  await rollUp(d1.for(life), world.now, { quietMs }).catch(() => {});
}

async function runPushes({ envFor }: Network): Promise<void> {
  await deliverProfiles(envFor(new Life())).catch(() => {});
}

/** Hourly, as cron does: whatever alarm got lost is set again. */
function keepSweeping(network: Network): void {
  const { world, envFor } = network;
  world.after(HOUR_MS, () => {
    sweepOutboxes(envFor(new Life()), world.now).catch((error) => world.note(`sweep failed: ${error}`));
    keepSweeping(network);
  });
}

/** An administrator revokes a device: one transaction, with the push that tells its sequencer. */
function revoke(network: Network): void {
  const { world, d1 } = network;
  const { id } = world.random.pick(network.players);
  world.fire("device revoked");
  d1.db.transaction(() => {
    d1.db.query("UPDATE devices SET status = 'revoked', revoked_at = ? WHERE id = ?").run(world.now, id);
    d1.db.query("INSERT INTO profile_pushes (device_id, created_at) VALUES (?, ?)").run(id, world.now);
  })();
  void runPushes(network);
}

/** Faults end. What was held up must drain by itself, with nothing but the platform's own turns, the cron jobs and players that try again. */
async function drain(network: Network, watch: Watch): Promise<number> {
  const { world, d1, r2, queue, players } = network;
  world.note("== faults end");
  world.faultsOn = false;
  for (const away of [d1, r2, queue]) away.awayUntil = 0;
  const started = world.now;
  for (let round = 0; !isDrained(network); round++) {
    const waited = world.now - started;
    world.check("I6 the backlog drains", waited < DRAIN_MAX_MS, () => describe(network));
    if (round % 6 === 0) void runPushes(network);
    for (const player of players) {
      player.send(false);
      player.sendShowings();
    }
    await world.advance(waited < 10 * MINUTE_MS ? 10 * SECOND_MS : 5 * MINUTE_MS);
    if (round % 10 === 0) watch.check();
  }
  const took = world.now - started;
  // Once more from the beginning: every accepted play is sent again, and every message delivered again. Nothing may come of it.
  for (const player of players) player.send(true);
  for (const body of world.random.shuffled(queue.sent).slice(0, 20)) queue.put(body);
  for (let round = 0; round < 100 && !isDrained(network); round++) await world.advance(5 * MINUTE_MS);
  world.check("I6 the backlog drains again", isDrained(network), () => describe(network));
  await endStarts(network);
  foldTelemetry(d1.for(new Life()), world.now).catch((error) => world.fail(error));
  await Promise.race([runRollup(network, 0, false), world.advance(10 * MINUTE_MS)]);
  await world.advance(10 * MINUTE_MS);
  const marked = d1.rows("SELECT day FROM aggregate_days WHERE dirty = 1");
  world.check("I6 the rollup leaves no day marked", marked.length === 0, () => JSON.stringify(marked));
  watch.check();
  return took;
}

/** Starts whose end never came become interrupted plays by themselves, once no end could be accepted any more. */
async function endStarts(network: Network): Promise<void> {
  const { world, hosts } = network;
  const open = () => hosts.reduce((sum, host) => sum + (stateOf(host)?.starts.length ?? 0), 0);
  const started = world.now;
  while (open() > 0 || !isDrained(network)) {
    world.check("I6 open starts come to an end", world.now - started < STARTS_END_MAX_MS, () => `${open()} open; ${describe(network)}`);
    await world.advance(10 * MINUTE_MS);
  }
}

/** The product's own nightly comparison of archive and D1, over a compacted archive, must find what the checks here found: no difference. */
async function checkUpkeep(network: Network): Promise<void> {
  const { world, d1, envFor } = network;
  const work = async () => {
    const env = envFor(new Life());
    const days = 3 * 24 * HOUR_MS;
    const { damaged } = await compact(env, world.now + days);
    world.check("I4 compaction finds nothing damaged", damaged.length === 0, () => JSON.stringify(damaged));
    const found = await reconcile(env, world.now + days, { maxDays: 1000 });
    world.check("I4 reconciliation finds no difference", found.different.length === 0 && found.left === 0, () => JSON.stringify(found));
  };
  const worked = work();
  worked.catch((error) => world.fail(error));
  let over = false;
  const note = () => {
    over = true;
  };
  worked.then(note, note);
  // Many segments and slow calls may take hours of simulated time: it is given them, but must come to an end.
  for (let hour = 0; hour < 48 && !over; hour++) await world.advance(HOUR_MS);
  world.check("I6 upkeep comes to an end", over, () => "compaction or reconciliation still runs after two days");
  await worked;
  const [sums] = d1.rows<{ parts: number; ledger: number; uncompacted: number }>(
    `SELECT (SELECT coalesce(sum(plays_count), 0) FROM archive_parts) AS parts, (SELECT coalesce(sum(plays_count), 0) FROM chunk_ledger) AS ledger,
       (SELECT count(*) FROM segments WHERE compacted_at IS NULL) AS uncompacted`,
  );
  world.check("I4 parts = ledger", sums?.parts === sums?.ledger && sums?.uncompacted === 0, () => JSON.stringify(sums));
}

function isDrained({ queue, hosts, players, d1 }: Network): boolean {
  return (
    queue.depth === 0 &&
    queue.running === 0 &&
    players.every((player) => player.pending === 0 && player.showingsPending === 0 && player.inFlight === 0) &&
    hosts.every((host) => {
      const state = stateOf(host);
      return state === null || (state.arrivals === 0 && state.outbox.chunks.length === 0 && state.refusals === 0);
    }) &&
    d1.rows("SELECT 1 FROM profile_pushes WHERE acknowledged_at IS NULL LIMIT 1").length === 0
  );
}

function describe({ queue, hosts, players }: Network): string {
  return JSON.stringify({
    queue: [queue.depth, queue.running],
    pending: players.map((player) => [player.pending, player.inFlight]),
    hosts: hosts.map((host) => {
      const state = stateOf(host);
      return state && { waiting: state.waiting, chunks: state.outbox.chunks, refusals: state.refusals, alarm: host.storage.alarm };
    }),
  });
}
