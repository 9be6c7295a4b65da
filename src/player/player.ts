import type { BrowserStorage } from "../sdk/browser/index.ts";
import { type ClientEvent, type ClientState, contentPath, DeviceClient, type PlanSlot } from "../sdk/index.ts";
import { contactOf } from "./connection.ts";
import { codeIn, faultOf, mayDoLater, withoutCode } from "./given-code.ts";
import type { Media } from "./layer.ts";
import { showMessage } from "./message.ts";
import { noticeOf } from "./notices.ts";
import { PairingView } from "./pairing-view.ts";
import type { PlayerHost } from "./player-host.ts";
import { ProofRota, proofEveryMs } from "./proof.ts";
import { remoteCommands, restoreVolume } from "./remote.ts";
import { Screen } from "./screen.ts";
import { fetchUpdate, hasUpdate, PLAYER_VERSION } from "./shell.ts";
import type { StatusLine } from "./status.ts";
import { statusOf } from "./status-lines.ts";
import { Theatre } from "./theatre.ts";
import type { Turn } from "./turns.ts";
import { canShowUploaded, publishPage, UPLOADED_SANDBOX, WEB_SANDBOX, withdrawAllPages, withdrawPage } from "./uploaded-pages.ts";

export interface PlayerParts {
  host: PlayerHost;
  /** How it stands with keeping the screen on. */
  awake: () => string;
  /** Why the page is not kept for the time without a network; null where it is. */
  kept: Promise<string | null>;
}

/** How long an error is told of in heartbeats. */
const ERROR_TOLD_MS = 10 * 60_000;
const UPDATE_EVERY_MS = 6 * 3_600_000;
const NOTICE_EVERY_MS = 5000;
const LONGEST_CROSSFADE_MS = 3000;
const TEXT_MAX_CHARS = 200;

/** The web player: the SDK's client, and the theatre that shows what it says. */
export class Player {
  readonly #storage: BrowserStorage;
  readonly #parts: PlayerParts;
  readonly #client: DeviceClient;
  readonly #screen: Screen;
  readonly #theatre: Theatre;
  readonly #stageElement: HTMLElement;
  readonly #pairing: PairingView;
  #pairingFault: string | null = null;
  #pairingBusy = false;
  /** That somebody gave the page by its address, and that was not tried yet. */
  #givenCode = codeIn(location.search);
  #contact = { reached: false, said: "none yet", at: 0 };
  #lastError: { text: string; at: number } | null = null;
  #idleSince = performance.now();
  #ready = false;
  #kept = "not yet";

