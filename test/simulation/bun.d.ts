// Only what is used here: bun's own types bring globals that are not those of the Workers runtime.

declare module "bun:test" {
  export function describe(name: string, tests: () => void): void;
  export function test(name: string, run: () => void | Promise<void>, timeoutMs?: number): void;
  export function afterAll(run: () => void): void;
  export function expect(value: unknown): { toEqual(expected: unknown): void; toBeGreaterThan(expected: number): void };
}

declare module "bun:sqlite" {
  export type SQLQueryBindings = string | number | bigint | boolean | null | Uint8Array;

  interface Statement {
    all(...values: SQLQueryBindings[]): unknown[];
    run(...values: SQLQueryBindings[]): { changes: number };
  }

  export class Database {
    static deserialize(bytes: Uint8Array): Database;
    constructor(file: ":memory:");
    query(sql: string): Statement;
    run(sql: string): void;
    transaction(work: () => void): () => void;
    serialize(): Uint8Array;
    close(): void;
  }
}
