import { errorText } from "./http.ts";

/** What the device is told to do, as a heartbeat's answer has it. */
export interface Command {
  id: string;
  /** `reboot`, `refresh_plan`, `screenshot`, `set_volume`, `clear_cache`, `update`, or one that this player does not know yet. */
  type: string;
  params: Record<string, unknown>;
}

/** What became of a command, as a heartbeat reports it. */
export interface CommandResult {
  id: string;
  status: "done" | "failed";
  detail: Record<string, unknown> | null;
}

/** What is kept of commands, so that none is executed twice. Plain data. */
export interface CommandBook {
  /** Begun, and not known to have ended. */
  begun: { id: string; type: string }[];
  /** Ended, and not known to have been heard by the server. */
  results: CommandResult[];
  /** Heard by the server; the latest last. */
  settled: string[];
}

export interface CommandStore {
  load(): Promise<CommandBook | null>;
  save(book: CommandBook): Promise<void>;
}

/** Executes one type of command. What it returns is told to the server; where it throws, the error is. */
export type CommandHandler = (params: Record<string, unknown>) => Promise<Record<string, unknown> | null>;

const EMPTY: CommandBook = { begun: [], results: [], settled: [] };
/** Several times what may wait for a device at once. */
const SETTLED_KEPT = 200;
/** What the server takes in one heartbeat, and in one detail. */
const RESULTS_PER_HEARTBEAT = 20;
const DETAIL_MAX_CHARS = 2000;
const ERROR_MAX_CHARS = 500;
/** Whoever executes these ends the player: that it runs again says that they are done. */
const ENDS_PLAYER = new Set(["reboot", "update"]);

/** The command in a value, as a list: empty where there is none that can be read. Pure. */
export function readCommand(value: unknown): Command[] {
  if (typeof value !== "object" || value === null) return [];
  const { id, type, params } = value as Record<string, unknown>;
  const known = typeof params === "object" && params !== null && !Array.isArray(params);
  return typeof id === "string" && typeof type === "string" ? [{ id, type, params: known ? (params as Record<string, unknown>) : {} }] : [];
}

/** Whether the device has met a command before. */
export function isKnown({ begun, results, settled }: CommandBook, id: string): boolean {
  return settled.includes(id) || results.some((result) => result.id === id) || begun.some((command) => command.id === id);
}

/** The book at the player's start: what was begun when the last one ended has ended with it. Pure. */
export function afterRestart({ begun, results, settled }: CommandBook): CommandBook {
  const ended = begun.map(
    ({ id, type }): CommandResult =>
      ENDS_PLAYER.has(type)
        ? { id, status: "done", detail: { restarted: true } }
        : { id, status: "failed", detail: { error: "The player ended while it was at it." } },
  );
  return { begun: [], results: [...results, ...ended], settled };
}

/** The book when a command has ended. Pure. */
export function withResult({ begun, results, settled }: CommandBook, result: CommandResult): CommandBook {
  return { begun: begun.filter(({ id }) => id !== result.id), results: [...results, result], settled };
}

/** The book after a heartbeat that told of `told`, and whose answer repeats `repeated`: what it does not repeat was heard. Pure. */
export function afterHeartbeat(book: CommandBook, told: readonly string[], repeated: readonly string[]): CommandBook {
  const heard = new Set(told.filter((id) => !repeated.includes(id)));
  if (heard.size === 0) return book;
  const results = book.results.filter(({ id }) => !heard.has(id));
  return { ...book, results, settled: [...book.settled, ...heard].slice(-SETTLED_KEPT) };
}

/** Executes each command once, by the host's handlers, and keeps what became of it until the server has heard it. */
export class CommandDesk {
  readonly #handlers: Readonly<Record<string, CommandHandler>>;
  readonly #store: CommandStore;
  #book: CommandBook;
  /** Waiting for their turn, or being executed. */
  readonly #taken = new Set<string>();
  /** The last of each type: commands of one type are executed in their order, and one that hangs holds up no other type. */
  readonly #queues = new Map<string, Promise<void>>();
  #saving: Promise<unknown> = Promise.resolve();
  readonly #onResult: (result: CommandResult) => void;

