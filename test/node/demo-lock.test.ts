import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDemo } from "../../src/cli/demo-lock.ts";

test("the demo's folder is taken by one program at a time; what a dead one left does not count", () => {
  const dir = mkdtempSync(join(tmpdir(), "alive-lock-"));
  try {
    writeFileSync(join(dir, "pid"), String(process.ppid));
    expect(() => lockDemo(dir)).toThrow(`process ${process.ppid}`);
    writeFileSync(join(dir, "pid"), "4194303");
    const lock = lockDemo(dir);
    expect(existsSync(join(dir, "pid"))).toBe(true);
    lock.release();
    expect(existsSync(join(dir, "pid"))).toBe(false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
