import type { MiddlewareHandler } from "hono";
import { type AppEnv, describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { noteTold, readUntold, type Untold } from "./connected.ts";
import { TELL_BEHIND_REQUEST_MS, TELL_TIMEOUT_MS, TOLD_AT_ONCE, TOLD_PER_PAGE } from "./limits.ts";

/** What telling needs. */
type Telling = Pick<Env, "DB" | "SEQUENCER">;

/**
 * Tells every connected device whose plan was marked as changed, once for each plan that it has. Who is not reached stays untold, and is
 * tried again by cron. Nobody is woken that is not connected. Safe to run twice at once: a device is then told twice.
 * @param until no page is begun after this time (ms).
 * @returns how many were told.
 */
export async function tellPlans(env: Telling, until = Number.POSITIVE_INFINITY): Promise<number> {
  let total = 0;
  let behind = "";
  while (Date.now() < until) {
    const untold = await readUntold(env.DB, behind, TOLD_PER_PAGE);
    const { told, gone } = await tellAll(env, untold);
    await noteTold(env.DB, told, gone);
    total += told.length;
    const last = untold.at(-1);
    if (!last || untold.length < TOLD_PER_PAGE) break;
    behind = last.device_id;
  }
  return total;
}

/** Tells many, some at once. */
async function tellAll(env: Telling, untold: readonly Untold[]): Promise<{ told: Untold[]; gone: Untold[] }> {
  const told: Untold[] = [];
  const gone: Untold[] = [];
  const queue = untold.values();
  const work = async () => {
    for (const one of queue) {
      try {
        const telling = env.SEQUENCER.getByName(one.device_id).tellPlan() as Promise<boolean>;
        ((await withTimeout(telling, TELL_TIMEOUT_MS, "telling of a plan")) ? told : gone).push(one);
      } catch (error) {
        log("warn", "device not told of its plan", { error: describeError(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: TOLD_AT_ONCE }, work));
  return { told, gone };
}

const READING = ["GET", "HEAD", "OPTIONS"];

/** Behind every change that an administrator made: whatever it touched, the connected devices among them hear of it at once. */
export const tellAfterChanges: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (READING.includes(c.req.method) || c.res.status >= 400) return;
  c.executionCtx.waitUntil(
    tellPlans(c.env, Date.now() + TELL_BEHIND_REQUEST_MS).catch((error) =>
      log("warn", "devices not told of their plans", { error: describeError(error) }),
    ),
  );
};
