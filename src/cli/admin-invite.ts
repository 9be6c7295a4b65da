import { parseArgs } from "node:util";
import { invite } from "./accounts.ts";
import { localSecrets } from "./secrets.ts";
import { main, Stop } from "./tools.ts";

const LOCAL = "http://localhost:8787";

/**
 * `bun run admin:invite -- --email ann@example.com`: prints a link by which somebody comes in, the first administrator of a deployment among
 * them. `--base` says where the product answers; `--token`, or `ADMIN_TOKEN` in the environment, with which token of role admin.
 */
await main(async () => {
  const { values } = parseArgs({
    options: {
      email: { type: "string" },
      role: { type: "string", default: "admin" },
      base: { type: "string", default: LOCAL },
      token: { type: "string" },
    },
    strict: true,
  });
  if (!values.email)
    throw new Stop("Say whom to invite: bun run admin:invite -- --email ann@example.com [--role admin] [--base https://…]");
  const baseUrl = values.base.replace(/\/+$/, "");
  const adminToken = values.token ?? process.env.ADMIN_TOKEN ?? (baseUrl === LOCAL ? localSecrets().ADMIN_TOKEN : null);
  if (!adminToken) throw new Stop("Give the deployment's ADMIN_TOKEN by --token, or in the environment.");
  const link = await invite({ baseUrl, adminToken }, values.email, values.role);
  console.log(`${link}\nSend it to ${values.email}. It is good once, for seven days, and is not shown again.`);
  return 0;
});