  private constructor(
    store: CommandStore,
    handlers: Readonly<Record<string, CommandHandler>>,
    book: CommandBook,
    onResult: (result: CommandResult) => void,
  ) {
    this.#store = store;
    this.#handlers = handlers;
    this.#book = book;
    this.#onResult = onResult;
  }

  /** `onResult` hears of each command that has ended, when its result can be reported. */
  static async open(
    store: CommandStore,
    handlers: Readonly<Record<string, CommandHandler>>,
    onResult: (result: CommandResult) => void = () => {},
  ): Promise<CommandDesk> {
    const kept = await store.load();
    const desk = new CommandDesk(store, handlers, kept ? afterRestart(kept) : EMPTY, onResult);
    // Where the disk does not take it, the next start tells the same again.
    if (kept && kept.begun.length > 0) await store.save(desk.#book).catch(() => undefined);
    return desk;
  }

  /** What a heartbeat is to report. */
  results(): CommandResult[] {
    return this.#book.results.slice(0, RESULTS_PER_HEARTBEAT);
  }

  /**
   * Takes a heartbeat's answer: what was told and is not repeated was heard, and what is new is executed, without waiting
   * for its end. @throws what the store throws: then nothing was executed that the store does not know of.
   */
  async take(told: readonly CommandResult[], commands: readonly Command[]): Promise<void> {
    const repeated = commands.map(({ id }) => id);
    const book = afterHeartbeat(
      this.#book,
      told.map(({ id }) => id),
      repeated,
    );
    if (book !== this.#book) await this.#keep(book);
    for (const command of commands) {
      if (this.#taken.has(command.id) || isKnown(this.#book, command.id)) continue;
      this.#taken.add(command.id);
      const before = this.#queues.get(command.type) ?? Promise.resolve();
      this.#queues.set(
        command.type,
        before.then(() => this.#execute(command)),
      );
    }
  }

  /** Resolves when all that was taken so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  async #execute(command: Command): Promise<void> {
    const { id, type } = command;
    try {
      // Kept before it is executed: where the power goes in between it is reported failed, and never executed twice.
      await this.#keep({ ...this.#book, begun: [...this.#book.begun, { id, type }] });
      const result = { id, ...(await this.#outcome(command)) };
      // Where the disk does not take it, it is in memory, and is reported from there.
      await this.#keep(withResult(this.#book, result)).catch(() => undefined);
      this.#onResult(result);
    } catch {
      // Not executed: the server repeats it, and the disk may take it then.
      this.#book = { ...this.#book, begun: this.#book.begun.filter((one) => one.id !== id) };
    } finally {
      this.#taken.delete(id);
    }
  }

  async #outcome({ type, params }: Command): Promise<Omit<CommandResult, "id">> {
    const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : undefined;
    if (!handler) return { status: "failed", detail: { error: `This player does not know the command ${cut(type)}.` } };
    try {
      return { status: "done", detail: fitting(await handler(params)) };
    } catch (error) {
      return { status: "failed", detail: { error: cut(errorText(error)) } };
    }
  }

  /** Writes one after the other, and what the book is when its turn comes: the last write has everything. */
  async #keep(book: CommandBook): Promise<void> {
    this.#book = book;
    const mine = this.#saving.then(() => this.#store.save(this.#book));
    this.#saving = mine.catch(() => undefined);
    await mine;
  }
}

function cut(text: string): string {
  return text.slice(0, ERROR_MAX_CHARS);
}

/** A detail that the server takes: one too long would cost the heartbeat that carries it. */
function fitting(detail: Record<string, unknown> | null): Record<string, unknown> | null {
  return JSON.stringify(detail).length <= DETAIL_MAX_CHARS ? detail : { omitted: `over ${DETAIL_MAX_CHARS} characters` };
}
