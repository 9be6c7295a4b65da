import type { Host } from "./host.ts";
import { backoffMs, errorText, ServerRefusal } from "./http.ts";
import type { Identity } from "./identity.ts";
import type { ValueStore } from "./kept.ts";
import { collectPairing, type DeviceInfo, pairWithCode, type RequestedCode, requestCode } from "./pairing.ts";
import type { Credentials } from "./tokens.ts";

/** What a person in front of an unpaired screen must know. */
export interface PairingView {
  /** The device's own code, for an administrator to approve; null while there is none. */
  claimCode: string | null;
  /** When it ends, ms since 1970 by the server. */
  expiresAt: number | null;
  /** Why it does not get on; null where nothing is wrong. */
  problem: string | null;
}

export interface PairingDeskOptions {
  host: Host;
  baseUrl: string;
  identity: Identity;
  info: DeviceInfo;
  /** The code that the device asked for, so that a restart goes on with it. */
  store: ValueStore<RequestedCode | null>;
  /** Whether the device asks for a code of its own, beside taking one that is typed in. */
  ownCode: boolean;
  onView: (view: PairingView) => void;
}

const NOTHING: PairingView = { claimCode: null, expiresAt: null, problem: null };

/** Pairs a device by whichever comes first: a code typed in, or an administrator's approval of the device's own. */
export class PairingDesk {
  readonly #options: PairingDeskOptions;
  readonly #paired = Promise.withResolvers<Credentials>();
  readonly #over = new AbortController();
  #requested: RequestedCode | null = null;

  constructor(options: PairingDeskOptions) {
    this.#options = options;
  }

  /** Resolves when the device is paired; null where the signal ended it. */
  async run(signal: AbortSignal): Promise<Credentials | null> {
    const over = AbortSignal.any([signal, this.#over.signal]);
    const ended = new Promise<null>((resolve) => {
      if (signal.aborted) resolve(null);
      else signal.addEventListener("abort", () => resolve(null), { once: true });
    });
    this.#options.onView(NOTHING);
    if (this.#options.ownCode) void this.#askForOwn(over);
    const credentials = await Promise.race([this.#paired.promise, ended]);
    this.#over.abort();
    if (credentials) await this.#note(null);
    return credentials;
  }

  /**
   * Pairs by a code that an administrator made.
   * @throws ServerRefusal where the code is unknown, used or expired, or the server stays out of reach (status 0).
   */
  async enter(code: string): Promise<void> {
    const { host, baseUrl, identity, info } = this.#options;
    this.#paired.resolve(await pairWithCode(host, baseUrl, identity, code, info));
  }

  /** Asks for a code, and again when it has ended, until the device is paired. Never throws. */
  async #askForOwn(signal: AbortSignal): Promise<void> {
    const { baseUrl, host, identity, info, onView, store } = this.#options;
    this.#requested = await store.load().catch(() => null);
    for (let failures = 0; !signal.aborted; ) {
      try {
        this.#requested ??= await requestCode(host, baseUrl, identity, info);
        await this.#note(this.#requested);
        if (signal.aborted) return;
        onView({ claimCode: this.#requested.claimCode, expiresAt: this.#requested.expiresAt, problem: null });
        const collected = await collectPairing(host, baseUrl, identity, this.#requested);
        if (collected.kind === "paired") return this.#paired.resolve(collected.credentials);
        failures = 0;
        await host.sleep(collected.retryAfterMs, signal);
      } catch (error) {
        failures += 1;
        const wait = isLasting(error) ? 0 : backoffMs(failures, host.random());
        if (isLasting(error)) await this.#note(null);
        if (!signal.aborted) onView({ ...NOTHING, ...viewOf(this.#requested), problem: errorText(error) });
        // A code that was rejected is followed by another one, but not at once: the administrator may reject that too.
        await host.sleep(wait + backoffMs(failures, host.random()), signal);
      }
    }
  }

  /** Where the disk does not take it, a restart asks for another code. */
  async #note(requested: RequestedCode | null): Promise<void> {
    this.#requested = requested;
    await this.#options.store.save(requested).catch(() => undefined);
  }
}

function viewOf(requested: RequestedCode | null): Partial<PairingView> {
  return requested ? { claimCode: requested.claimCode, expiresAt: requested.expiresAt } : {};
}

/** Whether the code is of no more use: it was used, rejected, has ended, or nobody knows it. */
function isLasting(error: unknown): boolean {
  return (
    error instanceof ServerRefusal && error.status >= 400 && error.status < 500 && error.status !== 429 && error.code.startsWith("CLAIM_")
  );
}
