import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { setCookie } from "hono/cookie";
import { auditStatement } from "../audit/audit.ts";
import { withOrigin } from "../audit/origin.ts";
import { type AppContext, type AppEnv, createRouter, responses } from "../platform/http.ts";
import type { Beside } from "./better-auth-store.ts";
import { requireAccess } from "./cloudflare-access.ts";
import { refuseCrossSite } from "./cross-site.ts";
import { askLibrary } from "./library.ts";
import { PASSWORD_MAX_CHARS, requireFitPassword, withPasswordTurn } from "./password.ts";
import { AUTH_PATH, cookieOf, endSessions, isLocalHttp, readSession, type SignedIn, sessionCookie } from "./session.ts";
import { ownEntry, type SecondFactor, showSecondFactor, signIn } from "./sign-in.ts";
import { unauthorized } from "./tokens.ts";
import { countTry, forgiveStatements, refuseFlood } from "./tries.ts";
import { revokeLinksStatement } from "./users.ts";

const EMAIL_MAX_CHARS = 254;
const CODE_MAX_CHARS = 32;

/** An address, in lower case: nobody has two accounts that differ in capitals. */
export const emailField = z.email().max(EMAIL_MAX_CHARS).toLowerCase().meta({ example: "ann@example.com" });
export const passwordField = z.string().min(1).max(PASSWORD_MAX_CHARS);

/** Before all that a page does without a token: only the console's own pages may, and say in the audit log from where. */
export const fromConsole: MiddlewareHandler<AppEnv> = async (c, next) => {
  refuseCrossSite(c.req.raw);
  await refuseFlood(c.env, c.req.raw.headers);
  await requireAccess(c.req.raw.headers, c.env);
  await withOrigin(c, next);
};

const HOW = "For the console's pages: from the same origin, with the header X-Requested-With: alive-console.";
const confirming = z.strictObject({ password: passwordField });
const backupCodes = z.array(z.string()).meta({ description: "Each works once. Shown this once.", example: ["a1B2c-3D4e5"] });

function door<B extends z.ZodType, A extends z.ZodType>(path: string, summary: string, body: B, answer: A) {
  return createRoute({
    method: "post",
    path: `${AUTH_PATH}${path}`,
    tags: ["Sign-in"],
    summary,
    description: HOW,
    request: { body: { required: true, content: { "application/json": { schema: body } } } },
    responses: responses(200, "Done", answer),
  });
}

/** Sign-in at the console, and what people do with their own password and second factor. */
export const signInRoutes = createRouter();

signInRoutes.openapi(
  door(
    "/sign-in/email",
    "Sign in",
    z.strictObject({ email: emailField, password: passwordField }),
    z.object({ two_factor_required: z.boolean().meta({ description: "A code is asked next; nobody is signed in before." }) }),
  ),
  async (c) => {
    const { email, password } = c.req.valid("json");
    const { secondFactorAsked } = await signIn(c, email, password, Date.now());
    return c.json({ two_factor_required: secondFactorAsked }, 200);
  },
);

const codeBody = z.strictObject({ code: z.string().trim().min(1).max(CODE_MAX_CHARS) });
const verified = z.object({ verified: z.literal(true) });

signInRoutes.openapi(
  door("/two-factor/verify-totp", "Show the authenticator's code, to sign in or to switch the second factor on", codeBody, verified),
  async (c) => await verify(c, "totp", c.req.valid("json").code),
);

signInRoutes.openapi(
  door("/two-factor/verify-backup-code", "Show a backup code, to sign in", codeBody, verified),
  async (c) => await verify(c, "backup_code", c.req.valid("json").code),
);

async function verify(c: AppContext, factor: SecondFactor, code: string) {
  const now = Date.now();
  const signedIn = await findSignedIn(c, now);
  if (signedIn && factor === "totp") {
    const beside: Beside = ({ table, kind, values }) =>
      table === "users" && kind === "change" && values.two_factor_enabled === 1
        ? [
            auditStatement(c.env.DB, ownEntry(signedIn.id, "enable_two_factor"), now),
            // Asked for and good in one: the library writes this by itself a moment later, and in between there may be no later.
            c.env.DB.prepare("UPDATE user_second_factors SET verified = 1 WHERE user_id = ?").bind(signedIn.id),
          ]
        : [];
    await askLibrary(c, "/two-factor/verify-totp", { code }, beside);
  } else if (!signedIn) {
    await showSecondFactor(c, factor, code, now);
  }
  return c.json({ verified: true as const }, 200);
}

const signOut = createRoute({
  method: "post",
  path: `${AUTH_PATH}/sign-out`,
  tags: ["Sign-in"],
  summary: "Sign out",
  description: HOW,
  responses: responses(200, "Nobody is signed in here any more", z.object({ signed_out: z.literal(true) })),
});

