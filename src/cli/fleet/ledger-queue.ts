import type { NewLog, PlayQueue, Settlement } from "../../sdk/queue.ts";
import type { Books } from "./books.ts";

/**
 * A screen's queue as its fleet sees it: what leaves it is entered in the books, and what comes in may be forged on its way.
 * @param forge gives back the log as it is where nobody touches it.
 */
export function ledgerQueue(queue: PlayQueue, books: Books, forge: (log: NewLog) => Promise<NewLog>): PlayQueue {
  return {
    append: async (log) => await queue.append(await forge(log)),
    ready: (now, limit) => queue.ready(now, limit),
    settle: async (settlement: Settlement) => {
      await queue.settle(settlement);
      books.acknowledged(settlement.acknowledged);
      for (const { code, log_id } of settlement.refused) books.refused(log_id, code);
    },
    waiting: () => queue.waiting(),
    refused: () => queue.refused(),
    expire: (now) => queue.expire(now),
    counts: () => queue.counts(),
  };
}
