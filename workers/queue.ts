import { recordReports } from "../src/monitoring/reports.ts";
import { recordPlays } from "../src/plays/ledger/record.ts";

/** Which consumer takes the messages of which queue. */
export async function consumeQueue(batch: MessageBatch<unknown>, env: Env, _ctx: ExecutionContext): Promise<void> {
  switch (batch.queue) {
    case "play-events-0":
    case "play-events-1":
    case "play-events-2":
    case "play-events-3":
    // The platform's last net: what it gave up on goes the same way once more; the sequencer's outbox has it all the same.
    case "play-events-dead":
      return await recordPlays(batch, env);
    case "device-reports":
      return await recordReports(batch, env, Date.now());
    default:
      throw new Error(`there is no consumer for the queue ${batch.queue}`);
  }
}
