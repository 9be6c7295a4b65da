import { parseArgs } from "node:util";
import { setupLink } from "./accounts.ts";
import { askedToEnd } from "./ending.ts";
import { localSecrets } from "./secrets.ts";
import { main } from "./tools.ts";
import { migrateLocally, startWorker } from "./worker.ts";

/** `bun run dev`: the Worker alone, migrated, empty. */
await main(async () => {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "8787" }, "persist-to": { type: "string" } },
    strict: true,
  });
  const ending = askedToEnd();
  const persistTo = values["persist-to"];
  const { ADMIN_TOKEN: adminToken } = localSecrets();
  await migrateLocally(persistTo);
  const worker = await startWorker({ port: Number(values.port), ...(persistTo ? { persistTo } : {}) });
  console.log(`Alive Signage answers on ${worker.url}. The administrator's token is ADMIN_TOKEN in .dev.vars. Ctrl-C ends it.`);
  const link = await setupLink({ baseUrl: worker.url, adminToken });
  if (link !== null) console.log(`Nobody can sign in yet. The first administrator sets a password at ${link} (good once, for a day).`);
  const code = await Promise.race([worker.ended, ending.then(() => 0)]);
  await worker.stop();
  return code;
});
