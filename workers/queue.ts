/** Which consumer takes the messages of which queue. */
export async function consumeQueue(batch: MessageBatch<unknown>, _env: Env, _ctx: ExecutionContext): Promise<void> {
  throw new Error(`no consumer for the queue ${batch.queue}`);
}
