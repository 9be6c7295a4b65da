import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../stack/stack.ts";
import { makeBenchKey } from "./keys.ts";
import { GROUP_SCHEDULES, PLAN_NETWORK, planNetworkRows } from "./plans-data.ts";
import { ADMIN_HEADERS } from "./reports-address.ts";
import { deviceTokens, insertStatements } from "./seed.ts";
import { quantile, type Row } from "./stats.ts";

/** What the platform gives an isolate. */
const ISOLATE_MB = 128;
/** Devices that ask; each makes one request of each kind. */
const ASKING = 1000;
/** Others, before anything is measured. */
const WARM_UP = 50;

const AIM_PLAN_MS = 50;
const AIM_NOT_MODIFIED_MS = 5;

interface Answered {
  ms: number;
  status: number;
  etag: string;
  text: string;
}

/**
 * One device's plan over HTTP, in a network of 5,000 devices in 50 groups with 200 schedules: made at the first request, kept at the
 * second, 304 at the third, and made again where a schedule of its group was changed. One request at a time, each from another device.
 * A plan that is not what it should be is a fault.
 */
export async function planRows(bundle: string, say: (text: string) => void): Promise<{ rows: Row[]; faults: string[] }> {
  const { devices, groups, schedules } = PLAN_NETWORK;
  const persistTo = mkdtempSync(join(tmpdir(), "alive-bench-plans-"));
  const keys = [await makeBenchKey()];
  const now = Date.now();
  const stack = await startStack(bundle, { persistTo, port: 0, isolateMb: ISOLATE_MB });
  try {
    for (const statement of insertStatements(planNetworkRows(keys, now))) await stack.sql(statement);
    const tokens = await deviceTokens(PLAN_NETWORK, keys, now);
    const asking = tokens.slice(0, ASKING);
    say(`plans of ${ASKING} devices, of ${devices.toLocaleString("en")} in ${groups} groups with ${schedules} schedules`);
    for (const token of tokens.slice(-WARM_UP)) for (let turn = 0; turn < 2; turn++) await fetchPlan(stack.url, token);
    const faults = new Set<string>();
    const made = await askAll(asking, (token) => fetchPlan(stack.url, token));
    const kept = await askAll(asking, (token) => fetchPlan(stack.url, token));
    const same = await askAll(asking, (token, n) => fetchPlan(stack.url, token, made[n]?.etag));
    for (const fault of faultsOf(made, kept, same)) faults.add(fault);
    const changes = await changeSchedules(stack.url, faults);
    const again = await askAll(asking, (token, n) => fetchPlan(stack.url, token, made[n]?.etag));
    if (again.some(({ status, etag }, n) => status !== 200 || etag === made[n]?.etag))
      faults.add("plans: a change of a schedule was not followed");
    const kb = Math.round(made.reduce((sum, { text }) => sum + text.length, 0) / made.length / 1000);
    const rows = [
      rowOf("plan-made", "a device's plan, made, p95", made, AIM_PLAN_MS, `${kb} KB on average`),
      rowOf("plan-kept", "a device's plan, kept, p95", kept, AIM_PLAN_MS),
      rowOf("plan-304", "a device has its plan: 304, p95", same, AIM_NOT_MODIFIED_MS),
      rowOf("plan-again", "a device's plan, made anew after a change, p95", again, AIM_PLAN_MS),
      rowOf("plan-change", `a change of a schedule, which marks ${devices / groups} plans, p95`, changes),
    ];
    return { rows, faults: [...faults] };
  } finally {
    await stack.kill();
    rmSync(persistTo, { recursive: true, force: true });
  }
}

async function askAll(tokens: string[], ask: (token: string, n: number) => Promise<Answered>): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const [n, token] of tokens.entries()) answers.push(await ask(token, n));
  return answers;
}

async function fetchPlan(url: string, token: string, etag?: string): Promise<Answered> {
  const started = performance.now();
  const answer = await fetch(`${url}/v1/device/plan`, {
    headers: { Authorization: `Bearer ${token}`, ...(etag === undefined ? {} : { "If-None-Match": etag }) },
  });
  const text = await answer.text();
  return { ms: performance.now() - started, status: answer.status, etag: answer.headers.get("ETag") ?? "", text };
}

/** Changes one schedule of each group, so that every plan is touched. */
async function changeSchedules(url: string, faults: Set<string>): Promise<{ ms: number }[]> {
  const changes: { ms: number }[] = [];
  for (const { schedule } of GROUP_SCHEDULES.slice(0, PLAN_NETWORK.groups)) {
    const started = performance.now();
    const answer = await fetch(`${url}/v1/admin/schedules/${schedule.id}`, {
      method: "PATCH",
      headers: { ...ADMIN_HEADERS, "Content-Type": "application/json" },
      body: JSON.stringify({ rules: { ...schedule.rules, weight: 7 } }),
    });
    const text = await answer.text();
    changes.push({ ms: performance.now() - started });
    if (answer.status !== 200) faults.add(`plans: a change of a schedule was answered ${answer.status}: ${text}`);
  }
  return changes;
}

/** What is wrong with the three answers that each device got. Pure. */
export function faultsOf(made: readonly Answered[], kept: readonly Answered[], same: readonly Answered[]): string[] {
  const wrong = (what: string, count: number) => (count === 0 ? [] : [`plans: ${count} ${what}`]);
  const plays = ({ text }: Answered) => text.includes('"slot_id"');
  return [
    ...wrong("were not made", made.filter((answer) => answer.status !== 200 || !plays(answer)).length),
    ...wrong("were not kept as they were made", kept.filter(({ status, text }, n) => status !== 200 || text !== made[n]?.text).length),
    ...wrong("were not known by their ETag", same.filter(({ status, etag }, n) => status !== 304 || etag !== made[n]?.etag).length),
  ];
}

function rowOf(id: string, what: string, answers: readonly { ms: number }[], atMost?: number, more?: string): Row {
  const ms = answers.map((answer) => answer.ms).sort((a, b) => a - b);
  const others = `p50 ${quantile(ms, 0.5).toFixed(1)} ms, p99 ${quantile(ms, 0.99).toFixed(1)} ms`;
  return {
    id,
    what,
    value: quantile(ms, 0.95),
    unit: "ms",
    ...(atMost === undefined ? {} : { target: { atMost } }),
    note: more === undefined ? others : `${others}; ${more}`,
  };
}
