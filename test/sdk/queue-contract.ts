import type { PlayQueue, QueueLimits, Settlement } from "../../src/sdk/queue.ts";

/** One thing that every queue does: throws where the queue does not. `same` compares deeply. */
export interface QueueCase {
  name: string;
  limits?: Partial<QueueLimits>;
  check: (queue: PlayQueue, same: (found: unknown, expected: unknown) => void) => Promise<void>;
}

const log = (id: string) => ({ log_id: id, text: `{"log_id":"${id}"}` });
const settlement = (changes: Partial<Settlement>): Settlement => ({ acknowledged: [], refused: [], deferred: [], ...changes });
const ids = async (queue: PlayQueue, now = 0, limit = 9) => (await queue.ready(now, limit)).map(({ log_id }) => log_id);
const DAY_MS = 86_400_000;

/** What every queue does, wherever it keeps its logs. */
export const QUEUE_CASES: QueueCase[] = [
  {
    name: "gives logs oldest first, as they were put in, and keeps them until they are acknowledged",
    check: async (queue, same) => {
      const full = { ...log("a"), clock: "c1", madeAt: 5, filler: true };
      for (const one of [full, log("b"), log("c")]) await queue.append(one);
      same(await queue.ready(0, 2), [
        { ...full, deferrals: 0 },
        { ...log("b"), deferrals: 0 },
      ]);
      same(await ids(queue, 0, 2), ["a", "b"]);
      await queue.settle(settlement({ acknowledged: ["a"] }));
      same([await ids(queue), await queue.waiting()], [["b", "c"], 2]);
    },
  },
  {
    name: "passes over a log that is there already, or was refused",
    check: async (queue, same) => {
      await queue.append(log("a"));
      await queue.settle(settlement({ deferred: [{ log_id: "a", notBefore: 500 }] }));
      await queue.append({ log_id: "a", text: "other" });
      same(await queue.ready(500, 9), [{ ...log("a"), deferrals: 1 }]);
      same(await queue.waiting(), 1);
      await queue.settle(settlement({ refused: [{ ...log("a"), code: "TOO_OLD", error: "" }] }));
      await queue.append(log("a"));
      same([await queue.waiting(), (await queue.refused()).length], [0, 1]);
    },
  },
  {
    name: "keeps a refused log in a list of its own, and counts it",
    check: async (queue, same) => {
      await queue.append(log("a"));
      await queue.settle(settlement({ refused: [{ ...log("a"), code: "TOO_OLD", error: "too old" }] }));
      same(await queue.refused(), [{ ...log("a"), code: "TOO_OLD", error: "too old" }]);
      same(await queue.counts(), { waiting: 0, refused: 1, droppedFull: 0, droppedOld: 0 });
    },
  },
  {
    name: "leaves a log that was put off its place, but not its turn",
    check: async (queue, same) => {
      for (const id of ["a", "b"]) await queue.append(log(id));
      await queue.settle(settlement({ deferred: [{ log_id: "a", notBefore: 500 }] }));
      same([await ids(queue, 499), await ids(queue, 500)], [["b"], ["a", "b"]]);
    },
  },
  {
    name: "gives a log that was put off by a clock which has been set back since",
    check: async (queue, same) => {
      await queue.append(log("a"));
      await queue.settle(settlement({ deferred: [{ log_id: "a", notBefore: 365 * DAY_MS }] }));
      same([await ids(queue, 365 * DAY_MS - 1), await ids(queue, 364 * DAY_MS), await ids(queue, 0)], [[], ["a"], ["a"]]);
    },
  },
  {
    name: "makes room by its oldest log where it is full, and takes that back where the server did get it",
    limits: { logs: 2, drop: "oldest" },
    check: async (queue, same) => {
      for (const id of ["a", "b", "c"]) await queue.append({ ...log(id), filler: id !== "a" });
      same(await ids(queue), ["b", "c"]);
      same(
        (await queue.refused()).map(({ log_id, code }) => [log_id, code]),
        [["a", "QUEUE_FULL"]],
      );
      same((await queue.counts()).droppedFull, 1);
      await queue.settle(settlement({ acknowledged: ["a"] }));
      same(await queue.refused(), []);
    },
  },
  {
    name: "makes room by what bills nobody, as long as there is any",
    limits: { logs: 2, drop: "filler" },
    check: async (queue, same) => {
      await queue.append(log("a"));
      await queue.append({ ...log("b"), filler: true });
      await queue.append(log("c"));
      same(await ids(queue), ["a", "c"]);
      await queue.append({ ...log("d"), filler: true });
      same(await ids(queue), ["c", "d"]);
      same((await queue.counts()).droppedFull, 2);
    },
  },
  {
    name: "drops what is older than it may be, where its age is known, and counts it",
    limits: { ageMs: DAY_MS },
    check: async (queue, same) => {
      await queue.append({ ...log("old"), madeAt: 999 });
      await queue.append({ ...log("just"), madeAt: 1000 });
      await queue.append(log("unknown"));
      same(await queue.expire(1000 + DAY_MS), 1);
      same(await ids(queue), ["just", "unknown"]);
      same(
        (await queue.refused()).map(({ log_id, code }) => [log_id, code]),
        [["old", "QUEUE_TOO_OLD"]],
      );
      same(await queue.counts(), { waiting: 2, refused: 0, droppedFull: 0, droppedOld: 1 });
      same(await queue.expire(1000 + DAY_MS), 0);
    },
  },
  {
    name: "keeps the last refused logs only",
    limits: { refused: 2 },
    check: async (queue, same) => {
      const refused = ["a", "b", "c"].map((id) => ({ ...log(id), code: "TOO_OLD", error: "" }));
      await queue.settle(settlement({ refused }));
      same(
        (await queue.refused()).map(({ log_id }) => log_id),
        ["b", "c"],
      );
      same((await queue.counts()).refused, 3);
    },
  },
];
