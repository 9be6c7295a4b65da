import { consumeBatch } from "./product.ts";
import { Life, never, type World } from "./world.ts";

interface Waiting {
  id: string;
  body: Uint8Array<ArrayBuffer>;
  attempts: number;
  readyAt: number;
  leased: boolean;
}

/** The platform ends an invocation of a consumer after so long. */
const CONSUMER_MAX_MS = 15 * 60_000;

/** A queue that delivers at least once, or not at all: messages are held back, reordered, doubled and lost; consumers run side by side. */
export class FakeQueue {
  #waiting: Waiting[] = [];
  running = 0;
  awayUntil = 0;
  /** Every body that was ever sent, for faults that come later. */
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  readonly #lives = new Set<Life>();

  constructor(
    private readonly world: World,
    private readonly envFor: (life: Life) => Env,
  ) {}

  get depth(): number {
    return this.#waiting.length;
  }

  /** The producer's binding. */
  for(life: Life, gate: () => Promise<void> = async () => {}): Queue {
    const { world } = this;
    const sendAll = (bodies: Uint8Array<ArrayBuffer>[]) =>
      life.call(async () => {
        await gate();
        await world.latency(60);
        if (world.now < this.awayUntil || world.fault("queue refuses")) throw new Error("Queue send failed: Internal Server Error");
        const hangs = world.fault("queue hangs");
        if (!hangs || world.random.chance(0.5)) for (const body of bodies) this.#take(body);
        if (hangs) await never();
        if (world.fault("queue takes, answer lost")) throw new Error("Queue send failed: timed out");
        await world.latency(60);
      });
    return {
      // The runtime takes the bytes away from whoever sends them.
      send: (body: Uint8Array<ArrayBuffer>) => sendAll([new Uint8Array(body.buffer.transfer())]),
      sendBatch: (messages: Iterable<MessageSendRequest<Uint8Array>>) => sendAll([...messages].map(({ body }) => new Uint8Array(body))),
    } as unknown as Queue;
  }

  #take(body: Uint8Array<ArrayBuffer>): void {
    this.sent.push(body);
    if (this.world.fault("queue loses")) return;
    this.put(body);
    if (this.world.fault("queue doubles")) this.put(body);
  }

  /** Puts a message in, whoever sent it. */
  put(body: Uint8Array<ArrayBuffer>): void {
    const wait = this.world.fault("queue holds back") ? this.world.random.between(60_000, 7_200_000) : this.world.random.between(0, 6000);
    this.#waiting.push({ id: this.world.random.uuid(), body, attempts: 1, readyAt: this.world.now + wait, leased: false });
    this.world.after(wait, () => this.deliver());
  }

  /** Delivers some of what is ready, in any order, beside whatever is being consumed already. */
  deliver(): void {
    const { world } = this;
    const ready = world.random.shuffled(this.#waiting.filter((message) => !message.leased && message.readyAt <= world.now));
    const messages = ready.slice(0, world.random.pick([1, 2, 5, 100]));
    if (messages.length === 0) return;
    for (const message of messages) message.leased = true;
    if (ready.length > messages.length) world.after(world.random.between(0, 2000), () => this.deliver());
    this.#consume(messages);
  }

  #consume(messages: Waiting[]): void {
    const { world } = this;
    const life = new Life();
    const verdicts = new Map<Waiting, "ack" | number>();
    const settle = (message: Waiting, verdict: "ack" | number) => {
      // The first word on a message counts, as on the platform.
      if (!verdicts.has(message)) verdicts.set(message, verdict);
    };
    const batch = {
      queue: "play-events-0",
      messages: messages.map((message) => ({
        id: message.id,
        timestamp: new Date(world.now),
        attempts: message.attempts,
        body: message.body.slice(),
        ack: () => settle(message, "ack"),
        retry: ({ delaySeconds = 0 }: QueueRetryOptions = {}) => settle(message, delaySeconds),
      })),
    } as unknown as MessageBatch<unknown>;
    world.note(`queue delivers ${messages.length}`);
    this.running += 1;
    this.#lives.add(life);
    const ended = (how: "done" | "threw" | "killed") => {
      if (!this.#lives.delete(life)) return;
      this.running -= 1;
      life.end("the consumer ended");
      for (const message of messages)
        this.#release(message, how === "killed" ? 1 : (verdicts.get(message) ?? (how === "done" ? "ack" : 0)));
    };
    const limit = world.after(CONSUMER_MAX_MS, () => ended("killed"));
    if (world.fault("consumer killed")) world.after(world.random.between(0, 400), () => ended("killed"));
    consumeBatch(batch, this.envFor(life))
      .then(
        () => ended("done"),
        (error) => {
          world.note(`consumer threw ${error}`);
          ended("threw");
        },
      )
      .finally(() => world.cancel(limit));
  }

  #release(message: Waiting, verdict: "ack" | number): void {
    const { world } = this;
    message.leased = false;
    let wait = verdict;
    if (wait === "ack") {
      if (!world.fault("queue redelivers what was acknowledged")) {
        this.#waiting = this.#waiting.filter((other) => other !== message);
        return;
      }
      wait = world.random.between(0, 600);
    }
    message.attempts += 1;
    message.readyAt = world.now + wait * 1000;
    world.after(wait * 1000 + world.random.between(0, 2000), () => this.deliver());
  }
}
