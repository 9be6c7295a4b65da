import { createExecutionContext, createMessageBatch, getQueueResult, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Heartbeat, HeartbeatState } from "../../src/devices/heartbeat.ts";
import type { DeviceReport } from "../../src/devices/report.ts";
import { consumeQueue } from "../../workers/queue.ts";
import { post, type TestDevice } from "./device.ts";

/** A heartbeat of a player that is well. */
export function heartbeat(changes: Partial<Heartbeat> = {}): Heartbeat {
  const receivedAt = changes.receivedAt ?? Date.parse("2026-11-21T10:00:00Z");
  return {
    receivedAt,
    deviceTime: receivedAt,
    nowPlaying: { slot_id: `s${receivedAt}` },
    itemMs: null,
    diskUsedBytes: 10,
    diskTotalBytes: 100,
    planEtag: null,
    lastError: null,
    counters: { restarts: 1, download_failures: 0 },
    playerVersion: "1.0",
    results: [],
    ...changes,
  };
}

/** The body of a heartbeat as a player sends it. */
export function body(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    device_time: new Date().toISOString(),
    now_playing: { content_id: crypto.randomUUID(), started_at: new Date().toISOString() },
    disk_used_bytes: 10,
    disk_total_bytes: 100,
    plan_etag: null,
    counters: { restarts: 1, download_failures: 0 },
    player_version: "1.0",
    ...changes,
  };
}

export async function beat(
  device: Pick<TestDevice, "token">,
  changes: Record<string, unknown> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await post(device, "/v1/device/heartbeat", body(changes));
  return { status: answer.status, body: await answer.json() };
}

/** Stands between a device's object and the queue `device-reports`. */
export class CaughtReports {
  readonly reports: DeviceReport[] = [];
  /** How often the object set its alarm. */
  alarms = 0;
  /** Whether the queue takes nothing. */
  broken = false;

  /** Puts itself into the device's object. Again after the object left memory. */
  async attach(deviceId: string): Promise<this> {
    const send = async (report: DeviceReport) => {
      if (this.broken) throw new Error("the queue takes nothing");
      this.reports.push(structuredClone(report));
    };
    await runInDurableObject(env.SEQUENCER.getByName(deviceId), (instance, state) => {
      // An alarm is set as the object wants it, but for a time when no test runs any more: tests run it by hand.
      const setAlarm = state.storage.setAlarm.bind(state.storage);
      Reflect.set(state.storage, "setAlarm", (at: number) => {
        this.alarms += 1;
        return setAlarm(at + 3_600_000);
      });
      const own: Env = { ...env, DEVICE_REPORTS: { send } as unknown as Queue };
      Reflect.set(instance, "env", own);
    });
    return this;
  }

  take(): DeviceReport[] {
    return this.reports.splice(0);
  }
}

/** Delivers reports to the real consumer in one batch. Returns what it did with each message. */
export async function deliverReports(bodies: unknown[], bindings: Env = env): Promise<{ acked: number; retried: number }> {
  const messages = bodies.map((message) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: message }));
  const batch = createMessageBatch("device-reports", messages);
  const ctx = createExecutionContext();
  await consumeQueue(batch, bindings, ctx);
  const result = await getQueueResult(batch, ctx);
  return { acked: result.explicitAcks.length, retried: result.retryMessages.length };
}

/** What the device's object has written down of its heartbeats. */
export async function writtenState(deviceId: string): Promise<HeartbeatState | null> {
  return await runInDurableObject(env.SEQUENCER.getByName(deviceId), (_, state) => {
    const [row] = state.storage.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = 'heartbeat'").toArray();
    return row ? (JSON.parse(row.value) as HeartbeatState) : null;
  });
}

/** A report of a device that is well. */
export function report(deviceId: string, changes: Partial<DeviceReport> = {}): DeviceReport {
  const told = { silent: false, player_version: "1.0", heartbeat: { disk_used_bytes: 1 }, findings: [], results: [] };
  return { v: 1, device_id: deviceId, at: Date.parse("2026-11-21T10:00:00Z"), ...told, ...changes };
}

/** A device's incidents, oldest first. */
export async function incidentsOf(deviceId: string): Promise<{ type: string; open: boolean }[]> {
  const { results } = await env.DB.prepare("SELECT type, resolved_at FROM incidents WHERE device_id = ? ORDER BY id")
    .bind(deviceId)
    .all<{ type: string; resolved_at: number | null }>();
  return results.map(({ type, resolved_at }) => ({ type, open: resolved_at === null }));
}
