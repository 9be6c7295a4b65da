import { globSync, mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { needsWorkerd } from "./support/pure.ts";
import { receiver } from "./support/receiver-server.ts";

const root = `${resolve(import.meta.dirname, "..")}/`;

// wrangler.toml names the folder; these tests ask for no page of it.
mkdirSync(`${root}dist/assets`, { recursive: true });

/** What must be seen in the runtime that it runs in: cryptography, and what is decided by it. */
const IN_WORKERD = ["test/plays/signatures.vectors.test.ts", "test/plays/verdicts.vectors.test.ts", "test/auth/password.test.ts"];
const APART = ["test/node/**", "test/simulation/**", "test/planted/**", "test/browser/**", "test/long/**"];
/** Tests that count what is on its way through queues and alarms, which outlives the file that began it: each has a runtime of its own. */
const ON_THE_WAY = ["faults", "monitoring", "plays", "reports", "stream", "telemetry", "webhooks"].map(
  (room) => `test/${room}/**/*.test.ts`,
);
const pure = globSync("test/**/*.test.ts", { cwd: root, exclude: APART }).filter(
  (file) => !IN_WORKERD.includes(file) && !needsWorkerd(resolve(root, file)),
);

// As the Worker's own bundler takes them: text, not an address.
const filesAsText = {
  name: "files-as-text",
  enforce: "pre" as const,
  load: (id: string) => (/\.(svg|sh|txt|md)$/.test(id) ? `export default ${JSON.stringify(readFileSync(id, "utf8"))}` : null),
};

const common = {
  root,
  // For machines that are slow or busy: nothing waits this long by design.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  env: { PROPERTY_SEED: process.env.PROPERTY_SEED ?? "20261121" },
};

/** Tests in the Workers runtime, with all bindings. */
const workerd = (name: string, test: { include: string[]; exclude: string[]; isolate: boolean }) => ({
  plugins: [
    filesAsText,
    cloudflareTest(async () => ({
      wrangler: { configPath: `${root}wrangler.toml` },
      miniflare: {
        bindings: {
          TEST_MIGRATIONS: await readD1Migrations(`${root}migrations`),
          ENVIRONMENT: "test",
          ADMIN_TOKEN: "test-admin-token",
          AUTH_SECRET: "test-auth-secret-of-more-than-32-characters",
          DEVICE_TOKEN_SECRET: "test-device-token-secret",
          HASH_SECRET: "test-hash-secret",
          OUTBOX_RESEND_AFTER_MS: "5000",
        },
        // Whatever the Worker fetches arrives there, and nothing leaves the machine.
        outboundService: { node: receiver },
      },
    })),
  ],
  test: { ...common, name, ...test, setupFiles: ["test/support/migrate.ts"] },
});

export default defineConfig({
  test: {
    root,
    maxWorkers: 2,
    // What the Worker logs is shown for the tests that fail.
    silent: "passed-only",
    projects: [
      { plugins: [filesAsText], test: { ...common, name: "pure", include: pure, isolate: false } },
      workerd("on-the-way", { include: ON_THE_WAY, exclude: pure, isolate: true }),
      // Files one after the other in two runtimes, whose storage is emptied between them.
      workerd("workerd", { include: ["test/**/*.test.ts"], exclude: [...APART, ...ON_THE_WAY, ...pure], isolate: false }),
    ],
  },
});
