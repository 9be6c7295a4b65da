import { Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ApiError } from "../api/error.ts";
import { Fault } from "./fault.tsx";
import { type Crumb, PageHead } from "./page-head.tsx";

/**
 * A page about one thing, also while that comes, and where it does not come: then `kind` ("Store") is its title. `height` is about that of
 * what will stand there, in pixels.
 */
export function OneThing<T>({
  found,
  kind,
  crumbs,
  height = 320,
  children,
}: {
  found: UseQueryResult<T, ApiError>;
  kind: string;
  crumbs: Crumb[];
  height?: number;
  children: (thing: T) => ReactNode;
}) {
  if (found.data !== undefined) return children(found.data);
  if (found.error) {
    return (
      <>
        <PageHead title={kind} crumbs={crumbs} />
        <Fault error={found.error} retry={() => void found.refetch()} />
      </>
    );
  }
  return (
    <>
      <PageHead title={kind} crumbs={crumbs} line={<Skeleton h={18} w={320} maw="100%" />} />
      <Skeleton h={height} />
    </>
  );
}
