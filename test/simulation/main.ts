import { parseArgs } from "node:util";
import { failureText, Totals } from "./report.ts";
import { runSeed } from "./run.ts";

/** `bun run simulation [-- --seeds N --from N --ops N]`, or `--seed N --trace` to run one again and see all of it. `--stop` ends at the first
 * failure. Ends with 1 where a run failed. */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    ops: { type: "string", default: "200" },
    trace: { type: "boolean", default: false },
    stop: { type: "boolean", default: false },
  },
});

const operations = Number(values.ops);
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const totals = new Totals();
const started = performance.now();

for (let seed = first; seed < first + count; seed++) {
  const run = await runSeed(seed, operations, values.trace);
  totals.add(run);
  for (const line of run.trace) console.log(line);
  if (run.error) console.error(failureText(run, operations));
  if (run.error && values.stop) break;
  if (totals.runs % 100 === 0)
    console.log(`${totals.runs} runs, ${totals.failed.length} failed, ${Math.round((performance.now() - started) / 1000)} s`);
}
console.log(totals.text());
process.exitCode = totals.failed.length > 0 || totals.runs === 0 ? 1 : 0;
