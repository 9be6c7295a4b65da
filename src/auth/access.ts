import type { MiddlewareHandler } from "hono";
import { Problem } from "../platform/errors.ts";
import type { AppContext, AppEnv } from "../platform/http.ts";
import { type Access, actorOf, callersOf, type Principal, refusalOf, type ViewerScope } from "./principal.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who shows a token that is in force: it is not allowed anything yet. Set by `requireAdmin`. */
    caller: Principal;
    /** Who may do what the route does. Set by {@link authorize}, together with `actor`; absent before. */
    principal: Principal | undefined;
  }
}

/** What every administrator's route spreads into its `createRoute`: who may call it, enforced and told in OpenAPI. */
export function guarded(access: Access) {
  const guard: MiddlewareHandler<AppEnv> = async (c, next) => {
    authorize(c, access);
    await next();
  };
  const callers = callersOf(access);
  const session = { session: callers };
  return { security: access.level === "own" ? [session] : [{ admin: callers }, session], middleware: [guard] };
}

/**
 * Lets the caller on, and names it for the audit log.
 * @throws Problem `forbidden` where it may not do this.
 */
export function authorize(c: AppContext, access: Access): void {
  const caller = c.get("caller");
  const refusal = refusalOf(caller, access);
  if (refusal !== null) {
    const scoped = caller.role === "viewer" && access.level === "read";
    throw new Problem("forbidden", refusal, scoped ? { code: "OUT_OF_SCOPE" } : {});
  }
  c.set("principal", caller);
  c.set("actor", actorOf(caller));
}

/** Who does what the route does. @throws Error where the route has not said who may. */
export function principalOf(c: AppContext): Principal {
  const principal = c.get("principal");
  if (!principal) throw new Error("the route does not say who may call it");
  return principal;
}

/** What the rows of an answer must be narrowed to; null: nothing, who asks sees the whole network. */
export function viewerScope(c: AppContext): ViewerScope | null {
  const principal = principalOf(c);
  return principal.role === "viewer" ? principal.scope : null;
}
