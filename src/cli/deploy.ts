import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildAssets } from "./assets.ts";
import { type AccountState, type DeployNames, deployCommands, deployNames } from "./deploy-plan.ts";
import { makeSecret, SECRET_NAMES, type SecretName } from "./secrets.ts";
import { main, mustRun, ROOT, run, Stop, wrangler } from "./tools.ts";

/** `bun run deploy`: all that a Cloudflare account needs to run the product. `--dry-run` does all of it that needs no account. */
await main(async () => {
  const { values } = parseArgs({ options: { "dry-run": { type: "boolean", default: false } }, strict: true });
  const names = deployNames(readFileSync(resolve(ROOT, "wrangler.toml"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "alive-signage-deploy-"));
  try {
    await rehearse(folder);
    if (values["dry-run"]) show(names);
    else await deploy(names, folder);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Builds the pages and the Worker as it would be uploaded, and applies every migration to an empty local database. */
async function rehearse(folder: string): Promise<void> {
  for (const line of (await buildAssets()).report) console.log(line);
  const output = await mustRun(wrangler("deploy", "--dry-run", "--outdir", join(folder, "worker")), "Building the Worker");
  console.log(/Total Upload:.*/.exec(output)?.[0] ?? "The Worker builds.");
  await mustRun(
    wrangler("d1", "migrations", "apply", "DB", "--local", "--persist-to", join(folder, "state")),
    "Applying the migrations to an empty database",
  );
  console.log("All migrations apply to an empty database.");
}

function show(names: DeployNames): void {
  const commands = deployCommands(names, { hasDatabase: false, queues: [] }, "<file of the missing secrets>");
  console.log(`\nA first deployment would run, in this order:\n${commands.map((command) => `  wrangler ${command.join(" ")}`).join("\n")}`);
  console.log(`\nSecrets asked for where missing: ${SECRET_NAMES.join(", ")}.`);
}

async function deploy(names: DeployNames, folder: string): Promise<void> {
  if ((await mustRun(wrangler("whoami"), "Asking who deploys")).includes("not authenticated"))
    throw new Stop(
      "Not logged in at Cloudflare. Run `npx -y bun run wrangler login`, or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.",
    );
  const state = await accountState(names);
  const secretsFile = await missingSecrets(folder);
  for (const command of deployCommands(names, state, secretsFile)) {
    console.log(`\n> wrangler ${command.join(" ")}`);
    const { code } = await run(wrangler(...command), { show: true });
    if (code !== 0)
      throw new Stop(`wrangler ${command[0]} failed. What was done so far stays; run the deployment again when the cause is gone.`);
  }
}

async function accountState(names: DeployNames): Promise<AccountState> {
  const exists = async (command: string[]) => {
    const { code, output } = await run(wrangler(...command));
    if (code !== 0 && !/not found|couldn't find|does not exist/i.test(output))
      throw new Stop(`wrangler ${command.join(" ")} failed:\n${output}`);
    return code === 0;
  };
  const queues: string[] = [];
  for (const queue of names.queues) if (await exists(["queues", "info", queue])) queues.push(queue);
  return { hasDatabase: await exists(["d1", "info", names.database, "--json"]), queues };
}

/** A file with the required secrets that the Worker lacks, or null where it has all. */
async function missingSecrets(folder: string): Promise<string | null> {
  const { code, output } = await run(wrangler("secret", "list", "--format", "json"));
  // 10007 is Cloudflare's code for a Worker that does not exist. Any other failure must not replace secrets in use.
  if (code !== 0 && !/10007|not found|does not exist/i.test(output)) throw new Stop(`Listing the Worker's secrets failed:\n${output}`);
  const missing = SECRET_NAMES.filter((name) => code !== 0 || !output.includes(`"${name}"`));
  if (missing.length === 0) return null;
  const secrets = Object.fromEntries(missing.map((name) => [name, askSecret(name)]));
  const file = join(folder, "secrets.json");
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  return file;
}

/** The secret from the environment or the terminal, else a random one; the administrator's token is then shown, once. */
function askSecret(name: SecretName): string {
  const given = process.env[name] ?? (process.stdin.isTTY ? prompt(`${name} (Enter for a random one):`) : null);
  if (given) return given;
  const made = makeSecret();
  if (name === "ADMIN_TOKEN")
    console.log(
      `ADMIN_TOKEN is ${made}\nKeep it: it is not shown again. With it, invite the first administrator:\n` +
        "  ADMIN_TOKEN=… npx -y bun run admin:invite -- --email you@company.example --base https://<the Worker's address>",
    );
  else console.log(`${name} was made at random.`);
  return made;
}
