import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { consultCatalogue, forgetCatalogue } from "../../../src/plays/intake/catalogue.ts";
import { CATALOGUE_FRESH_MS } from "../../../src/plays/limits.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";

let device: TestDevice;
let asked = 0;
const NOW = 1_770_285_600_000;

beforeEach(async () => {
  forgetCatalogue();
  device = await makeDevice();
  asked = 0;
});

/** D1 as it is, counting how often it is asked; or away. */
function database(away = false): D1Database {
  return new Proxy(env.DB, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (property !== "batch") return typeof value === "function" ? value.bind(target) : value;
      return (statements: D1PreparedStatement[]) => {
        asked += 1;
        return away ? Promise.reject(new Error("injected: D1 is away")) : target.batch(statements);
      };
    },
  });
}

const cite = (changes = {}) => ({ campaignId: device.campaignId, contentId: device.contentId, contentVersion: "", ...changes });

describe("the catalogue", () => {
  test("knows campaign, content and the version's duration, and asks D1 once a minute for all logs together", async () => {
    const logs = [cite(), cite({ contentVersion: "a".repeat(64) }), cite({ campaignId: "" })];
    const known = { campaign: "known", content: "known", versionDurationMs: 15_000 };
    expect(await consultCatalogue(database(), logs, NOW)).toEqual([known, known, known]);
    await consultCatalogue(database(), logs, NOW + CATALOGUE_FRESH_MS - 1);
    expect(asked).toBe(1);
    await consultCatalogue(database(), logs, NOW + CATALOGUE_FRESH_MS);
    expect(asked).toBe(2);
  });

  test("asks afresh before it says that something does not exist", async () => {
    const campaignId = crypto.randomUUID();
    expect((await consultCatalogue(database(), [cite({ campaignId })], NOW))[0]?.campaign).toBe("unknown");
    await env.DB.prepare("INSERT INTO campaigns (id, brand_name, name, created_at, updated_at) VALUES (?, 'B', 'C', 0, 0)")
      .bind(campaignId)
      .run();
    expect((await consultCatalogue(database(), [cite({ campaignId })], NOW + 1))[0]?.campaign).toBe("known");
    expect(asked).toBe(2);
  });

  test("a version that came a moment ago is found, and one that never was is unknown", async () => {
    await consultCatalogue(database(), [cite()], NOW);
    const version = "c".repeat(64);
    expect((await consultCatalogue(database(), [cite({ contentVersion: version })], NOW + 1))[0]?.content).toBe("unknown");
    await env.DB.prepare(
      "INSERT INTO content_versions (id, content_id, version_hash, sha256, duration_ms, created_at) VALUES (?, ?, ?, ?, 9000, 1)",
    )
      .bind(crypto.randomUUID(), device.contentId, version, version)
      .run();
    expect(await consultCatalogue(database(), [cite({ contentVersion: version }), cite()], NOW + 2)).toMatchObject([
      { content: "known", versionDurationMs: 9000 },
      { content: "known", versionDurationMs: 9000 },
    ]);
  });

  test("while D1 is away, what was known stays known and the rest is let through as unasked", async () => {
    await consultCatalogue(database(), [cite()], NOW);
    const later = NOW + 10 * CATALOGUE_FRESH_MS;
    expect(
      await consultCatalogue(database(true), [cite(), cite({ campaignId: crypto.randomUUID(), contentId: crypto.randomUUID() })], later),
    ).toEqual([
      { campaign: "known", content: "known", versionDurationMs: 15_000 },
      { campaign: "unasked", content: "unasked", versionDurationMs: null },
    ]);
  });
});
