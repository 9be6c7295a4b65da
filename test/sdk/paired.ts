import { DeviceClock } from "../../src/sdk/clock.ts";
import { TokenKeeper } from "../../src/sdk/tokens.ts";
import { FakeHost, type Reply, type SeenRequest } from "./fake-host.ts";

export const DEVICE = "aa705f37-c8cc-4726-a32f-315d7df12ae3";

/** A paired device on a fake host: what every call of it needs. */
export function paired(reply: (request: SeenRequest) => Reply) {
  const host = new FakeHost(reply);
  const clock = new DeviceClock(host);
  const credentials = { deviceId: DEVICE, deviceToken: "token-1", expiresAt: host.wall + 3_600_000, refreshToken: "refresh-1" };
  const store = { load: async () => null, save: async () => {} };
  const tokens = new TokenKeeper({ host, baseUrl: "http://edge", clock, store, credentials });
  return { host, clock, access: { host, baseUrl: "http://edge", tokens } };
}

/** A store of one value, as it is written: by way of JSON. */
export class Disk<T> {
  text: string | null = null;
  saves = 0;
  full = false;

  async load(): Promise<T | null> {
    return this.text === null ? null : (JSON.parse(this.text) as T);
  }

  async save(value: T): Promise<void> {
    if (this.full) throw new Error("disk full");
    this.saves += 1;
    this.text = JSON.stringify(value);
  }
}
