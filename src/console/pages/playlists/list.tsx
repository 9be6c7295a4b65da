import { Button } from "@mantine/core";
import { IconArchive, IconPencil, IconPlus, IconRestore } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Can, useMay } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { plural } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { When } from "../../parts/when.tsx";
import { type Playlist, setArchived } from "./playlists.ts";

const PlaylistForm = later(async () => (await import("./playlist-form.tsx")).PlaylistForm);

const LINE = "What plays one after another, and how often each part of it appears.";

/** All playlists. */
export function PlaylistList() {
  const filters = useFilters(["q", "campaign_id", "tag", "archived"]);
  const { q, campaign_id, tag, archived = "false" } = filters.values;
  const isOperator = useMay("operate");
  const [form, setForm] = useState<{ playlist: Playlist | null } | null>(null);
  const playlists = useRows(
    "GET /v1/admin/playlists",
    { query: { q, campaign_id, tag, archived: archived as "true" | "false" } },
    { all: 5000 },
  );
  const campaigns = useRows("GET /v1/admin/campaigns", {}, { all: 2000 });
  const schedules = useRows("GET /v1/admin/schedules", { query: { archived: "false" } }, { all: 5000 });
  useShortcut({ keys: "n", label: "Add a playlist", group: "Playlists" }, () => setForm({ playlist: null }), isOperator);

  const campaignNames = useMemo(() => new Map(campaigns.rows.map(({ id, name }) => [id, name])), [campaigns.rows]);
  const uses = useMemo(() => {
    const found = new Map<string, number>();
    for (const { playlist_id } of schedules.rows) found.set(playlist_id, (found.get(playlist_id) ?? 0) + 1);
    return found;
  }, [schedules.rows]);

  const columns: Column<Playlist>[] = [
    { id: "name", header: "Playlist", value: ({ name }) => name },
    {
      id: "campaign",
      header: "Campaign",
      value: (playlist) => (playlist.campaign_id === null ? "Filler, not billed" : (campaignNames.get(playlist.campaign_id) ?? "…")),
    },
    {
      id: "schedules",
      header: "Played by",
      value: ({ id }) => uses.get(id) ?? 0,
      cell: ({ id }) => (uses.get(id) ? plural(uses.get(id) ?? 0, "schedule") : "No schedule"),
    },
    { id: "tags", header: "Tags", value: ({ tags }) => tags.join(", ") },
    {
      id: "changed",
      header: "Changed",
      value: ({ updated_at }) => Date.parse(updated_at),
      cell: ({ updated_at }) => <When at={updated_at} />,
    },
  ];

  return (
    <>
      <PageHead
        title="Playlists"
        line={LINE}
        action={
          <Can do="operate">
            <Button leftSection={<IconPlus size={16} />} onClick={() => setForm({ playlist: null })}>
              Add playlist
            </Button>
          </Can>
        }
      />
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search playlists"
        list={[
          { key: "campaign_id", label: "Campaign", options: campaigns.rows.map(({ id, name }) => ({ value: id, label: name })) },
          { key: "tag", label: "Tag" },
          { key: "archived", label: "Archived", options: [{ value: "true", label: "Archived only" }] },
        ]}
      />
      <DataTable
        name="playlists"
        noun={["playlist", "playlists"]}
        source={playlists}
        columns={columns}
        rowId={({ id }) => id}
        href={({ id }) => `/playlists/${id}`}
        sortBy={{ id: "name" }}
        {...(isOperator
          ? {
              actions: (playlist: Playlist) => [
                { label: "Edit", icon: <IconPencil size={15} />, run: () => setForm({ playlist }) },
                playlist.archived_at === null
                  ? { label: "Archive", icon: <IconArchive size={15} />, run: () => void setArchived(playlist, true) }
                  : { label: "Restore", icon: <IconRestore size={15} />, run: () => void setArchived(playlist, false) },
              ],
            }
          : {})}
        empty={
          Object.keys(filters.values).length > 0
            ? {
                text: "No playlist is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : {
                text: "There are no playlists yet. Add one, and put content into it.",
                action: isOperator && <Button onClick={() => setForm({ playlist: null })}>Add playlist</Button>,
              }
        }
      />
      {form && <PlaylistForm key={form.playlist?.id ?? "new"} playlist={form.playlist} onClose={() => setForm(null)} />}
    </>
  );
}
