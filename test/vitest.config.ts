import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { receiver } from "./support/receiver-server.ts";

const root = `${resolve(import.meta.dirname, "..")}/`;

// wrangler.toml names the folder; these tests ask for no page of it.
mkdirSync(`${root}dist/assets`, { recursive: true });

export default defineConfig({
  plugins: [
    // As the Worker's own bundler takes them: text, not an address.
    {
      name: "files-as-text",
      enforce: "pre",
      load: (id) => (/\.(svg|sh|txt)$/.test(id) ? `export default ${JSON.stringify(readFileSync(id, "utf8"))}` : null),
    },
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
  test: {
    root,
    include: ["test/**/*.test.ts"],
    exclude: ["test/node/**", "test/simulation/**", "test/planted/**", "test/browser/**", "test/long/**"],
    setupFiles: ["test/support/migrate.ts"],
    maxWorkers: 2,
    // For machines that are slow or busy: nothing waits this long by design.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What the Worker logs is shown for the tests that fail.
    silent: "passed-only",
  },
});
