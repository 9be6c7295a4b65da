import { askAsDevice, type DeviceAccess } from "./authorised.ts";
import { hex, joined } from "./encoding.ts";
import type { FileStore } from "./files.ts";
import { errorText } from "./http.ts";

/** What became of the pictures that waited. */
export interface EvidenceSent {
  sent: number;
  /** The server takes them never: dropped. */
  refused: number;
  waiting: number;
}

export interface EvidenceOptions extends DeviceAccess {
  store: FileStore;
}

/** The oldest make room: a play whose picture is missing is a play all the same. */
const PICTURES_KEPT = 50;
const BYTES_KEPT = 50_000_000;
/** What the server answers when it has a picture. */
const STORED = 201;

/** Keeps screenshots until the server has them. A play log names its picture by its hash, whether or when that arrives. */
export class EvidenceKeeper {
  readonly #options: EvidenceOptions;
  #dropped = 0;
  #sending: Promise<EvidenceSent> | null = null;

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  /** Pictures that had to make room since the player was started. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps a picture to be sent. Returns its SHA-256 in hex. @throws what the store throws. */
  async take(picture: Uint8Array<ArrayBuffer>): Promise<string> {
    const { store } = this.#options;
    const sha256 = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", picture)));
    const kept = await store.list();
    if (kept.some((file) => file.sha256 === sha256)) return sha256;
    let bytes = kept.reduce((sum, file) => sum + file.bytes, picture.length);
    for (const [index, file] of kept.entries()) {
      if (kept.length - index < PICTURES_KEPT && bytes <= BYTES_KEPT) break;
      await store.remove(file.sha256);
      bytes -= file.bytes;
      this.#dropped += 1;
    }
    await store.append(sha256, picture);
    await store.complete(sha256);
    return sha256;
  }

  /** Sends what waits, oldest first, until the server cannot be reached. Never throws; who asks while it sends gets that pass. */
  send(): Promise<EvidenceSent> {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #send(): Promise<EvidenceSent> {
    const outcome: EvidenceSent = { sent: 0, refused: 0, waiting: 0 };
    try {
      const pictures = await this.#options.store.list();
      outcome.waiting = pictures.length;
      for (const { sha256, complete } of pictures) {
        const put = complete ? await this.#put(sha256) : "refused";
        if (put === "waiting") break;
        await this.#options.store.remove(sha256);
        outcome[put] += 1;
        outcome.waiting -= 1;
      }
    } catch {
      // The disk: the next pass tries again.
    }
    return outcome;
  }

  async #put(sha256: string): Promise<"sent" | "refused" | "waiting"> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#options.store.read(sha256)) pieces.push(piece);
    const bytes = joined(pieces);
    const headers = { "Content-Type": "application/octet-stream" };
    const asked = await askAsDevice(this.#options, `/v1/device/screenshots/${sha256}`, { method: "PUT", headers, bytes });
    if (asked.kind !== "answered") return "waiting";
    await asked.response.body?.cancel().catch((error: unknown) => errorText(error));
    // A network that wants a login answers 200 to everything.
    if (asked.response.status === STORED) return "sent";
    return asked.response.ok ? "waiting" : "refused";
  }
}
