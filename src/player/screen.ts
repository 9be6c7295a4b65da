import type { Ran } from "./ending.ts";
import { Layer, type Media } from "./layer.ts";

const PICTURE_MAX_PX = 1280;
const PICTURE_QUALITY = 0.75;
const FADE_SPARE_MS = 250;

/** The screen: two layers, of which the upper one is seen while the next item is made ready beneath it. */
export class Screen {
  readonly #layers: readonly [Layer, Layer];
  #on: { id: number; layer: Layer } | null = null;
  #next: { id: number; layer: Layer } | null = null;
  /** The layer that is on its way out; `gone` resolves when it may be used again. */
  #leaving: { layer: Layer; done: () => void; gone: Promise<void> } | null = null;
  #wantedId: number | null = null;
  /** How long one picture fades into the next, ms; 0: at once. */
  crossfadeMs = 0;
  #volume = 1;

  constructor(stage: HTMLElement) {
    const [first, second] = stage.querySelectorAll<HTMLElement>(".layer");
    if (!first || !second) throw new Error("The page has no layers.");
    this.#layers = [new Layer(first), new Layer(second)];
    stage.addEventListener("animationend", () => this.#leaving?.done());
  }

  /** Makes media ready beneath what is seen. Returns its length, ms, where it has one. @throws Error where it cannot be shown. */
  async prepare(id: number, media: Media): Promise<number | null> {
    this.#wantedId = id;
    await this.#leaving?.gone;
    if (this.#wantedId !== id) throw new Error("It is not wanted any more.");
    const layer = this.#layers.find((one) => one !== this.#on?.layer) ?? this.#layers[0];
    this.#next = { id, layer };
    layer.element.dataset.state = "ready";
    return await layer.load(media);
  }

  /** Puts on top what was made ready. `onBroke` hears if it breaks off while it is seen. */
  show(id: number, onBroke: (error: string) => void): void {
    if (this.#next?.id !== id) throw new Error("What is to be shown is not ready.");
    const { layer } = this.#next;
    const before = this.#on?.layer;
    this.#on = this.#next;
    this.#next = null;
    layer.volume = this.#volume;
    layer.element.dataset.state = this.crossfadeMs > 0 && before ? "fading" : "on";
    layer.element.style.setProperty("--fade", `${this.crossfadeMs}ms`);
    layer.begin(onBroke);
    if (before) this.#leave(before, layer);
  }

  /** Lets go of what was made ready and is not wanted. */
  drop(id: number): void {
    if (this.#wantedId === id) this.#wantedId = null;
    if (this.#next?.id !== id) return;
    this.#next.layer.unload();
    this.#next.layer.element.dataset.state = "";
    this.#next = null;
  }

  /** Nothing is to be seen any more. */
  clear(): void {
    this.#leaving?.done();
    if (!this.#on) return;
    this.#on.layer.unload();
    this.#on.layer.element.dataset.state = "";
    this.#on = null;
  }

  /** How far what is seen has run. */
  get ran(): Ran {
    return { ranMs: this.#on?.layer.ranMs ?? null, toRunMs: this.#on?.layer.toRunMs ?? null };
  }

  set volume(volume: number) {
    this.#volume = volume;
    for (const layer of this.#layers) layer.volume = volume;
  }

  get volume(): number {
    return this.#volume;
  }

  /** A picture of what is seen, as JPEG; null where nothing is, or where a page is, which a browser gives no picture of. */
  async picture(): Promise<Blob | null> {
    const picture = this.#on?.layer.picture;
    if (!picture || picture.width === 0) return null;
    const scale = Math.min(1, PICTURE_MAX_PX / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
    const context = canvas.getContext("2d");
    if (!context) return null;
    context.drawImage(picture.source, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: "image/jpeg", quality: PICTURE_QUALITY });
  }

  /** The old picture goes when the new one is there: behind the fade, and behind the next frame in any case. */
  #leave(before: Layer, after: Layer): void {
    this.#leaving?.done();
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const done = () => {
      if (this.#leaving?.gone !== gone) return;
      this.#leaving = null;
      before.unload();
      before.element.dataset.state = "";
      if (after.element.dataset.state === "fading") after.element.dataset.state = "on";
      resolve();
    };
    this.#leaving = { layer: before, done, gone };
    // At the end of the fade; where nothing fades, as people may ask of their machine, a little later.
    if (this.crossfadeMs > 0) setTimeout(done, this.crossfadeMs + FADE_SPARE_MS);
    else requestAnimationFrame(() => requestAnimationFrame(done));
  }
}
