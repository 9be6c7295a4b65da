import { betterAuth } from "better-auth/minimal";
import { twoFactor } from "better-auth/plugins/two-factor";
import { uuidv7 } from "uuidv7";
import { SECOND_MS } from "../platform/time.ts";
import { accountStore, type Beside, type OnFault } from "./better-auth-store.ts";
import { hashPassword, isPassword, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS } from "./password.ts";
import { AUTH_PATH, cookiePrefix, isLocalHttp, SESSION_MAX_MS } from "./session.ts";

/*
 * The only file that loads better-auth, and itself loaded by the routes of sign-in alone, when one is called: devices, reports and the
 * console's other calls never pay for it.
 */

/** How long somebody has to show the second factor. */
const SECOND_FACTOR_S = 600;
/** Wrong codes in a row after which an account's second factor is locked, and for how long. */
const LOCKED_AFTER_CODES = 10;
const LOCKED_S = 900;

/** What the library is made for: one request, since it keeps promises, which belong to the request that made them. */
export interface LibraryRequest {
  env: Pick<Env, "DB" | "AUTH_SECRET">;
  url: URL;
  beside: Beside;
  /** Hears of every failure of the database. */
  onFault: OnFault;
}

export function signInLibrary({ env, url, beside, onFault }: LibraryRequest) {
  return betterAuth({
    appName: "Alive Signage",
    baseURL: url.origin,
    basePath: AUTH_PATH,
    secret: env.AUTH_SECRET,
    database: accountStore(env.DB, beside, onFault),
    telemetry: { enabled: false },
    logger: { disabled: true },
    // Its own refusals stay answers; what it stumbled over is ours to tell.
    onAPIError: { throw: true },
    // Ours counts in the database, by address and by account.
    rateLimit: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_CHARS,
      maxPasswordLength: PASSWORD_MAX_CHARS,
      password: { hash: hashPassword, verify: ({ password, hash }) => isPassword(password, hash) },
    },
    session: {
      modelName: "user_sessions",
      fields: {
        userId: "user_id",
        token: "token_hash",
        ipAddress: "network",
        userAgent: "user_agent",
        createdAt: "created_at",
        updatedAt: "updated_at",
        expiresAt: "expires_at",
      },
      // How long the cookie lives; the session itself ends sooner where it is not used.
      expiresIn: SESSION_MAX_MS / SECOND_MS,
      disableSessionRefresh: true,
      cookieCache: { enabled: false },
    },
    user: {
      modelName: "users",
      fields: { createdAt: "created_at", updatedAt: "updated_at" },
    },
    account: {
      modelName: "user_accounts",
      fields: {
        userId: "user_id",
        accountId: "account_id",
        providerId: "provider_id",
        password: "password_hash",
        createdAt: "created_at",
        updatedAt: "updated_at",
      },
    },
    verification: {
      modelName: "sign_in_steps",
      fields: { createdAt: "created_at", updatedAt: "updated_at", expiresAt: "expires_at" },
      storeIdentifier: "hashed",
    },
    advanced: {
      cookiePrefix: cookiePrefix(url),
      // The prefix says it already; with `true` another would be put before it.
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/", secure: !isLocalHttp(url) },
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
      database: { generateId: () => uuidv7() },
      disableCSRFCheck: false,
      disableOriginCheck: false,
    },
    plugins: [
      twoFactor({
        issuer: "Alive Signage",
        twoFactorCookieMaxAge: SECOND_FACTOR_S,
        accountLockout: { enabled: true, maxFailedAttempts: LOCKED_AFTER_CODES, durationSeconds: LOCKED_S },
        schema: {
          user: { fields: { twoFactorEnabled: "two_factor_enabled" } },
          twoFactor: {
            modelName: "user_second_factors",
            fields: {
              userId: "user_id",
              backupCodes: "backup_codes",
              failedVerificationCount: "failed_verification_count",
              lockedUntil: "locked_until",
            },
          },
        },
      }),
    ],
  });
}
