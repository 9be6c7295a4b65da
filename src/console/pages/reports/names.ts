import { useQueries, useQuery } from "@tanstack/react-query";
import { addressOf, send } from "../../api/client.ts";
import type { ApiError } from "../../api/error.ts";
import { shortId } from "../../parts/format.ts";
import { DIMENSIONS, type Dimension } from "./asked.ts";

type Named = { id: string } & Record<string, unknown>;

const NONE: Record<Dimension, string> = {
  campaign_id: "Filler",
  ad_group_id: "No ad group",
  store_id: "No store",
  supplier_id: "No supplier",
  content_id: "No content",
  device_id: "No device",
};
/** Names change seldom. */
const NAMES_FRESH_MS = 60_000;

/** What ids are called. What one may not read keeps its short id. */
export function useNames(dimension: Dimension, ids: string[]): string[] {
  const { path, name } = DIMENSIONS[dimension];
  const found = useQueries({
    queries: ids.map((id) => ({
      queryKey: [`GET ${path}/{id}`, { id }, null, "name"],
      enabled: id !== "none",
      staleTime: NAMES_FRESH_MS,
      retry: false,
      queryFn: async () => String(((await (await send("GET", `${path}/${id}`)).json()) as Named)[name] ?? id),
    })),
  });
  return ids.map((id, index) => (id === "none" ? NONE[dimension] : (found[index]?.data ?? shortId(id))));
}

const MOST_FOUND = 30;

/** Things of a kind whose name holds what was typed. */
export function useFound(dimension: Dimension, typed: string, enabled: boolean) {
  const { path, name } = DIMENSIONS[dimension];
  return useQuery<{ value: string; label: string }[], ApiError>({
    queryKey: [`GET ${path}`, "choose", typed],
    enabled,
    retry: false,
    queryFn: async () => {
      const answer = await send("GET", addressOf(path, { query: { q: typed, limit: MOST_FOUND } }));
      const { items } = (await answer.json()) as { items: Named[] };
      return items.map((item) => ({ value: item.id, label: String(item[name] ?? item.id) }));
    },
  });
}

export function noneOf(dimension: Dimension): string {
  return NONE[dimension];
}
