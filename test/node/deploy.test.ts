import { expect, test } from "bun:test";
import { deployCommands, deployNames } from "../../src/cli/deploy-plan.ts";

const names = { database: "signage", queues: ["plays", "plays-dead"] };

test("the names come from wrangler.toml, each queue once", () => {
  const toml = `
[[d1_databases]]
binding = "DB"
database_name = "signage"
[[queues.producers]]
binding = "A"
queue = "plays"
[[queues.consumers]]
queue = "plays"
dead_letter_queue = "plays-dead"`;
  expect(deployNames(toml)).toEqual(names);
  expect(() => deployNames('name = "x"')).toThrow("no D1 database");
});

test("a first deployment makes queues and tables before the Worker, and gives it its secrets", () => {
  expect(deployCommands(names, { hasDatabase: false, queues: [] }, "/tmp/secrets.json")).toEqual([
    ["queues", "create", "plays"],
    ["queues", "create", "plays-dead"],
    ["d1", "create", "signage"],
    ["d1", "migrations", "apply", "signage", "--remote"],
    ["deploy", "--secrets-file", "/tmp/secrets.json"],
  ]);
});

test("a later one makes only what is missing", () => {
  expect(deployCommands(names, { hasDatabase: true, queues: ["plays"] }, null)).toEqual([
    ["queues", "create", "plays-dead"],
    ["d1", "migrations", "apply", "signage", "--remote"],
    ["deploy"],
  ]);
});
