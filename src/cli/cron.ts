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
export function tickCrons(baseUrl: string, onFailure: (expression: string, reason: string) => void): () => void {
  const expressions = cronExpressions(readFileSync(resolve(ROOT, "wrangler.toml"), "utf8"));
  const jobs = expressions.map((expression) => Bun.cron(expression, () => fire(baseUrl, expression, onFailure), { tz: "UTC" }));
  return () => {
    for (const job of jobs) job.stop();
  };
}

async function fire(baseUrl: string, expression: string, onFailure: (expression: string, reason: string) => void): Promise<void> {
  try {
    const response = await fetch(`${baseUrl}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(expression)}`);
    const text = await response.text();
    if (!response.ok) onFailure(expression, `${response.status} ${text.slice(0, 200)}`);
  } catch (error) {
    onFailure(expression, error instanceof Error ? error.message : String(error));
  }
}
