import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { reconcile } from "../../../src/plays/archive/reconcile.ts";
import { abandonReplay, startReplay } from "../../../src/plays/archive/replay.ts";
import { stepReplay } from "../../../src/plays/archive/replay-step.ts";
import { FOLD_AFTER_MS, foldLedger } from "../../../src/plays/ledger/fold.ts";
import { HOURLY_ROWS_KEPT_MS, retain } from "../../../src/plays/ledger/retain.ts";
import { rollUp } from "../../../src/plays/ledger/rollup.ts";
import { admin } from "../../support/admin.ts";
import { attached, clearArchive, openMismatch, sendChunks } from "../../support/archive.ts";
import { makeDevice } from "../../support/device.ts";
import { deliver, withFault } from "../../support/pipeline.ts";
import fc from "../../support/property.ts";

// Any order of recording, redelivery, compaction, rollup, retention, folding and replays, some of them failing half-way: what the
// report shows is always what was recorded, and in the end the archive agrees.

const TODAY = utcDay(Date.now());
const day = (ago: number) => utcDay(Date.parse(TODAY) - ago * DAY_MS);
const NOW = () => Date.now();
const RANGE = { from: day(5), to: day(3) };

const dayIndex = fc.constantFrom(3, 4, 5, 6);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("record" as const), ago: dayIndex, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("redeliver" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("compact" as const), maxGroupPlays: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "roll up" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "retain" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "fold" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "start replay" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("step replay" as const),
      maxGroupPlays: fc.integer({ min: 1, max: 6 }),
      fault: fc.constantFrom("none" as const, "before" as const, "after" as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "abandon replay" as const }) },
);

test("whatever is done in whatever order, reports show what was recorded, and archive and aggregates agree", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
      await clearArchive();
      const device = await makeDevice({ timezone: "UTC" });
      const queue = await attached(device);
      const sent: Uint8Array[][] = [];
      const recorded: Record<string, number> = {};
      let replay = "";
      for (const one of steps) {
        if (one.do === "record") {
          const bodies = await sendChunks(device, queue, one.count, { day: day(one.ago) });
          await deliver(bodies);
          sent.push(bodies);
          recorded[day(one.ago)] = (recorded[day(one.ago)] ?? 0) + one.count;
        }
        if (one.do === "redeliver") await deliver(sent[one.which % Math.max(1, sent.length)] ?? []);
        if (one.do === "compact") await compact(env, NOW() + 2 * HOUR_MS, { maxGroupPlays: one.maxGroupPlays, maxGroups: 2 });
        if (one.do === "roll up") await rollUp(env.DB, NOW());
        if (one.do === "retain") await retain(env, NOW() + HOURLY_ROWS_KEPT_MS);
        if (one.do === "fold") await foldLedger(env.DB, NOW() + FOLD_AFTER_MS + HOUR_MS);
        if (one.do === "start replay")
          replay = await startReplay(env.DB, RANGE, { actor: "tester", idempotency: null }, NOW()).then(
            (started) => started.replay.id,
            () => replay,
          );
        if (one.do === "step replay") {
          const bindings = one.fault === "none" ? env : withFault("DB.batch", one.fault, 1);
          await stepReplay(bindings, NOW(), { maxGroups: 1, maxGroupPlays: one.maxGroupPlays, maxDays: 2 }).catch(() => {});
        }
        if (one.do === "abandon replay" && replay !== "") await abandonReplay(env.DB, replay, "tester", NOW()).catch(() => {});
        expect(await reported(), one.do).toEqual(recorded);
      }
      for (let more = 0; more < 10; more++) await stepReplay(env, NOW());
      expect(await reported()).toEqual(recorded);
      await reconcile(env, NOW());
      expect(await openMismatch()).toBeNull();
    }),
    { numRuns: 12, endOnFailure: true },
  );
}, 120_000);

async function reported(): Promise<Record<string, number>> {
  const answer = await admin("GET", `/v1/admin/reports/proof-of-play?group_by=day&from=${day(8)}&to=${day(0)}`);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return Object.fromEntries((answer.body.items as { day: string; plays_count: number }[]).map((item) => [item.day, item.plays_count]));
}
