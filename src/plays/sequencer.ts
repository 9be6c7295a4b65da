import { DurableObject } from "cloudflare:workers";

export class DeviceSequencer extends DurableObject<Env> {
  async refreshProfile(_deviceId: string): Promise<number> {
    return 0;
  }
}
