import { env, tracing } from "cloudflare:workers";
import { setLogLevel } from "../src/platform/log.ts";
import { traceBy } from "../src/platform/spans.ts";
import { noteRequest } from "../src/platform/turns.ts";
import { runCron } from "./cron.ts";
import { app } from "./http.ts";
import { consumeQueue } from "./queue.ts";

export { DeviceSequencer } from "../src/plays/sequencer/sequencer.ts";
export { WebhookDispatcher } from "../src/webhooks/dispatcher.ts";

setLogLevel(env.LOG_LEVEL);
traceBy(tracing);

export default {
  fetch(request, bindings, ctx) {
    noteRequest(Date.now());
    return app.fetch(request, bindings, ctx);
  },
  queue: consumeQueue,
  scheduled: runCron,
} satisfies ExportedHandler<Env, unknown>;
