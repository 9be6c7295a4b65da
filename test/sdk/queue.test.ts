import { describe, expect, test } from "vitest";
import { MemoryFiles } from "../../src/sdk/files.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import { FILES_CASES } from "./files-contract.ts";
import { QUEUE_CASES } from "./queue-contract.ts";

const same = (found: unknown, expected: unknown) => expect(found).toEqual(expected);

describe("a queue in memory", () => {
  test.each(QUEUE_CASES)("$name", async ({ check, limits }) => await check(new MemoryQueue(limits), same));
});

describe("files in memory", () => {
  test.each(FILES_CASES)("$name", async ({ check }) => await check(new MemoryFiles(), same));
});
