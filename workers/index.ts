import { env, tracing } from "cloudflare:workers";
import { setLogLevel } from "../src/platform/log.ts";
import { traceBy } from "../src/platform/spans.ts";
import { runCron } from "./cron.ts";
import { app } from "./http.ts";
import { consumeQueue } from "./queue.ts";

export { DeviceSequencer } from "../src/plays/sequencer/sequencer.ts";
export { WebhookDispatcher } from "../src/webhooks/dispatcher.ts";

setLogLevel(env.LOG_LEVEL);
traceBy(tracing);

export default {
  fetch: app.fetch,
  queue: consumeQueue,
  scheduled: runCron,
} satisfies ExportedHandler<Env, unknown>;
