/** What of the runtime's tracing is used (https://developers.cloudflare.com/workers/observability/traces/). */
interface Tracer {
  enterSpan<T>(name: string, work: () => T): T;
}

// Set once an isolate, by the Worker's entry: so the rules run outside the Workers runtime too.
let tracer: Tracer | null = null;

export function traceBy(runtime: Tracer | null): void {
  tracer = runtime;
}

/** Does work within a span, which ends when its promise settles. Spans nest as the calls do. */
export function inSpan<T>(name: string, work: () => T): T {
  return tracer ? tracer.enterSpan(name, work) : work();
}
