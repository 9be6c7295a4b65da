import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { SECOND_MS } from "../platform/time.ts";
import type { HeartbeatClock } from "../plays/sequencer/clock.ts";
import { dueCommands, type OpenCommand } from "./commands.ts";
import {
  findSilence,
  type Heartbeat,
  type HeartbeatState,
  latestClock,
  mustWrite,
  reportOf,
  silenceNotTold,
  silenceOf,
  takeHeartbeat,
  takeResults,
} from "./heartbeat.ts";
import type { HeartbeatHistory } from "./heartbeat-history.ts";
import type { Gap } from "./heartbeat-watch.ts";
import type { GroupPolicy } from "./policy.ts";
import type { DeviceProfile } from "./profile.ts";
import type { CommandResult, DeviceReport } from "./report.ts";

const SEND_TIMEOUT_MS = 5 * SECOND_MS;

/** A heartbeat as the Worker hands it to the device's object. */
export interface HeartbeatRequest extends Heartbeat {
  /** The token family that it came with. */
  familyId: string;
}

/** What the object answers. Times in ms. */
export type HeartbeatAnswer =
  | { kind: "taken"; clockOffsetMs: number; commands: OpenCommand[]; policy: GroupPolicy }
  | { kind: "unknown-device" | "revoked" | "superseded" }
  | { kind: "unavailable"; retryAfterS: number };

/** When a device was last heard of, and whether it has fallen silent since. */
export interface LastHeard {
  at: number;
  silent: boolean;
}

/** What an object knows of its device's heartbeats. */
export interface HeartbeatAccount extends LastHeard, HeartbeatHistory {
  intervalMs: number;
}

/** What of the object the desk uses, looked up at each use. */
export interface DeskHost {
  /** Keeps the state: one row. */
  write(state: HeartbeatState): void;
  queue(): Queue;
  deviceId(): string;
}

/**
 * A device's heartbeats inside its object: takes them, writes down what must outlive the object's memory, tells D1 through the
 * queue, and notices silence. What it decides stands in `heartbeat.ts`.
 */
export class HeartbeatDesk {
  #state: HeartbeatState | null;
  #written: HeartbeatState | null;

  constructor(
    written: HeartbeatState | null,
    private readonly host: DeskHost,
  ) {
    this.#written = written;
    this.#state = written;
  }

  /** Takes a heartbeat. `wrote`: whether it was written down. `telling` tells D1, and is not to be waited for. */
  take(
    request: HeartbeatRequest,
    profile: DeviceProfile,
    plays: { accepted: number; missing: Omit<Gap, "since">[] },
  ): { answer: HeartbeatAnswer; wrote: boolean; telling: Promise<void> | null } {
    const refuse = (kind: "revoked" | "superseded") => ({ answer: { kind }, wrote: false, telling: null });
    if (profile.status === "revoked") return refuse("revoked");
    if (profile.status !== "active" || profile.familyId !== request.familyId) return refuse("superseded");
    const outcome = takeHeartbeat(request, this.#state, { policy: profile.policy, ...plays });
    const wrote = mustWrite(this.#written, outcome.state);
    this.#keep(outcome.state, wrote);
    return {
      answer: {
        kind: "taken",
        clockOffsetMs: outcome.state.offsetMs,
        commands: this.due(profile.commands ?? [], request.receivedAt),
        policy: profile.policy,
      },
      wrote,
      telling: outcome.tell ? this.#tell(reportOf(this.host.deviceId(), request, outcome), outcome.state) : null,
    };
  }

  /**
   * Takes a command's result by itself; D1 is told of it with a heartbeat. `none`: no heartbeat has come yet that it could be kept with.
   * `full`: too many wait for D1 already.
   */
  takeResult(result: CommandResult): "taken" | "none" | "full" {
    const before = this.#state;
    if (before === null) return "none";
    if (before.settled.includes(result.id)) return "taken";
    const taken = takeResults(before, [result]);
    if (taken.results.length === before.results.length) return "full";
    this.#keep({ ...before, ...taken }, true);
    return "taken";
  }

  /** The commands that the device has not said anything of yet. */
  due(commands: readonly OpenCommand[], now: number): OpenCommand[] {
    return dueCommands(commands, this.#state?.settled ?? [], now);
  }

  /** The clock by which plays are judged that say nothing of their own. */
  clock(known: HeartbeatClock | null): HeartbeatClock | null {
    return latestClock(known, this.#state);
  }

  /** When the object must look whether the device has fallen silent; null where there is nothing to look for. */
  turnAt(): number | null {
    return this.#state === null || this.#state.silent ? null : this.#state.silentAt;
  }

  /** Tells D1 that the device has fallen silent, where it has. For the alarm. What cannot be told is told later. */
  async reportSilence(profile: DeviceProfile | null, now: number): Promise<void> {
    const silent = this.#state && findSilence(this.#state, now);
    if (!silent) return;
    this.#keep(silent, true);
    // A device that was revoked is expected to be silent.
    if (profile?.status !== "active") return;
    try {
      await this.#send(silenceOf(this.host.deviceId(), silent));
    } catch (error) {
      log("warn", "silence not told", { error: describeError(error) });
      // Unless it was heard of meanwhile.
      if (this.#state === silent) this.#keep(silenceNotTold(silent, now), true);
    }
  }

  /** When the device was last heard of; null where it never was. Whoever asks tells D1, so the object need not. */
  lastHeard(now: number): LastHeard | null {
    const silent = this.#state && findSilence(this.#state, now);
    if (silent) this.#keep(silent, true);
    return this.#state && { at: this.#state.at, silent: this.#state.silent };
  }

  /** What the heartbeats of the last day said; null where none ever came. */
  account(now: number): HeartbeatAccount | null {
    if (this.#state === null) return null;
    const { at, silentAt, silent, intervalMs, history } = this.#state;
    return { at, silent: silent || now >= silentAt, intervalMs, samples: history?.samples ?? [], silences: history?.silences ?? [] };
  }

  async #tell(report: DeviceReport, state: HeartbeatState): Promise<void> {
    try {
      await this.#send(report);
      const told = new Set(state.results.map(({ id }) => id));
      if (told.size > 0 && this.#state)
        this.#keep({ ...this.#state, results: this.#state.results.filter(({ id }) => !told.has(id)) }, true);
    } catch (error) {
      log("warn", "heartbeat not told", { error: describeError(error) });
      if (this.#state) this.#keep({ ...this.#state, told: { ...this.#state.told, at: null } }, true);
    }
  }

  async #send(report: DeviceReport): Promise<void> {
    await withTimeout(this.host.queue().send(report, { contentType: "json" }), SEND_TIMEOUT_MS, "queue send");
  }

  /** Memory follows only where the write held. */
  #keep(state: HeartbeatState, write: boolean): void {
    if (write) {
      this.host.write(state);
      this.#written = state;
    }
    this.#state = state;
  }
}
