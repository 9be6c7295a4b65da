import type { DeviceClock } from "./clock.ts";
import type { Host } from "./host.ts";
import { postJson, refusalOf } from "./http.ts";

/** What a paired device holds. */
export interface Credentials {
  deviceId: string;
  deviceToken: string;
  /** When the device token ends, ms since 1970 by the server. */
  expiresAt: number;
  refreshToken: string;
  /** Thumbprint of the key that the device was paired with: with another one nothing that it signs would be taken. */
  key?: string;
}

/** Where credentials are kept: on disk before anything is done with them. */
export interface CredentialStore {
  load(): Promise<Credentials | null>;
  save(credentials: Credentials): Promise<void>;
}

export type TokenResult =
  | { kind: "token"; token: string }
  /** Not now: no network, or the server is busy. */
  | { kind: "wait"; retryAfterMs: number | null }
  /** Never again: the refresh token is refused, the device must be paired anew. */
  | { kind: "unpaired"; code: string };

/** How long before its end a token is replaced. */
const RENEW_BEFORE_MS = 2 * 60_000;

/** The credentials in an answer of the pairing or token call; null where they are not all there. */
export function readCredentials(
  body: Record<string, unknown>,
  known: Pick<Credentials, "deviceId" | "key"> | null = null,
): Credentials | null {
  const deviceId = typeof body.device_id === "string" ? body.device_id : known?.deviceId;
  const { device_token: deviceToken, refresh_token: refreshToken, expires_at } = body;
  const expiresAt = typeof expires_at === "string" ? Date.parse(expires_at) : Number.NaN;
  if (deviceId === undefined || typeof deviceToken !== "string" || typeof refreshToken !== "string" || Number.isNaN(expiresAt)) return null;
  return { deviceId, deviceToken, expiresAt, refreshToken, ...(known?.key === undefined ? {} : { key: known.key }) };
}

/** By what the server says that a device must be paired anew, beside what begins with `REFRESH_TOKEN_`. */
const REVOKED = "DEVICE_REVOKED";

/**
 * Keeps the device's token fresh. A refresh token is given up only when its successor is stored: where the answer was lost, or the
 * disk is full, the old one is used again, which the server allows until a successor has been used.
 */
export class TokenKeeper {
  readonly #options: { host: Host; baseUrl: string; clock: DeviceClock; store: CredentialStore };
  #credentials: Credentials;
  #renewing: Promise<TokenResult> | null = null;
  #rejected = false;

  constructor(options: { host: Host; baseUrl: string; clock: DeviceClock; store: CredentialStore; credentials: Credentials }) {
    this.#options = options;
    this.#credentials = options.credentials;
  }

  get deviceId(): string {
    return this.#credentials.deviceId;
  }

  /** For how long {@link token} will not ask the server, ms. */
  get freshForMs(): number {
    if (this.#rejected) return 0;
    return Math.max(0, this.#credentials.expiresAt - RENEW_BEFORE_MS - this.#options.clock.serverNow());
  }

  /** A token that the server should take. Callers that come while it is being renewed share one request. */
  async token(): Promise<TokenResult> {
    if (this.freshForMs > 0) return { kind: "token", token: this.#credentials.deviceToken };
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return await this.#renewing;
  }

  /** Says that the server refused this token (401), so that the next call of {@link token} fetches another. */
  reject(token: string): void {
    if (token === this.#credentials.deviceToken) this.#rejected = true;
  }

  async #renew(): Promise<TokenResult> {
    const { host, baseUrl, store } = this.#options;
    const body = JSON.stringify({ refresh_token: this.#credentials.refreshToken });
    const answer = await postJson(host, `${baseUrl}/v1/device/token`, body);
    if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null };
    // What stands between here and the server answers so too; only the server says why.
    const { code } = refusalOf(answer);
    if ((answer.status === 401 || answer.status === 403) && (code === REVOKED || code.startsWith("REFRESH_TOKEN_")))
      return { kind: "unpaired", code };
    const renewed = answer.status === 200 ? readCredentials(answer.body, this.#credentials) : null;
    if (!renewed) return { kind: "wait", retryAfterMs: answer.retryAfterMs };
    const kept = await store.save(renewed).then(
      () => true,
      () => false,
    );
    // A disk that is full gets room only by sending what lies on it, and that needs a token.
    this.#credentials = kept ? renewed : { ...renewed, refreshToken: this.#credentials.refreshToken };
    this.#rejected = false;
    return { kind: "token", token: renewed.deviceToken };
  }
}
