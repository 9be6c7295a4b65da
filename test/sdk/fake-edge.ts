import type { Plan } from "../../src/plans/plan.ts";
import type { ClientEvent, DeviceClientOptions } from "../../src/sdk/device-client.ts";
import { DeviceClient } from "../../src/sdk/device-client.ts";
import { hex } from "../../src/sdk/encoding.ts";
import { MemoryStorage } from "../../src/sdk/memory.ts";
import type { SignedPlayLog } from "../../src/sdk/record.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { DEVICE } from "./paired.ts";
import { item, planOf, segment, slot } from "./plan-fixture.ts";
import { TimedHost } from "./timed-host.ts";

const FILE = Uint8Array.from({ length: 100 }, (_, index) => index);
export const FILE_SHA256 = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", FILE)));

/** 96 hours of one item of 20 s. */
export const PLAN: Plan = planOf({
  segments: [segment(0, 96, [slot("k", 0, "a")])],
  items: { a: item(FILE_SHA256, { duration_ms: 20_000, campaign_id: "134f86e7-7ad8-4962-a649-96572230be4a" }) },
});

/** A server as a device sees it. What it does is changed by the test. */
export class FakeEdge {
  readonly host: TimedHost = new TimedHost((request) => this.#answer(request));
  /** In place of all answers. */
  broken: Reply | null = null;
  /** In place of the answers of these paths. */
  readonly brokenAt = new Map<string, Reply>();
  plan: unknown = PLAN;
  approved = false;
  codes = 0;
  /** The claim is answered so, once. */
  claimRefusal: Reply | null = null;
  commands: { id: string; type: string; params: Record<string, unknown> }[] = [];
  readonly logs: SignedPlayLog[] = [];
  readonly beats: Record<string, unknown>[] = [];
  readonly screenshots: string[] = [];
  revoked = false;

  /** A player on this server. What it tells is noted. */
  player(storage = new MemoryStorage(), options: Partial<DeviceClientOptions> = {}) {
    const client = new DeviceClient({ baseUrl: "http://edge/", storage, host: this.host, algorithm: "EdDSA", ...options });
    const events: ClientEvent[] = [];
    client.on((event) => events.push(event));
    return { client, events, storage };
  }

  /** A player that was paired and has its file. */
  async running(storage = new MemoryStorage(), options: Partial<DeviceClientOptions> = {}) {
    this.approved = true;
    const player = this.player(storage, options);
    player.client.start();
    await this.host.until("the file is here", () => player.client.has(FILE_SHA256));
    return player;
  }

  /** The requests for a path, for so far as the path goes. */
  asked(path: string): SeenRequest[] {
    return this.host.requests.filter(({ url }) => new URL(url).pathname.startsWith(path));
  }

  #answer(request: SeenRequest): Reply {
    if (this.broken) return this.broken;
    const path = new URL(request.url).pathname;
    const broken = this.brokenAt.get(path);
    if (broken) return broken;
    if (this.revoked && path !== "/v1/device/time") return { status: 403, body: { code: "DEVICE_REVOKED" } };
    const body = request.text ? (JSON.parse(request.text) as Record<string, unknown>) : {};
    switch (path) {
      case "/v1/device/time":
        return { status: 200, body: { t0: body.t0, t1: this.host.wall, t2: this.host.wall } };
      case "/v1/device/pairing/create-claim":
        this.codes += 1;
        return {
          status: 201,
          body: { claim_code: `CODE${this.codes}`, device_code: "secret", expires_at: new Date(this.host.wall + 600_000).toISOString() },
        };
      case "/v1/device/pairing/claim":
        return this.#claim(body);
      case "/v1/device/token":
        return { status: 200, body: this.#credentials() };
      case "/v1/device/plan":
        if (request.headers["If-None-Match"] === `"${(this.plan as Plan).etag}"`) return { status: 304 };
        return { status: 200, body: this.plan };
      case "/v1/device/heartbeat":
        this.beats.push(body);
        return { status: 200, body: this.#news(body) };
      case "/api/v1/playback-logs/batch": {
        const { logs } = body as unknown as { logs: SignedPlayLog[] };
        this.logs.push(...logs);
        return {
          status: 202,
          body: { processed: logs.length, duplicates: 0, failed: 0, errors: [], epoch: "other", expected_sequence: 1 },
        };
      }
      default:
        return this.#file(path);
    }
  }

  #claim(body: Record<string, unknown>): Reply {
    const refusal = this.claimRefusal;
    this.claimRefusal = null;
    if (refusal) return refusal;
    if (body.device_code !== undefined && !this.approved)
      return { status: 202, body: { status: "pending" }, headers: { "Retry-After": "5" } };
    if (body.device_code === undefined && body.claim_code !== "TYPEDIN") return { status: 404, body: { code: "CLAIM_NOT_FOUND" } };
    return { status: 200, body: { device_id: DEVICE, ...this.#credentials() } };
  }

  #credentials() {
    return { device_token: "token", refresh_token: "refresh", expires_at: new Date(this.host.wall + 3_600_000).toISOString() };
  }

  #news(beat: Record<string, unknown>) {
    const told = new Set((beat.command_results as { id: string }[]).map(({ id }) => id));
    this.commands = this.commands.filter(({ id }) => !told.has(id));
    return {
      server_time: new Date(this.host.wall).toISOString(),
      plan_etag: (this.plan as Plan).etag,
      epoch: "other",
      expected_sequence: 1,
      commands: this.commands,
      policy: { storage_cap_bytes: null },
      next_heartbeat_s: 60,
    };
  }

  #file(path: string): Reply {
    const screenshot = /^\/v1\/device\/screenshots\/(.+)$/.exec(path)?.[1];
    if (screenshot !== undefined) {
      this.screenshots.push(screenshot);
      return { status: 201 };
    }
    return path.startsWith("/v1/device/content/") ? { status: 200, pieces: [FILE] } : { status: 404 };
  }
}
