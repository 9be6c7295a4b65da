import {
  QueryClient,
  type UseMutationResult,
  type UseQueryOptions,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
} from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { type Answer, type Call, type CallArguments, type CallOptions, call, type Item, type PagedRead, type Read } from "./client.ts";
import { ApiError } from "./error.ts";

const MAX_RETRIES = 6;
const LONGEST_WAIT_MS = 15_000;
/** What was read this lately is shown without asking again. */
const FRESH_MS = 10_000;

/** A read that found no server is tried again, ever more slowly; one that was refused is not. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The browser's own guess of being online is wrong in shops' back rooms: calls are made, and say.
      networkMode: "always",
      staleTime: FRESH_MS,
      retry: (failures, error) => error instanceof ApiError && error.transient && failures < MAX_RETRIES,
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, LONGEST_WAIT_MS),
    },
    mutations: { networkMode: "always" },
  },
});

const PAGES_REREAD_OFTEN = 3;
const LONG_LIST_EVERY_MS = 5 * 60_000;

type ReadOptions<C extends Read> = Partial<Pick<UseQueryOptions<Answer<C>, ApiError>, "enabled" | "refetchInterval" | "staleTime">>;

/** Reads by one call, kept and shared by its address. */
export function useRead<C extends Read>(name: C, options: CallOptions<C>, more: ReadOptions<C> = {}): UseQueryResult<Answer<C>, ApiError> {
  return useQuery<Answer<C>, ApiError>({
    queryKey: keyOf(name, options),
    queryFn: ({ signal }) => call(name, ...([{ ...options, signal }] as unknown as CallArguments<C>)),
    ...more,
  });
}

/** What the hooks of lists give: the rows so far, and how to get more. Takes the place of a query's result for `DataTable`. */
export interface Rows<T> {
  rows: T[];
  /** Nothing has come yet. */
  pending: boolean;
  /** More is on its way. */
  loading: boolean;
  error: ApiError | null;
  /** When the rows came, in ms; 0 before. */
  at: number;
  hasMore: boolean;
  loadMore: () => void;
  refresh: () => void;
}

/**
 * The rows of a paged read. With `all`, the pages that follow are fetched one after another, up to that many rows: for lists that are
 * sorted and searched in the page.
 */
export function useRows<C extends PagedRead>(
  name: C,
  options: CallOptions<C>,
  { all = 0, refetchInterval }: { all?: number; refetchInterval?: number } = {},
): Rows<Item<C>> {
  const found = useInfiniteQuery<Answer<C>, ApiError, { pages: Answer<C>[] }, readonly unknown[], string | undefined>({
    queryKey: [...keyOf(name, options), "rows"],
    queryFn: ({ signal, pageParam }) =>
      call(
        name,
        ...([
          { ...options, query: { limit: pageLimit(all, pageParam), ...(options.query as object | undefined), cursor: pageParam }, signal },
        ] as unknown as CallArguments<C>),
      ),
    initialPageParam: undefined,
    // To compare thousands of rows with those of before costs more than to draw the few that are in view.
    structuralSharing: false,
    getNextPageParam: (page) => (page as unknown as { next_cursor: string | null }).next_cursor ?? undefined,
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= PAGES_REREAD_OFTEN,
    // A long list is read again by whole pages one after the other: seldom by itself, and whenever somebody asks.
    ...(refetchInterval === undefined
      ? {}
      : {
          refetchInterval: ({ state }) =>
            (state.data?.pages.length ?? 0) > PAGES_REREAD_OFTEN ? Math.max(refetchInterval, LONG_LIST_EVERY_MS) : refetchInterval,
        }),
  });
  const { data, hasNextPage, isFetchingNextPage, isError, fetchNextPage, refetch } = found;
  const fetched = (data?.pages ?? []).reduce((sum, page) => sum + (page as unknown as { items: unknown[] }).items.length, 0);
  const goesOn = hasNextPage && !isError && fetched < all;
  const shown = goesOn ? pagesShown(data?.pages.length ?? 0) : (data?.pages.length ?? 0);
  const rows = useMemo(
    () => (data?.pages ?? []).slice(0, shown).flatMap((page) => (page as unknown as { items: Item<C>[] }).items),
    [data, shown],
  );
  const wants = goesOn && !isFetchingNextPage;
  useEffect(() => {
    if (wants) void fetchNextPage();
  }, [wants, fetchNextPage]);
  return {
    rows,
    pending: found.isPending && found.error === null,
    loading: found.isFetching,
    error: rows.length === 0 || found.isFetchNextPageError || found.isRefetchError ? found.error : null,
    at: found.dataUpdatedAt,
    hasMore: hasNextPage,
    loadMore: () => void fetchNextPage(),
    refresh: () => void refetch(),
  };
}

const FIRST_PAGE_ROWS = 200;
const NEXT_PAGE_ROWS = 1000;

/** How many rows to ask for: few at first, so that something is there soon, then as many as there may be. */
function pageLimit(all: number, cursor: string | undefined): number | undefined {
  if (all === 0) return undefined;
  if (cursor === undefined) return Math.min(FIRST_PAGE_ROWS, all);
  return Math.min(NEXT_PAGE_ROWS, Math.max(FIRST_PAGE_ROWS, all - FIRST_PAGE_ROWS));
}

/** Of a list that is still coming, so many pages are shown: 1, 4, 16 …, since each time all of it is sorted anew. */
function pagesShown(fetched: number): number {
  return fetched === 0 ? 0 : 4 ** Math.floor(Math.log(fetched) / Math.log(4));
}

/** A query's key: the call, and what narrows it. */
function keyOf(name: Call, { path, query }: { path?: unknown; query?: unknown }): readonly unknown[] {
  return [name, path ?? null, query ?? null];
}

/** Reads again all that stands under one of these paths, such as `/v1/admin/devices`, where it is shown. */
export async function readAgain(...paths: string[]): Promise<void> {
  await queryClient.invalidateQueries({
    predicate: ({ queryKey: [name] }) => paths.some((path) => String(name).split(" ")[1]?.startsWith(path)),
  });
}

/**
 * A call that changes something; after it, everything under its resource (`/v1/admin/devices/{id}/revoke` → `/v1/admin/devices`) is read
 * again, and what stands under `also`.
 */
export function useChange<C extends Call>(name: C, also: string[] = []): UseMutationResult<Answer<C>, ApiError, CallOptions<C>> {
  return useMutation<Answer<C>, ApiError, CallOptions<C>>({
    mutationFn: (options) => call(name, ...([options] as unknown as CallArguments<C>)),
    onSuccess: () => readAgain(resourceOf(name), ...also),
  });
}

function resourceOf(name: Call): string {
  return (name.split(" ")[1] ?? "").split("/").slice(0, 4).join("/");
}
