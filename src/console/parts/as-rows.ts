import type { UseQueryResult } from "@tanstack/react-query";
import type { ApiError } from "../api/error.ts";
import type { Rows } from "../api/query.ts";

/** A plain read as the source of a `DataTable`: all its rows at once. */
export function asRows<A, T>(found: UseQueryResult<A, ApiError>, rowsOf: (answer: A) => T[]): Rows<T> {
  return {
    rows: found.data === undefined ? none<T>() : rowsOf(found.data),
    pending: found.isPending && found.error === null,
    loading: found.isFetching,
    error: found.error,
    at: found.dataUpdatedAt,
    hasMore: false,
    loadMore: () => {},
    refresh: () => void found.refetch(),
  };
}

const EMPTY: never[] = [];
/** The same each time, so that a table does not take it for news. */
const none = <T>(): T[] => EMPTY;
