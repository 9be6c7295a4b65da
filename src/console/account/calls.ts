import { send, sendOnce } from "../api/client.ts";
import { ApiError } from "../api/error.ts";
import { forgetMe, ME_KEY, type Me, readMe } from "../api/me.ts";
import { queryClient } from "../api/query.ts";
import { apiToken, keepApiToken } from "../api/session.ts";

/** Calls of sign-in and of one's own account. None of those that sign in asks to sign in again. */

async function post<T>(path: string, body?: unknown): Promise<T> {
  return (await (await sendOnce("POST", path, body === undefined ? {} : { body })).json()) as T;
}

async function postSignedIn<T>(path: string, body?: unknown): Promise<T> {
  return (await (await send("POST", path, body === undefined ? {} : { body })).json()) as T;
}

/** First step. True: a code of the second factor is asked next. */
export async function signInByPassword(email: string, password: string): Promise<boolean> {
  keepApiToken(null);
  return (await post<{ two_factor_required: boolean }>("/api/auth/sign-in/email", { email, password })).two_factor_required;
}

/** Second step: six digits of an app, or a backup code. */
export async function signInByCode(code: string): Promise<void> {
  const compact = code.replaceAll(" ", "");
  const path = /^\d{6}$/.test(compact) ? "/api/auth/two-factor/verify-totp" : "/api/auth/two-factor/verify-backup-code";
  await post(path, { code: compact });
}

/** Uses an API token in this tab, if the server takes it. */
export async function signInByToken(token: string): Promise<Me> {
  const before = apiToken();
  keepApiToken(token);
  try {
    return await readMe();
  } catch (error) {
    keepApiToken(before);
    throw error;
  }
}

/** Makes the page that of who has just signed in. */
export async function enter(): Promise<Me> {
  const me = await readMe();
  queryClient.setQueryData(ME_KEY, me);
  return me;
}

/** Ends this session and shows the sign-in page. */
export async function signOut(): Promise<void> {
  if (apiToken() === null) {
    // Where the server is away the cookie stays; it says so rather than to pretend.
    await post("/api/auth/sign-out").catch((error: unknown) => {
      if (error instanceof ApiError && error.transient) throw error;
    });
  }
  forgetMe();
}

export interface Invitation {
  kind: "setup" | "invitation" | "reset";
  email: string | null;
  name: string | null;
  role: string;
  expires_at: string;
}

export const lookAtInvitation = (token: string) => post<Invitation>("/v1/invitations/look", { token });

/** Takes a set-up link, an invitation or a new password; signs in next. Returns whether a second factor is asked. */
export async function acceptInvitation(body: { token: string; password: string; name?: string; email?: string }): Promise<boolean> {
  const { email } = await post<{ email: string }>("/v1/invitations/accept", body);
  return await signInByPassword(email, body.password);
}

export const changePassword = (current_password: string, new_password: string) =>
  postSignedIn("/api/auth/change-password", { current_password, new_password });
export const beginTwoFactor = (password: string) =>
  postSignedIn<{ totp_uri: string; backup_codes: string[] }>("/api/auth/two-factor/enable", { password });
export const confirmTwoFactor = (code: string) => postSignedIn("/api/auth/two-factor/verify-totp", { code });
export const endTwoFactor = (password: string) => postSignedIn("/api/auth/two-factor/disable", { password });
export const newBackupCodes = (password: string) =>
  postSignedIn<{ backup_codes: string[] }>("/api/auth/two-factor/generate-backup-codes", { password });
