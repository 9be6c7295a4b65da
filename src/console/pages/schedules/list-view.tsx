import { Button } from "@mantine/core";
import { IconArchive, IconRestore, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { FilterBar, type Filters } from "../../parts/filters.tsx";
import { When } from "../../parts/when.tsx";
import { priorityOf } from "./calendar.ts";
import { type Network, targetName, whereOf } from "./places.ts";
import { type Schedule, wordsOfRules } from "./rules-words.ts";
import { deleteSchedule, setArchived } from "./schedules.ts";

/** All schedules, in words. */
export function ListView({ network, filters }: { network: Network; filters: Filters }) {
  const { q, target, playlist_id, archived = "false" } = filters.values;
  const isOperator = useMay("operate");
  const [removing, setRemoving] = useState<Schedule | null>(null);
  const where = whereOf(target);
  const schedules = useRows(
    "GET /v1/admin/schedules",
    { query: { q, playlist_id, target_id: where?.id, archived: archived as "true" | "false" } },
    { all: 5000 },
  );
  const columns: Column<Schedule>[] = [
    { id: "name", header: "Schedule", value: ({ name }) => name },
    { id: "target", header: "Plays on", value: ({ target_type, target_id }) => targetName(network, target_type, target_id) },
    { id: "playlist", header: "Playlist", value: (schedule) => network.playlists.get(schedule.playlist_id) ?? "…" },
    { id: "when", header: "When", value: ({ rules, timezone }) => wordsOfRules(rules, timezone) },
    { id: "priority", header: "Priority", number: true, value: priorityOf, width: 90 },
    {
      id: "changed",
      header: "Changed",
      value: ({ updated_at }) => Date.parse(updated_at),
      cell: ({ updated_at }) => <When at={updated_at} />,
      hidden: true,
    },
  ];
  const actions = (schedule: Schedule): RowAction[] => [
    schedule.archived_at === null
      ? { label: "Archive", icon: <IconArchive size={15} />, run: () => void setArchived(schedule, true) }
      : { label: "Restore", icon: <IconRestore size={15} />, run: () => void setArchived(schedule, false) },
    { label: "Delete", icon: <IconTrash size={15} />, run: () => setRemoving(schedule), destructive: true },
  ];
  const isFiltered = Boolean(q || target || playlist_id || archived === "true");
  return (
    <>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search schedules"
        list={[
          { key: "target", label: "Plays on", options: network.targets.flatMap(({ items }) => items) },
          { key: "playlist_id", label: "Playlist", options: [...network.playlists].map(([value, label]) => ({ value, label })) },
          { key: "archived", label: "Archived", options: [{ value: "true", label: "Archived only" }] },
        ]}
      />
      <DataTable
        name="schedules"
        noun={["schedule", "schedules"]}
        source={schedules}
        columns={columns}
        rowId={({ id }) => id}
        href={({ id }) => `/schedules/${id}`}
        sortBy={{ id: "name" }}
        {...(isOperator ? { actions } : {})}
        empty={
          isFiltered
            ? { text: "No schedule is like that." }
            : {
                text: "There are no schedules yet. Say when a playlist plays, and screens play it.",
                action: isOperator && (
                  <Button component={Link} href="/schedules/new">
                    Add schedule
                  </Button>
                ),
              }
        }
      />
      {removing && (
        <ConfirmName
          opened
          onClose={() => setRemoving(null)}
          name={removing.name}
          title="Delete schedule"
          doing="Delete schedule"
          onConfirm={() => deleteSchedule(removing)}
        >
          It goes for good, and screens stop playing by it. To keep it, archive it.
        </ConfirmName>
      )}
    </>
  );
}
