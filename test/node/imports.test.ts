import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ROOT } from "../../src/cli/tools.ts";

/** What a file loads when it is loaded, types left out. */
function imports(file: string): string[] {
  const transpiler = new Bun.Transpiler({ loader: file.endsWith(".tsx") ? "tsx" : "ts" });
  return transpiler
    .scanImports(readFileSync(file))
    .filter(({ kind }) => kind === "import-statement")
    .map(({ path }) => path);
}

/** Every file and package that is loaded with a file. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set<string>();
  const waiting = [join(ROOT, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(ROOT, file);
    if (loaded.has(name)) continue;
    loaded.add(name);
    if (!/\.tsx?$/.test(file)) continue;
    for (const path of imports(file)) {
      if (path.startsWith(".")) waiting.push(join(dirname(file), path));
      else loaded.add(path);
    }
  }
  return loaded;
}

describe("the Worker's start", () => {
  const loaded = loadedWith("workers/index.ts");

  test("loads its features", () => {
    expect(loaded).toContain("src/plays/sequencer/sequencer.ts");
    expect(loaded).toContain("src/auth/sign-in-routes.ts");
    expect(loaded).toContain("@hono/zod-openapi");
  });

  test("loads nothing of the sign-in library: only who signs in waits for that", () => {
    expect([...loaded].filter((name) => name.includes("better-auth"))).toEqual([]);
    const lazily = loadedWith("src/auth/better-auth.ts");
    expect(lazily).toContain("better-auth/minimal");
    // The library with Kysely in it is twice as large.
    expect(lazily).not.toContain("better-auth");
  });
});
