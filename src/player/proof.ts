import type { PlayItem } from "../sdk/index.ts";

/** A picture of each file in an hour: enough to see that it was shown, and no burden to the network. */
const DEFAULT_EVERY_MIN = 60;
const MINUTE_MS = 60_000;

/** How often a file that is billed is to be proved by a picture, ms, by the page's address: `?evidence=MINUTES`, 0: never. Pure. */
export function proofEveryMs(search: string): number {
  const asked = Number(new URLSearchParams(search).get("evidence") ?? DEFAULT_EVERY_MIN);
  return (Number.isFinite(asked) && asked >= 0 ? asked : DEFAULT_EVERY_MIN) * MINUTE_MS;
}

/** Which plays are proved by a picture: of each file that somebody pays for, the first one, and then one in a while. */
export class ProofRota {
  readonly #everyMs: number;
  /** When the last one was due, by file; ms by the monotonic clock. */
  #last = new Map<string, number>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether this play is one of them; it is taken for done then. `mono` in ms. */
  take({ campaign_id, content_id, content_version }: PlayItem, mono: number): boolean {
    if (this.#everyMs === 0 || campaign_id === undefined) return false;
    this.#last = new Map([...this.#last].filter(([, at]) => mono - at < this.#everyMs));
    const file = `${campaign_id} ${content_version ?? content_id}`;
    if (this.#last.has(file)) return false;
    this.#last.set(file, mono);
    return true;
  }
}
