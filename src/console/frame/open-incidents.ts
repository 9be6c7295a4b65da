import { useRead } from "../api/query.ts";

const EVERY_MS = 30_000;

/** How many incidents are open, and whether there are more than were counted; null while not known, or where one may not see them, or none is. */
export function useOpenIncidents(): { count: number; more: boolean } | null {
  const { data } = useRead("GET /v1/admin/incidents", { query: { state: "open", limit: 200 } }, { refetchInterval: EVERY_MS });
  return data && data.items.length > 0 ? { count: data.items.length, more: data.next_cursor !== null } : null;
}
