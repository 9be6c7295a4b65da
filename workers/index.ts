import { runCron } from "./cron.ts";
import { app } from "./http.ts";
import { consumeQueue } from "./queue.ts";

export { DeviceSequencer } from "../src/plays/sequencer.ts";
export { WebhookDispatcher } from "../src/webhooks/dispatcher.ts";

export default {
  fetch: app.fetch,
  queue: consumeQueue,
  scheduled: runCron,
} satisfies ExportedHandler<Env, unknown>;
