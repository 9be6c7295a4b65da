import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { sendOnce } from "./client.ts";
import type { ApiError } from "./error.ts";
import { queryClient } from "./query.ts";
import type { Me } from "./schema.ts";
import { keepApiToken, signedInAs } from "./session.ts";

export type { Me } from "./schema.ts";

export const ME_KEY = ["GET /v1/admin/me"];

/** Asks the server who is signed in. @throws ApiError (`signedOut` where nobody is). */
export async function readMe(): Promise<Me> {
  const me = (await (await sendOnce("GET", "/v1/admin/me")).json()) as Me;
  signedInAs.set(me.id);
  return me;
}

/** Who is signed in; null while that is not known. */
export function useMeQuery() {
  return useQuery<Me, ApiError>({ queryKey: ME_KEY, queryFn: readMe, staleTime: Number.POSITIVE_INFINITY });
}

/** Who is signed in. For components inside the frame, which is only there when somebody is. */
export function useMe(): Me {
  const { data } = useMeQuery();
  if (!data) throw new Error("nobody is signed in");
  return data;
}

/** What people may do, as the server judges too: `operate` is all that changes things but users, tokens and policies. */
export type Right = "operate" | "administer";

export function may({ role }: Pick<Me, "role">, right: Right): boolean {
  return role === "admin" || (right === "operate" && role === "operator");
}

export function useMay(right: Right): boolean {
  return may(useMe(), right);
}

/** Shows its children to those who may, and `otherwise` (nothing, if absent) to others. The server refuses them all the same. */
export function Can({ do: right, children, otherwise = null }: { do: Right; children: ReactNode; otherwise?: ReactNode }) {
  return useMay(right) ? children : otherwise;
}

/** Forgets everything of who was signed in, and shows the sign-in page. */
export function forgetMe(): void {
  keepApiToken(null);
  signedInAs.set(null);
  queryClient.clear();
  location.assign("/console");
}
