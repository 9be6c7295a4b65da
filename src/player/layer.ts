/** What a layer can show. */
export type Media =
  | { kind: "image"; blob: Blob }
  /** `offsetMs`: where it begins. `volume` from 0 to 1. */
  | { kind: "video"; blob: Blob; offsetMs: number; volume: number }
  /** A page in a frame; `sandbox`: what the frame's attribute allows it. */
  | { kind: "page"; url: string; sandbox: string };

/** One of the two surfaces of the screen: one is seen, the other is made ready beneath it. Its elements are used again and again. */
export class Layer {
  readonly element: HTMLElement;
  readonly #image = document.createElement("img");
  readonly #video = document.createElement("video");
  #frame: HTMLIFrameElement | null = null;
  #objectUrl: string | null = null;
  #media: Media | null = null;
  /** Hears of what comes of the media that is loaded now, and of no other. */
  #listening = new AbortController();
  #begunAtS = 0;

  constructor(element: HTMLElement) {
    this.element = element;
    this.#image.alt = "";
    this.#video.playsInline = true;
    this.#video.preload = "auto";
    this.#video.disableRemotePlayback = true;
    this.#image.hidden = true;
    this.#video.hidden = true;
    element.append(this.#image, this.#video);
  }

  /**
   * Makes media ready to be seen. Returns how long it is, ms; null where it has no length of its own.
   * @throws Error where it cannot be shown, or something else was loaded meanwhile.
   */
  async load(media: Media): Promise<number | null> {
    this.unload();
    this.#media = media;
    const { signal } = this.#listening;
    switch (media.kind) {
      case "image":
        this.#image.src = this.#urlOf(media.blob);
        this.#image.hidden = false;
        // Decoded before it is seen: a large picture takes longer than a frame.
        await this.#image.decode();
        signal.throwIfAborted();
        return null;
      case "video":
        return await this.#loadVideo(media, signal);
      case "page":
        await this.#loadPage(media, signal);
        return null;
    }
  }

  /** What is loaded begins; `onBroke` hears if it breaks off. */
  begin(onBroke: (error: string) => void): void {
    if (this.#media?.kind !== "video") return;
    const { signal } = this.#listening;
    const video = this.#video;
    this.#begunAtS = video.currentTime;
    video.addEventListener("error", () => onBroke(videoError(video)), { signal });
    void this.#play(signal).catch((error: unknown) => {
      // One that is over before it has begun to run, because its screen came late, has run.
      if (!signal.aborted && !video.ended) onBroke(error instanceof Error ? error.message : String(error));
    });
  }

  /** How much of the video has run since it began, ms; null for what does not run. */
  get ranMs(): number | null {
    if (this.#media?.kind !== "video") return null;
    return (this.#video.currentTime - this.#begunAtS) * 1000;
  }

  /** How much of it there was to run from where it began, ms; null where that says nothing. */
  get toRunMs(): number | null {
    const { duration } = this.#video;
    return this.#media?.kind === "video" && Number.isFinite(duration) ? (duration - this.#begunAtS) * 1000 : null;
  }

  /** Sets how loud a video is from now on, 0 to 1. */
  set volume(volume: number) {
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
  }

  /** What a picture of the layer can be drawn from; null where the browser gives none. */
  get picture(): { source: CanvasImageSource; width: number; height: number } | null {
    const [image, video] = [this.#image, this.#video];
    if (this.#media?.kind === "image") return { source: image, width: image.naturalWidth, height: image.naturalHeight };
    if (this.#media?.kind === "video") return { source: video, width: video.videoWidth, height: video.videoHeight };
    return null;
  }

  /** Lets go of everything, down to the decoder and the file. */
  unload(): void {
    this.#listening.abort(new Error("Something else took its place."));
    this.#listening = new AbortController();
    if (this.#media?.kind === "image") this.#image.removeAttribute("src");
    if (this.#media?.kind === "video") {
      this.#video.pause();
      this.#video.removeAttribute("src");
      // Without it, a browser keeps the decoder and what it has decoded.
      this.#video.load();
    }
    this.#image.hidden = true;
    this.#video.hidden = true;
    this.#frame?.remove();
    this.#frame = null;
    if (this.#objectUrl !== null) URL.revokeObjectURL(this.#objectUrl);
    this.#objectUrl = null;
    this.#media = null;
  }

  #urlOf(blob: Blob): string {
    this.#objectUrl = URL.createObjectURL(blob);
    return this.#objectUrl;
  }

  async #loadVideo(media: Media & { kind: "video" }, signal: AbortSignal): Promise<number | null> {
    const video = this.#video;
    this.volume = media.volume;
    video.src = this.#urlOf(media.blob);
    video.hidden = false;
    await once(video, "canplay", signal);
    const durationMs = Number.isFinite(video.duration) ? video.duration * 1000 : null;
    if (media.offsetMs > 0 && (durationMs === null || media.offsetMs < durationMs)) {
      video.currentTime = media.offsetMs / 1000;
      await once(video, "seeked", signal);
    }
    return durationMs;
  }

  async #loadPage(media: Media & { kind: "page" }, signal: AbortSignal): Promise<void> {
    const frame = document.createElement("iframe");
    this.#frame = frame;
    frame.setAttribute("sandbox", media.sandbox);
    frame.referrerPolicy = "no-referrer";
    frame.allow = "autoplay";
    frame.tabIndex = -1;
    frame.src = media.url;
    const loaded = once(frame, "load", signal);
    this.element.append(frame);
    await loaded;
  }

  /** With its sound if the browser lets it, else without: a page that nobody has touched may be silent by rule. */
  async #play(signal: AbortSignal): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      if (signal.aborted || !(error instanceof DOMException) || error.name !== "NotAllowedError") throw error;
      this.#video.muted = true;
      await this.#video.play();
    }
  }
}

function once(element: HTMLElement, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(element instanceof HTMLVideoElement ? new Error(videoError(element)) : new Error("It does not load."));
    element.addEventListener(name, () => resolve(), { once: true, signal });
    element.addEventListener("error", fail, { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function videoError({ error }: HTMLVideoElement): string {
  const names = ["", "aborted", "network", "decode", "not supported"];
  return `The video cannot be played: ${names[error?.code ?? 0] || "unknown error"}${error?.message ? ` (${error.message})` : ""}.`;
}