signInRoutes.openapi(signOut, async (c) => {
  const now = Date.now();
  const signedIn = await findSignedIn(c, now);
  if (signedIn) {
    await endSessions(c.env.DB, signedIn.session_id, [
      c.env.DB.prepare("DELETE FROM user_sessions WHERE id = ?").bind(signedIn.session_id),
      auditStatement(c.env.DB, ownEntry(signedIn.id, "sign_out"), now),
    ]);
  }
  forgetCookie(c);
  return c.json({ signed_out: true as const }, 200);
});

signInRoutes.openapi(
  door(
    "/change-password",
    "Change one's own password",
    z.strictObject({ current_password: passwordField, new_password: passwordField }),
    z.object({ changed: z.literal(true) }),
  ),
  async (c) => {
    const { current_password, new_password } = c.req.valid("json");
    const signedIn = await requireSignedIn(c);
    requireFitPassword(new_password, signedIn, "/new_password");
    const body = { currentPassword: current_password, newPassword: new_password, revokeOtherSessions: true };
    await confirmed(c, signedIn, "/change-password", body, ({ table, kind }, now) =>
      table === "user_accounts" && kind === "change"
        ? [
            auditStatement(c.env.DB, ownEntry(signedIn.id, "change_password"), now),
            c.env.DB.prepare("DELETE FROM user_sessions WHERE user_id = ?").bind(signedIn.id),
            // Who has a new password needs no link for another; whoever found one must not undo it.
            revokeLinksStatement(c.env.DB, signedIn.id, now),
          ]
        : [],
    );
    return c.json({ changed: true as const }, 200);
  },
);

signInRoutes.openapi(
  door(
    "/two-factor/enable",
    "Begin with a second factor: it is on when verify-totp was shown its first code",
    confirming,
    z.object({ totp_uri: z.string().meta({ example: "otpauth://totp/…" }), backup_codes: backupCodes }),
  ),
  async (c) => {
    const answer = await confirmed(c, await requireSignedIn(c), "/two-factor/enable", c.req.valid("json"), () => []);
    return c.json({ totp_uri: String(answer.totpURI), backup_codes: answer.backupCodes as string[] }, 200);
  },
);

signInRoutes.openapi(
  door("/two-factor/disable", "Switch the second factor off", confirming, z.object({ disabled: z.literal(true) })),
  async (c) => {
    const signedIn = await requireSignedIn(c);
    await confirmed(c, signedIn, "/two-factor/disable", c.req.valid("json"), ({ table, kind, values }, now) =>
      table === "users" && kind === "change" && values.two_factor_enabled === 0
        ? [
            auditStatement(c.env.DB, ownEntry(signedIn.id, "disable_two_factor"), now),
            c.env.DB.prepare("DELETE FROM user_second_factors WHERE user_id = ?").bind(signedIn.id),
          ]
        : [],
    );
    return c.json({ disabled: true as const }, 200);
  },
);

signInRoutes.openapi(
  door(
    "/two-factor/generate-backup-codes",
    "Make new backup codes; the old ones are void",
    confirming,
    z.object({ backup_codes: backupCodes }),
  ),
  async (c) => {
    const signedIn = await requireSignedIn(c);
    const answer = await confirmed(c, signedIn, "/two-factor/generate-backup-codes", c.req.valid("json"), ({ table, kind, values }, now) =>
      table === "user_second_factors" && kind === "change" && "backup_codes" in values
        ? [auditStatement(c.env.DB, ownEntry(signedIn.id, "new_backup_codes"), now)]
        : [],
    );
    return c.json({ backup_codes: answer.backupCodes as string[] }, 200);
  },
);

/** Does what takes one's password once more. Its tries count like those of sign-in: who found a browser open learns no password by it. */
async function confirmed(
  c: AppContext,
  signedIn: SignedIn,
  path: string,
  body: unknown,
  beside: (write: Parameters<Beside>[0], now: number) => D1PreparedStatement[],
) {
  return await withPasswordTurn(async () => {
    const now = Date.now();
    const tried = await countTry(c.env, c.req.raw.headers, signedIn.email, now);
    const answer = await askLibrary(c, path, body, (write) => beside(write, now));
    await c.env.DB.batch(forgiveStatements(c.env.DB, tried));
    return answer;
  });
}

async function findSignedIn(c: AppContext, now: number): Promise<SignedIn | null> {
  const cookie = cookieOf(c.req.raw);
  return cookie === null ? null : await readSession(c.env, cookie, now);
}

async function requireSignedIn(c: AppContext): Promise<SignedIn> {
  const signedIn = await findSignedIn(c, Date.now());
  if (!signedIn) throw unauthorized("The session has ended. Sign in again.", "SESSION_EXPIRED", "admin");
  return signedIn;
}

/** Takes the session cookie out of the browser. */
export function forgetCookie(c: AppContext): void {
  const url = new URL(c.req.url);
  const secure = !isLocalHttp(url);
  setCookie(c, sessionCookie(url), "", { path: "/", httpOnly: true, secure, sameSite: "Lax", maxAge: 0 });
}
