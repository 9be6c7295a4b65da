import { createServer } from "node:net";
import { tickCrons } from "../cron.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

/** A Worker for one run: the production bundle in a runtime of its own, with state in a folder, at an address that stays. */
export class OwnWorker {
  readonly adminToken = ADMIN_TOKEN;
  readonly #bundle: string;
  readonly #options: { persistTo: string; port: number; directPort: number };
  readonly #print: (line: string) => void;
  #stack: Stack;
  #stopCrons: () => void;

  private constructor(
    bundle: string,
    options: { persistTo: string; port: number; directPort: number },
    stack: Stack,
    print: (line: string) => void,
  ) {
    this.#bundle = bundle;
    this.#options = options;
    this.#stack = stack;
    this.#print = print;
    this.#stopCrons = this.#tick();
  }

  /** Builds it and starts it. @throws Stop where it cannot be built. */
  static async start(persistTo: string, print: (line: string) => void): Promise<OwnWorker> {
    const bundle = await buildBundle();
    const options = { persistTo, port: 0, directPort: await freePort() };
    return new OwnWorker(bundle, options, await startStack(bundle, options), print);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.directPort}`;
  }

  /** `kill -9`: nothing is flushed, and what the local queue held in memory is gone. */
  async killAndRestart(): Promise<void> {
    this.#stopCrons();
    await this.#stack.kill();
    this.#stack = await startStack(this.#bundle, this.#options);
    this.#stopCrons = this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopCrons();
    await this.#stack.kill();
  }

  /** The local runtime has no clock for crons. */
  #tick(): () => void {
    return tickCrons(
      (expression) => this.#stack.cron(expression),
      (expression, reason) => this.#print(`cron "${expression}" failed: ${reason}`),
    );
  }
}

/** From here on, below the ports that systems give out by themselves: one that is free stays so while the Worker is killed. */
const FIRST_PORT = 20_000;
const PORTS = 8000;

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
