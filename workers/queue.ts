import { recordPlays } from "../src/plays/record.ts";

/** Which consumer takes the messages of which queue. */
export async function consumeQueue(batch: MessageBatch<unknown>, env: Env, _ctx: ExecutionContext): Promise<void> {
  switch (batch.queue) {
    case "play-events":
      return await recordPlays(batch, env);
    default:
      throw new Error(`there is no consumer for the queue ${batch.queue}`);
  }
}
