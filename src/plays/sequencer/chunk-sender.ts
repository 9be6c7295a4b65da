import { Breaker } from "../../platform/breaker.ts";
import { describeError } from "../../platform/http.ts";
import { withTimeout } from "../../platform/retry.ts";
import { inSpan } from "../../platform/spans.ts";
import { BREAKER_FAILURES, BREAKER_OPEN_MS, QUEUE_SEND_TIMEOUT_MS } from "../limits.ts";

/** What became of a sending. One that timed out may have arrived all the same: the ledger meets it twice then. */
export type SendOutcome = { sent: true } | { sent: false; retryAt: number; failures: number; error: string };

/** An object's way to the queue. After five failures in a row the queue is left alone for a while; then one try decides. */
export class ChunkSender {
  readonly #breaker = new Breaker(BREAKER_FAILURES, BREAKER_OPEN_MS);

  constructor(private readonly queue: () => Queue) {}

  allows(now: number): boolean {
    return this.#breaker.allows(now);
  }

  /** When the next try is allowed. */
  get openUntil(): number {
    return this.#breaker.openUntil;
  }

  /**
   * Sends messages together: at most what one `sendBatch` takes. Never throws. They are given away: the runtime takes the buffer of a
   * message that goes alone, also where sending fails.
   */
  async send(messages: Uint8Array[]): Promise<SendOutcome> {
    try {
      if (!this.#breaker.allows(Date.now())) throw new Error("the queue is left alone after failures");
      await withTimeout(
        inSpan("queue.send", () => sendTo(this.queue(), messages)),
        QUEUE_SEND_TIMEOUT_MS,
        "queue send",
      );
      this.#breaker.succeeded();
      return { sent: true };
    } catch (error) {
      const now = Date.now();
      this.#breaker.failed(now);
      const { failures } = this.#breaker;
      return { sent: false, retryAt: now + Math.min(2 ** failures * 1000, BREAKER_OPEN_MS), failures, error: describeError(error) };
    }
  }
}

/** Most chunks go alone: a message by itself travels as its bytes, one of a batch as text. */
async function sendTo(queue: Queue, messages: Uint8Array[]): Promise<void> {
  const [only, ...others] = messages;
  if (only && others.length === 0) await queue.send(only, { contentType: "bytes" });
  else await queue.sendBatch(messages.map((body): MessageSendRequest => ({ body, contentType: "bytes" })));
}
