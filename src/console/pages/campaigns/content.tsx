import { Anchor, Stack } from "@mantine/core";
import { Link } from "wouter";
import { useRows } from "../../api/query.ts";
import type { Campaign, Playlist, ProofOfPlayRow } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { count, percent, span } from "../../parts/format.ts";
import { When } from "../../parts/when.tsx";

/** The playlists that play for a campaign, and what of its content was played. */
export function ContentTab({ campaign, from, to }: { campaign: Campaign; from: string; to: string }) {
  const playlists = useRows("GET /v1/admin/playlists", { query: { campaign_id: campaign.id, archived: "false" } }, { all: 500 });
  const played = useRows(
    "GET /v1/admin/reports/proof-of-play",
    { query: { group_by: "content", from, to, campaign_id: [campaign.id] } },
    { all: 2000 },
  );
  return (
    <Stack gap="lg" style={{ "--table-height": "none" } as React.CSSProperties}>
      <section aria-labelledby="playlists">
        <h2 className="section-title" id="playlists">
          Playlists that play for it
        </h2>
        <DataTable
          name="campaign-playlists"
          noun={["playlist", "playlists"]}
          source={playlists}
          columns={PLAYLIST_COLUMNS}
          rowId={({ id }) => id}
          href={({ id }) => `/playlists/${id}`}
          empty={{
            text: "No playlist plays for this campaign. Choose it in a playlist: what that plays is then billed to it.",
            action: (
              <Anchor component={Link} href="/playlists" size="sm">
                Open playlists
              </Anchor>
            ),
          }}
        />
      </section>
      <section aria-labelledby="played">
        <h2 className="section-title" id="played">
          What was played for it
        </h2>
        <DataTable
          name="campaign-content"
          noun={["content", "contents"]}
          source={played}
          columns={CONTENT_COLUMNS}
          rowId={({ content_id }) => content_id ?? "none"}
          href={({ content_id }) => `/reports?from=${from}&to=${to}&campaign_id=${campaign.id}&content_id=${content_id}`}
          sortBy={{ id: "plays", desc: true }}
          empty={{ text: "Nothing was played for it so far." }}
        />
      </section>
    </Stack>
  );
}

const PLAYLIST_COLUMNS: Column<Playlist>[] = [
  { id: "name", header: "Playlist", value: ({ name }) => name },
  { id: "tags", header: "Tags", value: ({ tags }) => tags.join(", ") },
  {
    id: "changed",
    header: "Changed",
    value: ({ updated_at }) => Date.parse(updated_at),
    cell: ({ updated_at }) => <When at={updated_at} />,
  },
];

const CONTENT_COLUMNS: Column<ProofOfPlayRow>[] = [
  { id: "content", header: "Content", value: ({ content_name, content_id }) => content_name ?? content_id ?? "unknown" },
  { id: "plays", header: "Played", number: true, value: ({ plays_count }) => plays_count, cell: ({ plays_count }) => count(plays_count) },
  {
    id: "completed",
    header: "Completed",
    number: true,
    value: ({ completed_count = 0, plays_count }) => (plays_count === 0 ? 0 : completed_count / plays_count),
    cell: ({ completed_count = 0, plays_count }) => (plays_count === 0 ? "–" : percent(completed_count / plays_count)),
  },
  {
    id: "billable",
    header: "Billable",
    number: true,
    value: ({ billable_count }) => billable_count,
    cell: ({ billable_count }) => count(billable_count),
  },
  {
    id: "duration",
    header: "Time shown",
    number: true,
    value: ({ total_duration_ms }) => total_duration_ms,
    cell: ({ total_duration_ms }) => (total_duration_ms === null ? "–" : span(total_duration_ms)),
  },
];
