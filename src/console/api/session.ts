import { createStore } from "./store.ts";

const TOKEN_KEY = "alive.token";

/** The API token that somebody signed in with, kept for this tab alone; null for those who have a session's cookie. */
export function apiToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export function keepApiToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
}

/** True while a session has ended under somebody who was signed in: the dialog over the page asks to sign in again. */
export const signInAsked = createStore(false);

let waiting: { promise: Promise<boolean>; settle: (signedIn: boolean) => void } | null = null;

/** Asks for signing in again, over the page as it is. True when it was done; false where it was declined. All who wait share one dialog. */
export function askToSignIn(): Promise<boolean> {
  if (waiting === null) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    waiting = { promise, settle: resolve };
    signInAsked.set(true);
  }
  return waiting.promise;
}

/** Ends the asking: the calls that wait are sent again, or fail. */
export function settleSignIn(signedIn: boolean): void {
  signInAsked.set(false);
  waiting?.settle(signedIn);
  waiting = null;
}

/** Who is signed in, by id; null before it is known. While it is null, a 401 is nothing to ask about: the sign-in page is there. */
export const signedInAs = createStore<string | null>(null);
