import { createHash } from "node:crypto";
import { type Life, never, type World } from "./world.ts";

interface Stored {
  bytes: Uint8Array<ArrayBuffer>;
  customMetadata: Record<string, string>;
}

const encoder = new TextEncoder();

/** R2 in memory, strongly consistent, at the far end of a network that fails. */
export class FakeR2 {
  readonly objects = new Map<string, Stored>();
  awayUntil = 0;

  constructor(private readonly world: World) {}

  for(life: Life): R2Bucket {
    return {
      put: (key: string, body: Uint8Array | string, options: R2PutOptions = {}) =>
        this.#call(life, () => this.#put(key, typeof body === "string" ? encoder.encode(body) : body, options)),
      get: (key: string) => this.#call(life, () => this.#get(key)),
      head: (key: string) => this.#call(life, () => (this.objects.has(key) ? { key } : null)),
      delete: (keys: string | string[]) =>
        this.#call(life, () => {
          for (const key of [keys].flat()) this.objects.delete(key);
        }),
      list: ({ prefix = "" }: R2ListOptions = {}) =>
        this.#call(life, () => ({
          objects: [...this.objects]
            .filter(([key]) => key.startsWith(prefix))
            .map(([key, { bytes, customMetadata }]) => ({ key, size: bytes.length, customMetadata })),
          truncated: false,
        })),
    } as unknown as R2Bucket;
  }

  #call<T>(life: Life, work: () => T): Promise<T> {
    const { world } = this;
    return life.call(async () => {
      await world.latency(80);
      if (world.now < this.awayUntil || world.fault("R2 fails before")) throw new Error("R2: internal error (10001)");
      if (world.fault("R2 hangs")) await never();
      if (world.fault("R2 late")) await world.sleep(world.random.between(1000, 60_000));
      const result = work();
      if (world.fault("R2 fails after")) throw new Error("R2: internal error (10001)");
      await world.latency(80);
      return result;
    });
  }

  #put(key: string, bytes: Uint8Array, options: R2PutOptions): void {
    if (options.sha256 instanceof Uint8Array && createHash("sha256").update(bytes).digest("hex") !== options.sha256.toHex()) {
      throw new Error("R2: the SHA-256 checksum you specified did not match what we received (10037)");
    }
    this.objects.set(key, { bytes: new Uint8Array(bytes), customMetadata: options.customMetadata ?? {} });
  }

  #get(key: string) {
    const stored = this.objects.get(key);
    if (!stored) return null;
    const { bytes, customMetadata } = stored;
    return {
      key,
      size: bytes.length,
      customMetadata,
      arrayBuffer: async () => bytes.slice().buffer,
      bytes: async () => bytes.slice(),
      text: async () => new TextDecoder().decode(bytes),
    };
  }
}
