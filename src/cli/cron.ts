import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ROOT } from "./tools.ts";

/** The cron expressions in the text of a `wrangler.toml`. */
export function cronExpressions(toml: string): string[] {
  const { triggers } = Bun.TOML.parse(toml) as { triggers?: { crons?: string[] } };
  return triggers?.crons ?? [];
}

/**
 * Fires the Worker's cron triggers on their schedule (UTC), as Cloudflare does and the local runtime does not.
 * Returns what stops it. A run that fails is told to `onFailure` and comes again at its next time.
 */
export function tickCrons(
  fire: (expression: string) => Promise<void>,
  onFailure: (expression: string, reason: string) => void,
): () => void {
  const expressions = cronExpressions(readFileSync(resolve(ROOT, "wrangler.toml"), "utf8"));
  let stopped = false;
  const run = async (expression: string) => {
    try {
      await fire(expression);
    } catch (error) {
      if (!stopped) onFailure(expression, error instanceof Error ? error.message : String(error));
    }
  };
  const jobs = expressions.map((expression) => Bun.cron(expression, () => run(expression), { tz: "UTC" }));
  return () => {
    stopped = true;
    for (const job of jobs) job.stop();
  };
}

/** How `wrangler dev` is told to run a cron trigger. @throws Error where the run fails. */
export function fireLocally(baseUrl: string): (expression: string) => Promise<void> {
  return async (expression) => {
    const response = await fetch(`${baseUrl}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(expression)}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 200)}`);
  };
}
