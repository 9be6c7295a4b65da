import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";

// What a file before this one left in the same runtime; then the schema, in one call: `applyD1Migrations` takes four times as long.
await reset();
await env.DB.batch(env.TEST_MIGRATIONS.flatMap(({ queries }) => queries.map((query) => env.DB.prepare(query))));
