import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { FLAGS } from "../../../src/plays/policy.ts";
import { filterHash, mayHold, packSeen, type SeenEntry, searchPack, sortedPack, unpackSeen } from "../../../src/plays/sequencer/seen.ts";
import { SeenIndex } from "../../../src/plays/sequencer/seen-index.ts";
import { SequencerStore } from "../../../src/plays/sequencer/store.ts";
import fc from "../../support/property.ts";

const entry = fc.record({
  id: fc.uuid(),
  hash: fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 16, maxLength: 16 }),
  told: fc.record({ quality: fc.integer({ min: 0, max: 100 }), billable: fc.boolean(), flags: fc.subarray([...FLAGS]) }),
});
const entries = fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 200 });

describe("what was seen", () => {
  test("comes out of a pack as it went in, in 28 bytes each", () => {
    fc.assert(
      fc.property(entries, (given) => {
        const packed = packSeen(given);
        expect(packed.length).toBe(given.length * 28);
        expect(unpackSeen(packed)).toEqual(given);
      }),
    );
  });

  test("is found by its id in a sorted pack, and what is not there is not found", () => {
    fc.assert(
      fc.property(entries, fc.uuid(), (given, other) => {
        const pack = sortedPack(given);
        for (const known of given) {
          expect(mayHold(pack.filter, filterHash(known.id))).toBe(true);
          expect(searchPack(pack.entries, known.id)).toEqual(known);
        }
        if (!given.some(({ id }) => id === other)) expect(searchPack(pack.entries, other)).toBeNull();
      }),
    );
  });

  test("the filter spares nearly every look at a pack, for ids that differ only in their last digits too", () => {
    const told = { quality: 100, billable: true, flags: [] };
    const id = (n: number) => `01a1fb61-7fd8-71cc-9a93-${n.toString(16).padStart(12, "0")}`;
    const given: SeenEntry[] = Array.from({ length: 4000 }, (_, n) => ({ id: id(n), hash: "0".repeat(16), told }));
    const { filter } = sortedPack(given);
    let passed = 0;
    for (let n = 4000; n < 24_000; n++) if (mayHold(filter, filterHash(id(n)))) passed += 1;
    expect(passed).toBeLessThan(100);
  });
});

test("the newest are found, however many came together", async () => {
  const many = Array.from(
    { length: 2500 },
    (_, index): SeenEntry => ({
      id: crypto.randomUUID(),
      hash: index.toString(16).padStart(16, "0"),
      told: { quality: index % 101, billable: index % 2 === 0, flags: [] },
    }),
  );
  const later: SeenEntry = { id: crypto.randomUUID(), hash: "f".repeat(16), told: { quality: 1, billable: false, flags: [] } };
  await runInDurableObject(env.SEQUENCER.getByName(crypto.randomUUID()), (_, { storage }) => {
    const index = new SeenIndex(new SequencerStore(storage), []);
    const ids = many.map(({ id }) => id);
    index.add(packSeen(many), ids, 0);
    index.add(packSeen([later]), [later.id], 0);
    expect([...ids, later.id].map((id) => index.find(id))).toEqual([...many, later]);
  });
});
