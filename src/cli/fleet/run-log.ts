import type { ClientEvent } from "../../sdk/device-client.ts";
import type { ScreenLog } from "./screen.ts";
import { NO_TROUBLES, type Troubles } from "./shaky-network.ts";
import type { Spell } from "./spells.ts";

/** What happened in a run, in numbers. */
export class RunLog implements ScreenLog {
  sentLogs = 0;
  accepted = 0;
  duplicates = 0;
  recovered = 0;
  streams = 0;
  readonly troubles: Troubles = { ...NO_TROUBLES };
  readonly spells = new Map<Spell["kind"], number>();
  #fingerprint = 0n;

  event(event: ClientEvent): void {
    if (event.type === "recovered") this.recovered += 1;
    if (event.type === "stream" && event.open) this.streams += 1;
    if (event.type !== "round" || event.outcome.kind !== "sent") return;
    this.accepted += event.outcome.processed - event.outcome.duplicates;
    this.duplicates += event.outcome.duplicates;
  }

  sent(logs: number): void {
    this.sentLogs += logs;
  }

  trouble(what: keyof Troubles): void {
    this.troubles[what] += 1;
  }

  spell(kind: Spell["kind"]): void {
    this.spells.set(kind, (this.spells.get(kind) ?? 0) + 1);
  }

  /** Whatever the order in which screens come to their decisions, the sum of them is the same. */
  decided(play: string): void {
    this.#fingerprint = BigInt.asUintN(64, this.#fingerprint + Bun.hash.xxHash64(play));
  }

  get fingerprint(): string {
    return this.#fingerprint.toString(16).padStart(16, "0");
  }

  /** What went wrong, in a line. */
  summary(): string {
    const { answersLost, doubled, foreign, late, offline, requestsLost, slow } = this.troubles;
    const spells = [...this.spells].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`);
    return [
      `faults: ${spells.join(", ") || "no spells"}`,
      `requests lost ${requestsLost}, answers lost ${answersLost}, doubled ${doubled}, late ${late}, slow ${slow}`,
      `answered by others ${foreign}, tried without a network ${offline}`,
      `plays found after a loss of power ${this.recovered}, streams opened ${this.streams}`,
    ].join("; ");
  }
}
