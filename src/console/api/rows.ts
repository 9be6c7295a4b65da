import type { UseQueryResult } from "@tanstack/react-query";
import type { ApiError } from "./error.ts";
import type { Rows } from "./query.ts";

/** The rows of a read that has them all at once, in the form that `DataTable` takes. */
export function asRows<A, T>(found: UseQueryResult<A, ApiError>, of: (answer: A) => T[]): Rows<T> {
  return {
    rows: found.data === undefined ? [] : of(found.data),
    pending: found.isPending,
    loading: found.isFetching,
    error: found.error,
    at: found.dataUpdatedAt,
    hasMore: false,
    loadMore: () => {},
    refresh: () => void found.refetch(),
  };
}
