import { type Answer, type Call, type CallArguments, call, sendOnce } from "../api/client.ts";
import { ApiError } from "../api/error.ts";
import { forgetMe, ME_KEY, type Me, readMe } from "../api/me.ts";
import { queryClient } from "../api/query.ts";
import { apiToken, keepApiToken } from "../api/session.ts";

/** Calls of sign-in and of one's own account. None of those that sign in asks to sign in again. */

/** A call that nobody is asked to sign in for. */
async function post<C extends Extract<Call, `POST /${string}`>>(name: C, ...[options]: CallArguments<C>): Promise<Answer<C>> {
  const { body } = (options ?? {}) as { body?: unknown };
  return (await (await sendOnce("POST", name.slice("POST ".length), { body })).json()) as Answer<C>;
}

/** First step. True: a code of the second factor is asked next. */
export async function signInByPassword(email: string, password: string): Promise<boolean> {
  keepApiToken(null);
  return (await post("POST /api/auth/sign-in/email", { body: { email, password } })).two_factor_required;
}

/** Second step: six digits of an app, or a backup code. */
export async function signInByCode(code: string): Promise<void> {
  const compact = code.replaceAll(" ", "");
  if (/^\d{6}$/.test(compact)) await post("POST /api/auth/two-factor/verify-totp", { body: { code: compact } });
  else await post("POST /api/auth/two-factor/verify-backup-code", { body: { code: compact } });
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
    await post("POST /api/auth/sign-out").catch((error: unknown) => {
      if (error instanceof ApiError && error.transient) throw error;
    });
  }
  forgetMe();
}

export type Invitation = Answer<"POST /v1/invitations/look">;

export const lookAtInvitation = (token: string) => post("POST /v1/invitations/look", { body: { token } });

/** Takes a set-up link, an invitation or a new password; signs in next. Returns whether a second factor is asked. */
export async function acceptInvitation(body: { token: string; password: string; name?: string; email?: string }): Promise<boolean> {
  const { email } = await post("POST /v1/invitations/accept", { body });
  return await signInByPassword(email, body.password);
}

export const changePassword = (current_password: string, new_password: string) =>
  call("POST /api/auth/change-password", { body: { current_password, new_password } });
export const beginTwoFactor = (password: string) => call("POST /api/auth/two-factor/enable", { body: { password } });
export const confirmTwoFactor = (code: string) => call("POST /api/auth/two-factor/verify-totp", { body: { code } });
export const endTwoFactor = (password: string) => call("POST /api/auth/two-factor/disable", { body: { password } });
export const newBackupCodes = (password: string) => call("POST /api/auth/two-factor/generate-backup-codes", { body: { password } });
