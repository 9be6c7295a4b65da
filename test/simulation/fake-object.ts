import { Database, type SQLQueryBindings } from "bun:sqlite";
import { type AdmitRequest, type RequestAnswer, readAnswers } from "../../src/plays/sequencer/handover.ts";
import { DeviceSequencer } from "./product.ts";
import { Life, never, type World } from "./world.ts";

/**
 * The storage of an object: real SQLite. What is written is durable some milliseconds later; until then it lies in an open transaction, and an
 * abort drops it or keeps it. Whatever leaves the object waits until all that was written before is durable (the platform's output gate).
 */
export class FakeStorage {
  readonly db = new Database(":memory:");
  alarm: number | null = null;
  #durableAlarm: number | null = null;
  #dirty = false;
  #waiters: (() => void)[] = [];

  constructor(
    private readonly world: World,
    private readonly onAlarmSet: (at: number) => void,
    private readonly onWrite: () => void,
  ) {}

  /** Resolves when all that was written so far is durable. */
  durable(): Promise<void> {
    return this.#dirty ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }

  #touch(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.db.run("BEGIN");
    const wait = this.world.fault("object's disk slow") ? this.world.random.between(500, 3000) : this.world.random.between(0, 20);
    this.world.after(wait, () => this.flush());
    this.onWrite();
  }

