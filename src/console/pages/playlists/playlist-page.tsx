import { Anchor, Button, Grid, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconArchive, IconPencil, IconRestore } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRead, useRows } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { wordsOfRules } from "../schedules/rules-words.ts";
import { ItemsEditor } from "./items-editor.tsx";
import { type PlaylistWithItems, setArchived } from "./playlists.ts";

const PlaylistForm = later(async () => (await import("./playlist-form.tsx")).PlaylistForm);

const CRUMBS = [{ label: "Playlists", to: "/playlists" }];

/** One playlist: its items in their order, and what plays it. */
export default function PlaylistPage({ id }: { id: string }) {
  const found = useRead("GET /v1/admin/playlists/{id}", { path: { id } });
  if (found.error && !found.data) {
    return (
      <>
        <PageHead title="Playlist" crumbs={CRUMBS} />
        <Fault error={found.error} retry={() => void found.refetch()} />
      </>
    );
  }
  if (!found.data) {
    return (
      <>
        <PageHead title="Playlist" crumbs={CRUMBS} line={<Skeleton h={18} w={320} />} />
        <Skeleton h={320} />
      </>
    );
  }
  return <Found playlist={found.data} />;
}

function Found({ playlist }: { playlist: PlaylistWithItems }) {
  const isOperator = useMay("operate");
  const [editing, setEditing] = useState(false);
  const [dirty, setDirty] = useState(false);
  // What is edited stays what it was, whatever is read meanwhile, until it is saved or nothing was changed.
  const [base, setBase] = useState(playlist);
  useEffect(() => {
    if (!dirty) setBase(playlist);
  }, [dirty, playlist]);
  useShortcut({ keys: "e", label: "Edit this playlist's name and campaign", group: "Playlists" }, () => setEditing(true), isOperator);
  return (
    <>
      <PageHead
        title={playlist.name}
        crumbs={CRUMBS}
        line={
          <Group gap="md">
            {playlist.archived_at && <State value="unknown">Archived</State>}
            <Campaign playlist={playlist} />
          </Group>
        }
        action={
          isOperator && (
            <>
              <Button
                variant="default"
                leftSection={playlist.archived_at ? <IconRestore size={16} /> : <IconArchive size={16} />}
                onClick={() => void setArchived(playlist, playlist.archived_at === null)}
              >
                {playlist.archived_at ? "Restore" : "Archive"}
              </Button>
              <Button variant="default" leftSection={<IconPencil size={16} />} onClick={() => setEditing(true)}>
                Edit
              </Button>
            </>
          )
        }
      />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 9 }}>
          <ItemsEditor
            key={`${base.version} ${base.id}`}
            playlist={base}
            canEdit={isOperator && playlist.archived_at === null}
            onDirty={setDirty}
            onSaved={() => setDirty(false)}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 3 }}>
          <PlayedBy id={playlist.id} />
        </Grid.Col>
      </Grid>
      {editing && <PlaylistForm playlist={playlist} onClose={() => setEditing(false)} />}
    </>
  );
}

function Campaign({ playlist }: { playlist: PlaylistWithItems }) {
  const campaign = useRead(
    "GET /v1/admin/campaigns/{id}",
    { path: { id: playlist.campaign_id ?? "" } },
    { enabled: playlist.campaign_id !== null },
  );
  if (playlist.campaign_id === null) return <span>Filler: counted, not billed</span>;
  return (
    <span>
      For{" "}
      <Anchor component={Link} href={`/campaigns/${playlist.campaign_id}`} inherit>
        {campaign.data?.name ?? "a campaign"}
      </Anchor>
      {campaign.data ? ` of ${campaign.data.brand_name}` : ""}
    </span>
  );
}

function PlayedBy({ id }: { id: string }) {
  const schedules = useRows("GET /v1/admin/schedules", { query: { playlist_id: id, archived: "false" } }, { all: 500 });
  const groups = useRows("GET /v1/admin/device-groups", { query: { default_playlist_id: id } }, { all: 500 });
  const nobody = !schedules.pending && !groups.pending && schedules.rows.length + groups.rows.length === 0;
  return (
    <Panel title="What plays it?">
      {schedules.error && <Fault error={schedules.error} retry={schedules.refresh} />}
      {schedules.pending && <Skeleton h={14} />}
      <Stack gap="xs">
        {schedules.rows.map((schedule) => (
          <div key={schedule.id}>
            <Anchor component={Link} href={`/schedules/${schedule.id}`} size="sm">
              {schedule.name}
            </Anchor>
            <Text size="xs" c="dimmed">
              {wordsOfRules(schedule.rules, schedule.timezone)}
            </Text>
          </div>
        ))}
        {groups.rows.map((group) => (
          <Text key={group.id} size="sm">
            Default of {group.name}
          </Text>
        ))}
        {nobody && !schedules.error && (
          <Text size="sm" c="dimmed">
            Nothing yet.{" "}
            <Anchor component={Link} href="/schedules" inherit>
              Schedule it
            </Anchor>
            , and screens play it.
          </Text>
        )}
      </Stack>
    </Panel>
  );
}
