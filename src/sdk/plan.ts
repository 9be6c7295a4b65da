import type { Plan } from "../plans/plan.ts";
import { askAsDevice, type DeviceAccess, type Withheld } from "./authorised.ts";
import { errorText, readAnswer, refusalOf } from "./http.ts";
import { checkPlan } from "./plan-check.ts";

/** Where the last good plan is kept, so that a player that starts without a network plays on. */
export interface PlanStore {
  load(): Promise<unknown>;
  save(plan: Plan): Promise<void>;
}

/** What came of asking for the plan. */
export type PlanRefresh =
  | { kind: "unchanged" }
  | { kind: "new"; plan: Plan }
  /** What came is no plan that can be played. The old one goes on. */
  | { kind: "invalid"; error: string }
  | Withheld;

export interface PlanKeeperOptions extends DeviceAccess {
  deviceId: string;
  store: PlanStore;
}

/** Keeps the device's plan: the last one that could be played. It reaches 72 hours, and so long it is played without a server. */
export class PlanKeeper {
  readonly #options: PlanKeeperOptions;
  #plan: Plan | null;
  #lastError: string | null = null;

  private constructor(options: PlanKeeperOptions, plan: Plan | null) {
    this.#options = options;
    this.#plan = plan;
  }

  /** Takes up the plan that the store has. One that the disk has spoilt counts as none. */
  static async open(options: PlanKeeperOptions): Promise<PlanKeeper> {
    const checked = checkPlan(await options.store.load(), options.deviceId);
    return new PlanKeeper(options, checked.ok ? checked.plan : null);
  }

  /** Null: the device never had one. */
  get plan(): Plan | null {
    return this.#plan;
  }

  /** What was wrong with the last plan that came, or with keeping it; null where nothing was. For heartbeats. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** Whether the plan must be asked for, by the ETag that a heartbeat's answer gave: null says that nobody knows. */
  isNews(etag: string | null): boolean {
    return etag === null || etag !== this.#plan?.etag;
  }

  /** Asks for the plan. Never throws. */
  async refresh(): Promise<PlanRefresh> {
    const { host } = this.#options;
    const headers: Record<string, string> = this.#plan ? { "If-None-Match": `"${this.#plan.etag}"` } : {};
    const asked = await askAsDevice(this.#options, "/v1/device/plan", { method: "GET", headers });
    if (asked.kind !== "answered") return asked;
    if (asked.response.status === 304) {
      this.#lastError = null;
      return { kind: "unchanged" };
    }
    const answer = await readAnswer(host, asked.response);
    if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null, reason: answer.error };
    if (answer.status !== 200) return { kind: "wait", retryAfterMs: answer.retryAfterMs, reason: refusalOf(answer).code };
    return await this.#take(answer.body);
  }

  async #take(body: Record<string, unknown>): Promise<PlanRefresh> {
    const checked = checkPlan(body, this.#options.deviceId);
    if (!checked.ok) {
      this.#lastError = checked.error;
      return { kind: "invalid", error: checked.error };
    }
    this.#plan = checked.plan;
    this.#lastError = null;
    try {
      await this.#options.store.save(checked.plan);
    } catch (error) {
      // It is played all the same; a restart without a network would play the one before.
      this.#lastError = `The plan could not be kept: ${errorText(error)}`;
    }
    return { kind: "new", plan: checked.plan };
  }
}