  constructor(storage: BrowserStorage, stageElement: HTMLElement, parts: PlayerParts) {
    this.#storage = storage;
    this.#parts = parts;
    this.#stageElement = stageElement;
    this.#screen = new Screen(stageElement);
    this.#screen.crossfadeMs = crossfadeAsked(location.search);
    const rota = new ProofRota(proofEveryMs(location.search));
    const close = () => this.#theatre.close().then(() => this.#client.stop());
    this.#client = new DeviceClient({
      baseUrl: location.origin,
      storage,
      host: parts.host.host,
      deviceInfo: deviceInfo(),
      screenshot: async () => await bytesOf(await this.#screen.picture()),
      wantsScreenshot: (item) => rota.take(item, performance.now()),
      commands: remoteCommands({ storage, screen: this.#screen, close }),
      machine: () => this.#vitals(),
      metadata: () => ({ screen_resolution: resolution(), player_version: PLAYER_VERSION }),
    });
    this.#theatre = new Theatre({
      screen: this.#screen,
      now: () => this.#client.serverNow(),
      pass: (slot, at) => !this.#canShow(slot, at),
      mediaOf: (turn) => this.#mediaOf(turn),
      release: (turn) => {
        if (isUploadedPage(turn)) void withdrawPage(turn.item.sha256);
      },
      play: (turn) => this.#client.play({ kind: "slot", ...turn }),
      onChange: () => this.#onStageChange(),
      onError: (text) => this.#note(text),
    });
    this.#pairing = new PairingView((code) => void this.#pair(code));
  }

  async start(): Promise<void> {
    await Promise.all([withdrawAllPages(), restoreVolume({ storage: this.#storage, screen: this.#screen })]).catch((error: unknown) =>
      this.#note(String(error)),
    );
    void this.#parts.kept.then((why) => {
      this.#kept = why ?? "yes";
      // Pages that wait for the service worker can be shown now.
      this.#theatre.tell({ kind: "tick" });
    });
    this.#client.on((event) => this.#hear(event));
    const onVisibility = () => this.#theatre.tell({ kind: "visible", visible: document.visibilityState === "visible" });
    document.addEventListener("visibilitychange", onVisibility);
    onVisibility();
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.#theatre.tell({ kind: "tick" }));
    window.addEventListener("online", () => this.#client.tryAgain());
    setInterval(() => this.#showNotice(), NOTICE_EVERY_MS);
    setInterval(() => void this.#renew(), UPDATE_EVERY_MS * (0.75 + Math.random() / 2));
    this.#client.start();
  }

  async statusLines(): Promise<readonly StatusLine[]> {
    return statusOf({
      client: await this.#client.status(),
      stage: this.#theatre.stage,
      shown: this.#theatre.shown,
      now: this.#client.serverNow(),
      contact: { ...this.#contact, agoMs: performance.now() - this.#contact.at },
      lastError: this.#lastError?.text ?? null,
      awake: this.#parts.awake(),
      kept: this.#kept,
      volume: this.#screen.volume,
    });
  }

  #hear(event: ClientEvent): void {
    const contact = contactOf(event);
    if (contact) this.#contact = { ...contact, at: performance.now() };
    if (event.type === "beat" && event.outcome.kind === "taken") void this.#parts.host.hear(event.outcome.news.serverTime);
    if (event.type === "state") this.#become(event.state);
    else if (event.type === "content") void this.#hearContent();
    else if (event.type === "plan" && this.#client.state.kind === "running") this.#tellPlan();
  }

  #become(state: ClientState): void {
    document.documentElement.dataset.state = state.kind;
    if (state.kind === "unpaired") this.#showPairing(state);
    else this.#pairing.hide();
    if (state.kind === "unpaired" || state.kind === "running") this.#takeGivenCode(state);
    this.#idleSince = performance.now();
    if (state.kind === "running") this.#tellPlan();
    else this.#theatre.tell({ kind: "plan", plan: null });
    this.#showNotice();
  }

  /** The stage hears of a plan only if it is another one: what it has made ready by the same one stays. */
  #tellPlan(): void {
    const { plan } = this.#client;
    if (plan === this.#theatre.stage.plan) this.#theatre.tell({ kind: "tick" });
    else this.#theatre.tell({ kind: "plan", plan });
    this.#showNotice();
  }

  async #hearContent(): Promise<void> {
    this.#ready = (await this.#client.status()).ready;
    this.#theatre.tell({ kind: "tick" });
    this.#showNotice();
  }

  #onStageChange(): void {
    const { on } = this.#theatre.stage;
    const { dataset } = this.#stageElement;
    dataset.shown = String(this.#theatre.shown);
    dataset.slot = on?.turn.slot.slot_id ?? "";
    dataset.type = on?.turn.item.type ?? "";
    this.#idleSince = performance.now();
    this.#showNotice();
  }

  #showNotice(): void {
    const idleForMs = performance.now() - this.#idleSince;
    const pairAgain = () => void this.#client.forget().then(() => this.#client.start());
    showMessage(noticeOf(this.#client.state, this.#theatre.stage, { idleForMs, ready: this.#ready }, { pairAgain }));
  }

  /** Whether a slot of the plan can be shown at an instant: its type is known, its file or its server is here, its cap is not used up. */
  #canShow(slot: PlanSlot, at: number): boolean {
    const item = this.#client.plan?.items[slot.item];
    if (!item || !canPlay(item.type)) return false;
    if (item.url !== contentPath(item.sha256)) return item.type === "web" && this.#isOnline() && this.#isLeft(slot, at);
    if (!this.#client.has(item.sha256) || (item.type === "web" && !canShowUploaded())) return false;
    return this.#isLeft(slot, at);
  }

  /** Whether a slot's cap leaves it a turn. The client counts: of all slots but this one passed over, it plays this one or none. */
  #isLeft(slot: PlanSlot, at: number): boolean {
    const caps = slot.caps ?? this.#client.plan?.items[slot.item]?.caps ?? {};
    if (Object.keys(caps).length === 0) return true;
    const playing = this.#client.whatPlays(at, (other) => other.slot !== slot);
    return playing?.kind === "slot" && playing.slot === slot;
  }

  #isOnline(): boolean {
    return navigator.onLine && this.#contact.reached;
  }

  async #mediaOf(turn: Turn): Promise<Media> {
    const { item, offsetMs } = turn;
    if (item.type === "web" && item.url !== null && !isUploadedPage(turn)) return { kind: "page", url: item.url, sandbox: WEB_SANDBOX };
    const blob = await this.#storage.files.blob(item.sha256);
    if (!blob) throw new Error("Its file is not here.");
    if (item.type === "web") return { kind: "page", url: await publishPage(item.sha256, blob), sandbox: UPLOADED_SANDBOX };
    return item.type === "video" ? { kind: "video", blob, offsetMs, volume: this.#screen.volume } : { kind: "image", blob };
  }

  #showPairing({ claimCode, problem }: ClientState & { kind: "unpaired" }): void {
    this.#pairing.show({
      code: claimCode,
      approveUrl: claimCode === null ? null : `${location.origin}/console/devices?claim_code=${claimCode}`,
      fault: this.#pairingFault ?? problem,
      busy: this.#pairingBusy,
    });
  }

  /** Pairs by the code in the page's address, once; there it stays only while no server has decided on it. */
  #takeGivenCode({ kind }: ClientState): void {
    const code = this.#givenCode;
    this.#givenCode = null;
    if (code === null) return;
    const forget = () => history.replaceState(null, "", withoutCode(location.href));
    if (kind === "unpaired") {
      void this.#pair(code).then((error) => {
        if (error === null || !mayDoLater(error)) forget();
      });
      return;
    }
    this.#note("This screen is paired already: the code in its address was not used.");
    forget();
  }

  /** Pairs by a code. Returns why it did not do; null where it did. */
  async #pair(code: string): Promise<unknown> {
    this.#pairingBusy = true;
    this.#pairingFault = null;
    this.#showPairingAgain();
    const error = await this.#client.pair(code).then(
      () => null,
      (why: unknown) => why,
    );
    this.#pairingFault = error === null ? null : faultOf(error);
    this.#pairingBusy = false;
    this.#showPairingAgain();
    return error;
  }

  #showPairingAgain(): void {
    const { state } = this.#client;
    if (state.kind === "unpaired") this.#showPairing(state);
  }

  async #vitals() {
    const { quota } = await navigator.storage.estimate().catch((): StorageEstimate => ({}));
    const told = this.#lastError && performance.now() - this.#lastError.at < ERROR_TOLD_MS ? this.#lastError.text : null;
    return { disk_total_bytes: quota ?? null, last_error: told, player_version: PLAYER_VERSION };
  }

  /** A player that runs for months must not run months behind. */
  async #renew(): Promise<void> {
    if (!(await hasUpdate())) return;
    try {
      await fetchUpdate();
    } catch (error) {
      this.#note(messageOf(error));
      return;
    }
    await this.#theatre.gap();
    await this.#theatre.close();
    await this.#client.stop();
    location.reload();
  }

  #note(text: string): void {
    this.#lastError = { text, at: performance.now() };
  }
}

function isUploadedPage({ item }: Turn): boolean {
  return item.type === "web" && item.url === contentPath(item.sha256);
}

function canPlay(type: string): boolean {
  return type === "image" || type === "video" || type === "web";
}

function crossfadeAsked(search: string): number {
  const asked = Number(new URLSearchParams(search).get("crossfade") ?? 0);
  return asked > 0 ? Math.min(LONGEST_CROSSFADE_MS, asked) : 0;
}

function deviceInfo(): Record<string, unknown> {
  return {
    model: "Web player",
    player_version: PLAYER_VERSION,
    user_agent: navigator.userAgent.slice(0, TEXT_MAX_CHARS),
    screen_resolution: resolution(),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    language: navigator.language,
  };
}

function resolution(): string {
  const scale = window.devicePixelRatio;
  return `${Math.round(screen.width * scale)}x${Math.round(screen.height * scale)}`;
}

async function bytesOf(blob: Blob | null): Promise<Uint8Array<ArrayBuffer> | null> {
  return blob && new Uint8Array(await blob.arrayBuffer());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
