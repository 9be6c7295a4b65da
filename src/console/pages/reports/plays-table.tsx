import { Alert, Badge, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { call } from "../../api/client.ts";
import type { ApiError } from "../../api/error.ts";
import type { Rows } from "../../api/query.ts";
import type { PlayOfReport, PlaysOfReport } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { percent, plural, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { State } from "../../parts/state.tsx";
import type { PlaysAsked } from "./plays-asked.ts";
import { At, flagWords, STATUS } from "./words.tsx";

const PAGE_ROWS = 200;

interface Found extends Rows<PlayOfReport> {
  source: PlaysOfReport["source"] | null;
  damaged: PlaysOfReport["damaged"];
}

/** The plays of a day. Pages of the archive may be empty while there is more: they are followed until something is there to be seen. */
function usePlays({ filters, status, billable }: PlaysAsked, day: string): Found {
  const query = {
    day,
    ...filters,
    ...(status ? { status } : {}),
    ...(billable ? { billable: "true" as const } : {}),
    limit: PAGE_ROWS,
  };
  const found = useInfiniteQuery<PlaysOfReport, ApiError, { pages: PlaysOfReport[] }, readonly unknown[], string | undefined>({
    queryKey: ["GET /v1/admin/plays", null, query, "rows"],
    queryFn: ({ signal, pageParam }) => call("GET /v1/admin/plays", { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    refetchOnWindowFocus: false,
  });
  const { data, hasNextPage, isFetchingNextPage, isError, fetchNextPage, refetch } = found;
  const rows = useMemo(() => (data?.pages ?? []).flatMap(({ items }) => items), [data]);
  const wants = hasNextPage && !isFetchingNextPage && !isError && rows.length < PAGE_ROWS;
  useEffect(() => {
    if (wants) void fetchNextPage();
  }, [wants, fetchNextPage]);
  return {
    rows,
    pending: (found.isPending && found.error === null) || (rows.length === 0 && (wants || isFetchingNextPage)),
    loading: found.isFetching,
    error: found.error,
    at: found.dataUpdatedAt,
    hasMore: hasNextPage,
    loadMore: () => void fetchNextPage(),
    refresh: () => void refetch(),
    source: data?.pages[0]?.source ?? null,
    damaged: (data?.pages ?? []).flatMap(({ damaged }) => damaged),
  };
}

/** Single plays of a day, each a step from its proof. */
export function PlaysTable({ asked, day }: { asked: PlaysAsked; day: string }) {
  const found = usePlays(asked, day);
  return (
    <>
      {found.damaged.length > 0 && (
        <Alert color="red" icon={<IconAlertTriangle size={18} />} mb="sm" title="A part of the archive cannot be read">
          {plural(found.damaged.length, "segment")} of this day could not be read; their plays are missing in this list, though they are in
          the sums.
        </Alert>
      )}
      {found.source && (
        <Text size="sm" c="dimmed" mb="sm">
          {found.source === "events"
            ? "From the single plays in the database, newest first."
            : "From the day's files in the archive, in the order in which they were recorded."}
        </Text>
      )}
      <DataTable
        name="plays"
        noun={["play", "plays"]}
        source={found}
        columns={asked.filters.device_id?.length === 1 ? COLUMNS.filter(({ id }) => id !== "device") : COLUMNS}
        rowId={({ device_id, event_id }) => `${device_id} ${event_id}`}
        href={proofHref}
        empty={{ text: "No play of this day is like that." }}
      />
    </>
  );
}

function proofHref({ device_id, event_id, day, segment_id }: PlayOfReport): string {
  const search = new URLSearchParams({ day, ...(segment_id ? { segment_id } : {}) });
  return `/reports/plays/${device_id}/${encodeURIComponent(event_id)}?${search}`;
}

const COLUMNS: Column<PlayOfReport>[] = [
  {
    id: "started",
    header: "Started, store time",
    value: ({ started_at }) => Date.parse(started_at),
    cell: ({ started_at, timezone }) => <At at={started_at} zone={timezone} />,
  },
  { id: "device", header: "Device", value: ({ device_name, device_id }) => device_name ?? device_id },
  { id: "content", header: "Content", value: ({ content_name, content_id }) => content_name ?? content_id },
  {
    id: "campaign",
    header: "Campaign",
    value: ({ campaign_name, campaign_id }) => campaign_name ?? campaign_id ?? "Filler",
    cell: ({ campaign_name, campaign_id }) => (
      <span className="clip" title={campaign_name ?? ""}>
        {campaign_name ?? campaign_id ?? "Filler"}
      </span>
    ),
  },
  {
    id: "result",
    header: "Status",
    value: ({ result }) => result,
    cell: ({ result }) => <State value={STATUS[result].state}>{STATUS[result].word}</State>,
  },
  {
    id: "billable",
    header: "Billable",
    value: ({ billable }) => (billable ? 1 : 0),
    cell: ({ billable }) => (billable ? "yes" : <Quiet>no</Quiet>),
  },
  {
    id: "duration",
    header: "Lasted",
    number: true,
    value: ({ duration_ms }) => duration_ms,
    cell: ({ duration_ms, expected_ms }) => (
      <span title={expected_ms === null ? "Nobody knows how long it should last" : `Should last ${span(expected_ms)}`}>
        {span(duration_ms)}
      </span>
    ),
  },
  { id: "flags", header: "Flags", value: ({ flags }) => flags.join(", "), cell: ({ flags }) => <Flags flags={flags} /> },
  { id: "quality", header: "Quality", number: true, value: ({ quality }) => quality, cell: ({ quality }) => percent(quality / 100, 0) },
  { id: "door", header: "Door", value: ({ door }) => door },
  { id: "sequence", header: "Number", number: true, value: ({ sequence }) => sequence, hidden: true },
  { id: "store", header: "Store", value: ({ store_name }) => store_name, hidden: true },
  {
    id: "received",
    header: "Received",
    value: ({ received_at }) => Date.parse(received_at),
    cell: ({ received_at, timezone }) => <At at={received_at} zone={timezone} withDay />,
    hidden: true,
  },
  {
    id: "event",
    header: "Play",
    value: ({ event_id }) => event_id,
    cell: ({ event_id }) => <Id value={event_id} label="play id" />,
    hidden: true,
  },
];

function Quiet({ children }: { children: React.ReactNode }) {
  return (
    <Text component="span" inherit c="dimmed">
      {children}
    </Text>
  );
}

function Flags({ flags }: { flags: string[] }) {
  if (flags.length === 0) return <Quiet>none</Quiet>;
  return (
    <Group gap={4} wrap="nowrap">
      {flags.map((flag) => (
        <Badge key={flag} color="gray" size="sm">
          {flagWords(flag)}
        </Badge>
      ))}
    </Group>
  );
}
