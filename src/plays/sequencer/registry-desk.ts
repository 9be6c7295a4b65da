import { type DeviceProfile, loadProfile } from "../../devices/profile.ts";
import { log } from "../../platform/log.ts";
import { withTimeout } from "../../platform/retry.ts";
import { admitPlayer } from "../../telemetry/players.ts";
import { D1_READ_TIMEOUT_MS } from "../limits.ts";
import { newIncarnation, registerIncarnation } from "./incarnation.ts";
import type { SequencerIdentity, SequencerStore } from "./store.ts";

/** What the desk needs of the object that it stands in. */
export interface RegistryHost {
  db: () => D1Database;
  deviceId: () => string;
  hashedId: () => Promise<string>;
  /** Told once a newer profile is kept. */
  profileChanged: (before: DeviceProfile | null, now: DeviceProfile) => void;
}

/** Who the object is, and what it knows of its device: asked of the registry once, kept in storage, and held in memory. */
export class RegistryDesk {
  #identity: SequencerIdentity | null;
  #profile: DeviceProfile | null;

  constructor(
    kept: { identity: SequencerIdentity | null; profile: DeviceProfile | null },
    private readonly store: Pick<SequencerStore, "write" | "transaction">,
    private readonly host: RegistryHost,
  ) {
    this.#identity = kept.identity;
    this.#profile = kept.profile;
  }

  /** Null before the object is known to D1 for the first time. */
  get identity(): SequencerIdentity | null {
    return this.#identity;
  }

  /** Null where there is no such device, or where D1 was not asked yet. */
  get profile(): DeviceProfile | null {
    return this.#profile;
  }

  /** Whether D1 knows of the object: before that it accepts nothing. */
  get registered(): boolean {
    return this.#identity?.registered === true;
  }

  /**
   * Reads the profile, and makes the object known to D1 before it accepts anything: a second incarnation of a device means that the
   * first one's storage, with all that it had seen, is gone.
   * @throws where D1 does not answer.
   */
  async introduce(): Promise<void> {
    const deviceId = this.host.deviceId();
    const profile = await withTimeout(loadProfile(this.host.db(), deviceId, Date.now()), D1_READ_TIMEOUT_MS, "profile read");
    if (!profile) return;
    await this.#identify(deviceId);
    if (this.#profile && profile.version < this.#profile.version) return;
    this.store.write("profile", profile);
    this.host.profileChanged(this.#profile, profile);
    this.#profile = profile;
  }

  /**
   * Makes the object of a reporter's player known to D1, once. False: the token has as many players as it may.
   * @throws where D1 does not answer.
   */
  async introducePlayer({ tokenId, named }: { tokenId: string; named: boolean }): Promise<boolean> {
    if (this.registered) return true;
    const player = this.host.deviceId();
    const admitting = named ? admitPlayer(this.host.db(), tokenId, player, Date.now()) : Promise.resolve(true);
    if (!(await withTimeout(admitting, D1_READ_TIMEOUT_MS, "player admission"))) return false;
    await this.#identify(player);
    return true;
  }

  /** Notes that an operator trusts the object, whose first storage was lost; in one transaction with `more`, whose result it returns. */
  trust<T>(more: () => T): T | null {
    if (!this.#identity?.historyLost) return null;
    const identity = { ...this.#identity, historyLost: false };
    const result = this.store.transaction(() => {
      this.store.write("identity", identity);
      return more();
    });
    this.#identity = identity;
    return result;
  }

  /** Gives the object its identity, where it has none yet, and tells D1. */
  async #identify(deviceId: string): Promise<void> {
    const identity = this.#identity ?? newIncarnation(Date.now());
    if (!this.#identity) {
      this.store.write("identity", identity);
      this.#identity = identity;
    }
    if (identity.registered && !identity.historyLost) return;
    const registered = await registerIncarnation(this.host.db(), deviceId, identity);
    if (registered.historyLost && !identity.registered) {
      log("error", "sequencer history lost", { device: await this.host.hashedId(), incarnation: identity.incarnation });
    }
    this.store.write("identity", registered);
    this.#identity = registered;
  }
}