  flush(): void {
    if (!this.#dirty) return;
    this.#commit();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  #commit(): void {
    this.#dirty = false;
    this.db.run("COMMIT");
    if (this.alarm !== this.#durableAlarm && this.alarm !== null) this.onAlarmSet(this.alarm);
    this.#durableAlarm = this.alarm;
  }

  /** The object dies: nobody waits any more, and what was not durable is gone or was written after all. */
  abort(keep: boolean): void {
    this.#waiters = [];
    if (!this.#dirty) return;
    if (keep) {
      this.#commit();
      return;
    }
    this.#dirty = false;
    this.db.run("ROLLBACK");
    this.alarm = this.#durableAlarm;
  }

  /** The alarm that is due, which is thereby no longer set. */
  takeAlarm(): boolean {
    if (this.#durableAlarm === null || this.#durableAlarm > this.world.now) return false;
    if (this.alarm === this.#durableAlarm) this.alarm = null;
    this.#durableAlarm = null;
    return true;
  }

  /** The platform runs an alarm again whose run did not end. */
  retryAlarm(): void {
    if (this.alarm !== null) return;
    this.alarm = this.#durableAlarm = this.world.now + 2000;
    this.onAlarmSet(this.alarm);
  }

  /** The storage as one instance of the object has it. */
  for(life: Life, mayFail: () => boolean): DurableObjectStorage {
    const alive = () => {
      if (life.dead) throw new Error("the object was reset");
    };
    return {
      sql: {
        exec: (sql: string, ...params: SQLQueryBindings[]) => {
          alive();
          return cursor(this.#execute(sql, params, mayFail));
        },
      },
      transactionSync: <T>(work: () => T): T => {
        alive();
        this.#touch();
        this.db.run("SAVEPOINT work");
        try {
          const result = work();
          this.db.run("RELEASE work");
          return result;
        } catch (error) {
          this.db.run("ROLLBACK TO work");
          this.db.run("RELEASE work");
          throw error;
        }
      },
      getAlarm: async () => this.alarm,
      setAlarm: async (at: number) => {
        if (life.dead) return await never();
        this.#touch();
        this.alarm = at;
      },
    } as unknown as DurableObjectStorage;
  }

  #execute(sql: string, params: SQLQueryBindings[], mayFail: () => boolean): Record<string, unknown>[] {
    if (/^\s*SELECT/i.test(sql)) return this.db.query(sql).all(...params) as Record<string, unknown>[];
    this.#touch();
    if (mayFail() && this.world.fault("object's write fails")) throw new Error("database or disk is full: SQLITE_FULL");
    if (/CREATE TABLE/.test(sql)) {
      this.db.run(sql);
      return [];
    }
    return this.db.query(sql).all(...params) as Record<string, unknown>[];
  }
}

/** A cursor as the platform gives it: blobs are ArrayBuffers. */
function cursor(rows: Record<string, unknown>[]) {
  for (const row of rows) {
    for (const [column, value] of Object.entries(row)) if (value instanceof Uint8Array) row[column] = value.slice().buffer;
  }
  return {
    toArray: () => rows,
    [Symbol.iterator]: () => rows[Symbol.iterator](),
    one: () => {
      if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
      return rows[0];
    },
  };
}

/** Logs that were refused with this answer: by the Worker before, or by the sequencer. */
function refusedOf(request: AdmitRequest, answer: RequestAnswer): number {
  return answer.kind === "answered"
    ? request.refused.length + readAnswers(answer.logs).filter(({ status }) => status === "rejected").length
    : 0;
}

interface Instance {
  life: Life;
  ready: Promise<void>;
  object: InstanceType<typeof DeviceSequencer>;
}

type Method = "admit" | "telemetry" | "confirm" | "refreshProfile" | "wake" | "status" | "alarm";

/** One object's place on the platform: makes the object when it is called, ends it, and calls its alarm. */
export class ObjectHost {
  readonly storage: FakeStorage;
  running = 0;
  /** Logs refused by answers that left, and by answers at all: those whose object died before may be kept or lost. */
  readonly refusals = { answered: 0, made: 0 };
  #instance: Instance | null = null;
  #alarmRuns = false;

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly envFor: (life: Life, gate: () => Promise<void>) => Env,
  ) {
    this.storage = new FakeStorage(
      world,
      (at) => world.after(at - world.now, () => void this.#ring()),
      () => this.#afterWrite(),
    );
  }

  /** Calls the object from elsewhere: the call and its answer each may be lost on the way. */
  rpc(caller: Life, method: Method, ...args: unknown[]): Promise<unknown> {
    const { world } = this;
    return caller.call(async () => {
      await world.latency();
      if (world.fault("call of the object hangs")) await never();
      if (world.fault("call of the object lost")) throw new Error("Network connection lost.");
      const result = await this.invoke(method, args);
      if (world.fault("answer of the object lost")) throw new Error("Network connection lost.");
      await world.latency();
      return result;
    });
  }

  async invoke(method: Method, args: unknown[]): Promise<unknown> {
    const { life, ready, object } = this.#wake();
    const work = async () => {
      await ready;
      const result: unknown = await Reflect.apply(object[method], object, structuredClone(args));
      const refused = method === "admit" ? refusedOf(args[0] as AdmitRequest, result as RequestAnswer) : 0;
      this.refusals.made += refused;
      await this.storage.durable();
      this.refusals.answered += refused;
      return structuredClone(result);
    };
    this.running += 1;
    const working = work();
    working.catch(() => {});
    try {
      return await Promise.race([working, life.died]);
    } finally {
      this.running -= 1;
    }
  }

  #wake(): Instance {
    if (this.#instance) return this.#instance;
    const life = new Life();
    let born = false;
    let ready = Promise.resolve();
    const ctx = {
      id: { name: this.name },
      getWebSockets: () => [],
      storage: this.storage.for(life, () => born),
      blockConcurrencyWhile: (work: () => Promise<void>) => {
        ready = work();
      },
      waitUntil: (work: Promise<unknown>) => {
        this.running += 1;
        void Promise.race([work.catch(() => {}), life.died.catch(() => {})]).finally(() => {
          this.running -= 1;
        });
      },
    };
    const gate = async () => {
      await this.storage.durable();
      if (life.dead) await never();
    };
    const object = new DeviceSequencer(ctx as unknown as DurableObjectState, this.envFor(life, gate));
    born = true;
    this.#instance = { life, ready, object };
    this.world.note(`object ${this.name.slice(0, 4)} starts`);
    return this.#instance;
  }

  /** The object dies in the middle of whatever it does. */
  abort(keep: boolean): void {
    this.world.note(`object ${this.name.slice(0, 4)} aborted`);
    this.storage.abort(keep);
    this.#instance?.life.end("the object was reset");
    this.#instance = null;
  }

  /** The object leaves memory, with everything it has written. */
  evict(): void {
    if (this.running > 0) return;
    this.storage.flush();
    this.#instance?.life.end("the object was evicted");
    this.#instance = null;
  }

  #afterWrite(): void {
    const { world } = this;
    if (world.fault("object aborted, write lost")) world.after(world.random.between(0, 10), () => this.abort(false));
    else if (world.fault("object aborted, write kept")) world.after(world.random.between(0, 10), () => this.abort(true));
  }

  async #ring(): Promise<void> {
    const { world } = this;
    if (this.#alarmRuns || world.fault("alarm late")) {
      world.after(world.random.between(100, this.#alarmRuns ? 100 : 90_000), () => void this.#ring());
      return;
    }
    if (!this.storage.takeAlarm() || world.fault("alarm lost", 0.3)) return;
    this.#alarmRuns = true;
    try {
      await this.invoke("alarm", []);
      if (world.fault("alarm twice")) await this.invoke("alarm", []);
    } catch (error) {
      world.note(`alarm of ${this.name.slice(0, 4)} failed: ${error}`);
      this.storage.retryAlarm();
    } finally {
      this.#alarmRuns = false;
    }
  }
}
