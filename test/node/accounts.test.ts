import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEMO_EMAIL, demoLogin, invite, type Login, setupLink } from "../../src/cli/accounts.ts";
import { ADMIN_TOKEN, buildBundle, type Stack, startStack } from "../stack/stack.ts";

// The bundle as it is deployed: what sign-in needs is in it, and is loaded when somebody signs in.

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "alive-accounts-"));
  stack = await startStack(await buildBundle(), { persistTo: join(folder, "state"), port: 0 });
}, 300_000);
afterAll(async () => {
  await stack.kill();
  rmSync(folder, { recursive: true, force: true });
});

const access = () => ({ baseUrl: stack.url, adminToken: ADMIN_TOKEN });
const post = async (path: string, body: unknown) =>
  await fetch(`${stack.url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: stack.url, "X-Requested-With": "alive-console" },
    body: JSON.stringify(body),
  });
const look = async (link: string | null) =>
  (await (await post("/v1/invitations/look", { token: new URL(link ?? "").searchParams.get("token") })).json()) as Record<string, unknown>;

async function roleAt({ email, password }: Login): Promise<unknown> {
  const answer = await post("/api/auth/sign-in/email", { email, password });
  expect(answer.status).toBe(200);
  const headers = {
    Cookie: answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(";")[0])
      .join("; "),
  };
  return ((await (await fetch(`${stack.url}/v1/admin/me`, { headers })).json()) as Record<string, unknown>).role;
}

describe("a deployment that nobody has used", () => {
  test("gives its first administrator a link, and another in its place", async () => {
    const first = await setupLink(access());
    const second = await setupLink(access());
    expect(second).toStartWith(`${stack.url}/console/setup?token=link_`);
    expect(await look(second)).toMatchObject({ kind: "setup", role: "admin", email: null });
    expect(await look(first)).toMatchObject({ status: 410, code: "LINK_REVOKED" });
  });

  test("has a demo administrator, whose password is kept and is the same at the next start", async () => {
    const file = join(folder, "login.json");
    const login = await demoLogin(access(), file);
    expect(login).toEqual({ email: DEMO_EMAIL, password: expect.stringMatching(/^[\w-]{20}$/) });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await roleAt(login)).toBe("admin");
    expect(await demoLogin(access(), file)).toEqual(login);
  });

  test("gives out no set-up link once somebody can sign in", async () => {
    expect(await setupLink(access())).toBeNull();
  });

  test("gives the demo's administrator a new password where the file is lost", async () => {
    const login = await demoLogin(access(), join(folder, "other.json"));
    expect(await roleAt(login)).toBe("admin");
  });
});

test("the command line invites by a link to the console", async () => {
  const link = await invite(access(), "ann@example.com", "operator");
  expect(link).toStartWith(`${stack.url}/console/accept?token=link_`);
  expect(await look(link)).toMatchObject({ kind: "invitation", role: "operator", email: "ann@example.com" });
  await expect(invite(access(), "ann@example.com", "owner")).rejects.toThrow("--role must be one of admin, operator, viewer");
});
