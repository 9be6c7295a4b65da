import type { PlayQueueBinding } from "../../src/plays/queues.ts";
import { FakeD1 } from "./fake-d1.ts";
import { ObjectHost } from "./fake-object.ts";
import { FakeQueue } from "./fake-queue.ts";
import { FakeR2 } from "./fake-r2.ts";
import { Player } from "./player.ts";
import { consumerBreaker } from "./product.ts";
import type { Life, World } from "./world.ts";

const ZONES = ["Asia/Ho_Chi_Minh", "America/New_York", "Pacific/Kiritimati", "UTC"];
const PLACE = { lat: 10.77, lng: 106.7 };

/** One run's network: stores, players, their sequencers, and the platform under them. */
export interface Network {
  world: World;
  d1: FakeD1;
  r2: FakeR2;
  queue: FakeQueue;
  hosts: ObjectHost[];
  players: Player[];
  eventRows: boolean;
  /** The bindings of a consumer's or cron job's invocation. */
  envFor: (life: Life) => Env;
}

/** Builds a network by chance: how many players, which zones, how much an outbox may hold, how soon chunks are sent again. */
export function makeNetwork(world: World): Network {
  const { random } = world;
  consumerBreaker.succeeded();
  const d1 = new FakeD1(world);
  const r2 = new FakeR2(world);
  const eventRows = random.chance(0.85);
  const hosts: ObjectHost[] = [];
  const vars = {
    OUTBOX_RESEND_AFTER_MS: random.pick(["5000", "60000", "900000"]),
    OUTBOX_MAX_MB: random.pick(["256", "256", "0.02"]),
    EVENT_ROWS: eventRows ? "on" : "off",
    HASH_SECRET: "simulation",
    QUEUE_SHARDS: "4",
  };
  const envFor = (life: Life): Env =>
    ({
      ...vars,
      ...shards(queue.for(life)),
      DB: d1.for(life),
      BUCKET: r2.for(life),
      SEQUENCER: { getByName: (name: string) => stubOf(hosts, life, name) },
    }) as unknown as Env;
  const queue = new FakeQueue(world, envFor);
  const policy = random.pick([
    {},
    { signature: "optional" },
    { signature: "optional", unsigned_billable: true },
    { requests_per_minute: 6 },
  ]);
  const contents = [random.uuid(), random.uuid()];
  const campaigns = [random.uuid(), random.uuid()];
  d1.db
    .query("INSERT INTO device_groups (id, name, policy_json, created_at, updated_at) VALUES ('group', 'Group', ?, 0, 0)")
    .run(JSON.stringify(policy));
  const players = Array.from({ length: random.between(1, 4) }, () => {
    const [id, family, store, supplier] = [random.uuid(), random.uuid(), random.uuid(), random.uuid()];
    register(d1, { id, family, store, supplier, zone: random.pick(ZONES) });
    const host = new ObjectHost(
      world,
      id,
      (life, gate) => ({ ...vars, DB: d1.for(life, gate), ...shards(queue.for(life, gate)) }) as unknown as Env,
    );
    hosts.push(host);
    return new Player(world, id, family, host, contents, campaigns);
  });
  return { world, d1, r2, queue, hosts, players, eventRows, envFor };
}

/** The queues of plays. The one that stands for them delivers in no order anyway, to consumers side by side. */
function shards(queue: Queue): Pick<Env, PlayQueueBinding> {
  return { PLAY_EVENTS_0: queue, PLAY_EVENTS_1: queue, PLAY_EVENTS_2: queue, PLAY_EVENTS_3: queue };
}

function stubOf(hosts: ObjectHost[], life: Life, name: string) {
  const host = hosts.find((one) => one.name === name);
  if (!host) throw new Error(`there is no object ${name}`);
  return {
    confirm: (incarnation: string, numbers: number[]) => host.rpc(life, "confirm", incarnation, numbers),
    refreshProfile: () => host.rpc(life, "refreshProfile"),
    wake: () => host.rpc(life, "wake"),
  };
}

interface Registered {
  id: string;
  family: string;
  store: string;
  supplier: string;
  zone: string;
}

function register(d1: FakeD1, { id, family, store, supplier, zone }: Registered): void {
  const run = (sql: string, ...values: (string | number)[]) => d1.db.query(sql).run(...values);
  run("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, 'Supplier', 0, 0)", supplier);
  run(
    "INSERT INTO stores (id, supplier_id, name, timezone, lat, lng, created_at, updated_at) VALUES (?, ?, 'Store', ?, ?, ?, 0, 0)",
    store,
    supplier,
    zone,
    PLACE.lat,
    PLACE.lng,
  );
  run(
    `INSERT INTO devices (id, external_name, store_id, group_id, status, token_family_id, created_at, updated_at)
     VALUES (?, 'Screen', ?, 'group', 'active', ?, 0, 0)`,
    id,
    store,
    family,
  );
  run(
    "INSERT INTO device_assignments (device_id, valid_from, store_id, supplier_id, timezone, lat, lng) VALUES (?, 0, ?, ?, ?, ?, ?)",
    id,
    store,
    supplier,
    zone,
    PLACE.lat,
    PLACE.lng,
  );
}
