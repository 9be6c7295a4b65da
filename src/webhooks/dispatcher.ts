import { DurableObject } from "cloudflare:workers";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { deliverDue } from "./deliver.ts";
import { OUTAGE_WAIT_MS } from "./limits.ts";

/**
 * Sends one webhook's messages, addressed by the webhook's id: so they are sent by nobody else, and a receiver that hangs holds up no
 * other. It keeps nothing but its alarm; what there is to send stands in D1.
 */
export class WebhookDispatcher extends DurableObject<Env> {
  /** Has it look for messages now. Returns at once. */
  async wake(): Promise<void> {
    const now = Date.now();
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > now) await this.ctx.storage.setAlarm(now);
  }

  /** Never throws: the platform would give up after six times. */
  override async alarm(): Promise<void> {
    let next: number | null;
    try {
      const id = this.ctx.id.name;
      if (!id) throw new Error("a dispatcher is addressed by its webhook's id");
      next = await deliverDue(this.env, id, Date.now);
    } catch (error) {
      log("error", "webhook not dispatched", { webhook_id: this.ctx.id.name, error: describeError(error) });
      next = Date.now() + OUTAGE_WAIT_MS;
    }
    const set = await this.ctx.storage.getAlarm();
    // Who woke it meanwhile may know of more.
    if (next !== null && (set === null || set > next)) await this.ctx.storage.setAlarm(next);
  }
}
