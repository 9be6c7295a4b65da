import type { ViewerScope } from "../auth/principal.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { MINUTE_MS, SECOND_MS } from "../platform/time.ts";
import { newestCommit, readFeedAfter } from "./analytics-read.ts";

/** How often a watcher asks D1 for what is new: one read of one row, along the key. */
export const LIVE_POLL_MS = 2 * SECOND_MS;
/** After so long the stream ends, and the watcher comes again where it was: a deploy or a revoked token holds by then. */
export const LIVE_LASTS_MS = 5 * MINUTE_MS;
const COMMITS_PER_POLL = 100;

export interface LiveOptions {
  /** `Last-Event-ID`: the commit behind which to go on; null: only what is new. */
  after: number | null;
  scope: ViewerScope | null;
  pollMs?: number;
  lastsMs?: number;
}

/**
 * Telemetry as it is recorded, as server-sent events: one message a commit, with its id. It reads what commits have left in D1, so watchers
 * cost those who report nothing, and no object stands between.
 */
export function liveFeed(
  db: D1Database,
  { after, scope, pollMs = LIVE_POLL_MS, lastsMs = LIVE_LASTS_MS }: LiveOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const startedAt = Date.now();
  let last = after;
  let first = true;
  return new ReadableStream<Uint8Array>({
    // Called anew once the watcher has taken what it was sent: one that is slow is asked for less, and one that left for nothing.
    async pull(controller) {
      try {
        if (first) controller.enqueue(encoder.encode(`retry: ${pollMs}\n\n`));
        else await new Promise((resolve) => setTimeout(resolve, pollMs));
        first = false;
        last ??= await newestCommit(db);
        const commits = await readFeedAfter(db, last, COMMITS_PER_POLL, scope);
        last = commits.at(-1)?.id ?? last;
        const messages = commits.filter(({ events }) => events.length > 0);
        const text = messages.map(({ id, events }) => `id: ${id}\nevent: telemetry\ndata: ${JSON.stringify(events)}\n\n`).join("");
        // A comment keeps proxies from ending a connection on which nothing comes.
        controller.enqueue(encoder.encode(text === "" ? ":\n\n" : text));
        if (Date.now() - startedAt >= lastsMs) controller.close();
      } catch (error) {
        log("warn", "live feed ended", { error: describeError(error) });
        controller.close();
      }
    },
  });
}
