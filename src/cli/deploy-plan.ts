/** What a `wrangler.toml` needs in the account besides the Worker itself. */
export interface DeployNames {
  database: string;
  queues: string[];
}

/** What the account has already. */
export interface AccountState {
  hasDatabase: boolean;
  queues: string[];
}

/** The names in a parsed `wrangler.toml`. Throws where there is no database. */
export function deployNames(toml: string): DeployNames {
  const config = Bun.TOML.parse(toml) as {
    d1_databases?: { database_name?: string }[];
    queues?: { producers?: { queue: string }[]; consumers?: { queue: string; dead_letter_queue?: string }[] };
  };
  const database = config.d1_databases?.[0]?.database_name;
  if (!database) throw new Error("wrangler.toml names no D1 database.");
  const producers = (config.queues?.producers ?? []).map((one) => one.queue);
  const consumers = (config.queues?.consumers ?? []).flatMap((one) =>
    one.dead_letter_queue ? [one.queue, one.dead_letter_queue] : [one.queue],
  );
  return { database, queues: [...new Set([...producers, ...consumers])] };
}

/**
 * wrangler's commands for a deployment, in an order that works the first time and every time: a Worker cannot be uploaded
 * before its queues exist, and must not run before its tables do. The bucket is made by the upload itself. Required
 * secrets must come with the first upload, since there is no Worker to put them into before it.
 */
export function deployCommands(names: DeployNames, state: AccountState, secretsFile: string | null): string[][] {
  return [
    ...names.queues.filter((queue) => !state.queues.includes(queue)).map((queue) => ["queues", "create", queue]),
    ...(state.hasDatabase ? [] : [["d1", "create", names.database]]),
    ["d1", "migrations", "apply", names.database, "--remote"],
    ["deploy", ...(secretsFile ? ["--secrets-file", secretsFile] : [])],
  ];
}
