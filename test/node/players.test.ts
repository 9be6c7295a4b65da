import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../src/cli/tools.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

// The page for writers of players, as a new reader takes it: its commands pasted into a shell, its script downloaded and run.

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "alive-players-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function shell(...args: string[]) {
  const child = Bun.spawn(["sh", ...args], { cwd: dir, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("the commands of the worked example print what stands below them", async () => {
  const page = readFileSync(join(ROOT, "src/docs/players.md"), "utf8");
  const block = (language: string, has: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)\n\`\`\`$`, "gms"))]
      .map((match) => match[1] ?? "")
      .find((text) => text.includes(has));
  writeFileSync(join(dir, "commands.sh"), block("sh", "key.pem") ?? "");
  expect(await shell("-eu", "commands.sh")).toEqual({ code: 0, out: `${block("text", "signature: ")}\n`, err: "" });
});

describe("the script", () => {
  let stack: Stack;
  let persistTo: string;
  const ids: Record<string, string> = {};
  const admin = async (path: string, body?: unknown) => {
    const answer = await fetch(`${stack.url}/v1/${path}`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string> & { items?: Record<string, unknown>[] };
  };

  beforeAll(async () => {
    persistTo = mkdtempSync(join(tmpdir(), "alive-players-state-"));
    stack = await startStack(await buildBundle(), { persistTo, port: 0 });
    ids.supplier = (await admin("admin/suppliers", { name: "Retail" })).id ?? "";
    ids.store = (await admin("admin/stores", { supplier_id: ids.supplier, name: "Store", timezone: "Europe/Berlin" })).id ?? "";
    ids.group = (await admin("admin/device-groups", { name: "Group" })).id ?? "";
    ids.campaign = (await admin("admin/campaigns", { brand_name: "Brand", name: "Campaign" })).id ?? "";
    ids.content = (await admin("admin/content", { name: "Spot", type: "video" })).id ?? "";
    const version = { version_hash: "1", url: "https://example.com/spot.mp4", sha256: "0".repeat(64), bytes: 1, duration_ms: 1000 };
    await admin(`admin/content/${ids.content}/versions`, { ...version, mime: "video/mp4" });
  }, 300_000);
  afterAll(async () => {
    await stack.kill();
    rmSync(persistTo, { recursive: true, force: true });
  });
  const run = (...args: string[]) =>
    shell("send-play.sh", "--base", stack.url, "--content", ids.content ?? "", "--campaign", ids.campaign ?? "", "--seconds", "1", ...args);

  test("downloaded and run as the page says, pairs and has its play counted once, which is billed", async () => {
    writeFileSync(join(dir, "send-play.sh"), await (await fetch(`${stack.url}/docs/send-play.sh`)).text());
    const claim = await admin("device/pairing/create-claim", { store_id: ids.store, group_id: ids.group, name: "Shell" });
    const first = await run("--claim", (claim.claim_code ?? "").toLowerCase().replace(/(....)/, "$1-"));
    expect(first).toMatchObject({ code: 0, err: "" });
    const [paired, once, again] = first.out.split("\n");
    const device = paired?.replace("paired as device ", "") ?? "";
    const log = once?.split(":")[0] ?? "";
    expect([once, again]).toEqual([`${log}: 202 accepted`, `${log}: 202 duplicate`]);
    expect(readdirSync(join(dir, "player/queue"))).toEqual([]);
    const found = async () => {
      const day = (offset: number) => new Date(Date.now() + offset).toISOString().slice(0, 10);
      const query = `from=${day(-86_400_000)}&to=${day(86_400_000)}&group_by=device&device_id=${device}`;
      return (await admin(`admin/reports/proof-of-play?${query}`)).items ?? [];
    };
    for (let look = 0; look < 100 && (await found()).length === 0; look++) await Bun.sleep(200);
    expect(await found()).toMatchObject([{ plays_count: 1, completed_count: 1, billable_count: 1 }]);
  }, 300_000);

  test("the second time needs no claim code, and renews a token that is refused", async () => {
    const file = join(dir, "player/device.json");
    const before = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    writeFileSync(file, JSON.stringify({ ...before, device_token: "gone" }));
    const second = await run();
    expect(second).toMatchObject({ code: 0, err: "" });
    expect(second.out).toMatch(/^[0-9a-f-]{36}: 202 accepted\n[0-9a-f-]{36}: 202 duplicate\n$/);
    const after = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    expect(after.device_id).toBe(before.device_id ?? "");
    expect(after.refresh_token).not.toBe(before.refresh_token ?? "");
  });

  test("what the server cannot be reached for waits, and goes out the next time", async () => {
    const away = await shell("send-play.sh", "--base", "http://127.0.0.1:9", "--content", ids.content ?? "", "--seconds", "0");
    expect(away.code).toBe(1);
    expect(readdirSync(join(dir, "player/queue"))).toHaveLength(1);
    const back = await run();
    expect(back.out.match(/202 accepted/g)).toHaveLength(2);
    expect(readdirSync(join(dir, "player/queue"))).toEqual([]);
  });

  test("a log that is refused for good is put aside", async () => {
    const refused = await shell("send-play.sh", "--base", stack.url, "--content", crypto.randomUUID(), "--seconds", "0");
    expect(refused.code).toBe(0);
    expect(refused.out).toMatch(/: 422 INVALID_CONTENT\n$/);
    expect([readdirSync(join(dir, "player/queue")).length, readdirSync(join(dir, "player/refused")).length]).toEqual([0, 1]);
  });

  test("an unknown claim code is told as the server tells it", async () => {
    const run = await shell(
      "send-play.sh",
      "--base",
      stack.url,
      "--content",
      ids.content ?? "",
      "--claim",
      "BCDFGHJK",
      "--home",
      "./other",
    );
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/^Pairing was answered 404:\n.*CLAIM_NOT_FOUND/);
  });
});
