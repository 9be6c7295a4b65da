import { Anchor, Badge, Button, FileButton, Grid, Group, Skeleton, Stack, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconDownload, IconPencil, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/me.ts";
import { type Rows, useRead, useRows } from "../../api/query.ts";
import { ArchiveButton } from "../../parts/archive.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { keep } from "../../parts/download.ts";
import { Facts } from "../../parts/facts.tsx";
import { Fault } from "../../parts/fault.tsx";
import { bytes, plural, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { later } from "../../parts/later.tsx";
import { failed } from "../../parts/notes.tsx";
import { OneThing } from "../../parts/one-thing.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { ACCEPTED, type Content, setArchived, typeName, type Version } from "./content.ts";
import { fetchFile, Preview } from "./preview.tsx";
import { addUploads } from "./uploads.ts";
import { UploadsPanel } from "./uploads-panel.tsx";

const ContentForm = later(async () => (await import("./content-form.tsx")).ContentForm);

const CRUMBS = [{ label: "Content", to: "/content" }];

/** One piece of content: what it looks like, its versions, and where it is used. */
export default function ContentPage({ id }: { id: string }) {
  const found = useRead("GET /v1/admin/content/{id}", { path: { id } });
  return (
    <OneThing found={found} kind="Content" crumbs={CRUMBS}>
      {(content) => <Found content={content} />}
    </OneThing>
  );
}

function Found({ content }: { content: Content }) {
  const { id } = content;
  const isOperator = useMay("operate");
  const [editing, setEditing] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const versions = useRows("GET /v1/admin/content-versions", { query: { content_id: id } }, { all: 1000 });
  const newestFirst: Rows<Version> = { ...versions, rows: [...versions.rows].sort((a, b) => (a.created_at < b.created_at ? 1 : -1)) };
  const playlists = useRows("GET /v1/admin/playlists", { query: { content_id: id, archived: "false" } }, { all: 1000 });
  const version = newestFirst.rows.find((one) => one.id === chosen) ?? newestFirst.rows[0];
  useShortcut({ keys: "e", label: "Edit this content", group: "Content" }, () => setEditing(true), isOperator);
  const canUpload = isOperator && content.archived_at === null;

  return (
    <>
      <PageHead
        title={content.name}
        crumbs={CRUMBS}
        line={
          <Group gap="md">
            {content.archived_at && <State value="unknown">Archived</State>}
            <span>{typeName(content.type)}</span>
            <span>{versions.pending ? "…" : plural(versions.rows.length, "version")}</span>
            <span>
              {playlists.pending ? "…" : playlists.rows.length === 0 ? "In no playlist" : `In ${plural(playlists.rows.length, "playlist")}`}
            </span>
            {content.tags.map((tag) => (
              <Badge key={tag} color="gray">
                {tag}
              </Badge>
            ))}
          </Group>
        }
        action={
          isOperator && (
            <>
              <ArchiveButton archived={content.archived_at !== null} set={(archived) => setArchived(content, archived)} />
              <Button variant="default" leftSection={<IconPencil size={16} />} onClick={() => setEditing(true)}>
                Edit
              </Button>
              {canUpload && (
                <FileButton accept={ACCEPTED} onChange={(file) => file && addUploads([file], id)}>
                  {({ onClick }) => (
                    <Button leftSection={<IconUpload size={16} />} onClick={onClick}>
                      Upload a version
                    </Button>
                  )}
                </FileButton>
              )}
            </>
          )
        }
      />
      {canUpload && (
        <Dropzone.FullScreen active onDrop={(files) => addUploads(files.slice(0, 1), id)} multiple={false}>
          <div className="drop-here">
            <IconUpload size={32} stroke={1.4} aria-hidden />
            <Text fw={500}>Drop a file: it becomes a version of {content.name}</Text>
          </div>
        </Dropzone.FullScreen>
      )}
      <UploadsPanel />
      <Grid gap="md" mb="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          {version ? <Preview key={version.id} content={content} version={version} /> : <div className="preview" />}
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="md">
            {version && (
              <Panel title={version === newestFirst.rows[0] ? "Newest version" : "Version"}>
                <VersionFacts content={content} version={version} />
              </Panel>
            )}
            <UsedIn playlists={playlists} />
          </Stack>
        </Grid.Col>
      </Grid>
      <h2 className="panel-title" style={{ marginBottom: 8 }}>
        Versions
      </h2>
      <DataTable
        name="content-versions"
        noun={["version", "versions"]}
        source={newestFirst}
        columns={COLUMNS}
        rowId={(row) => row.id}
        actions={(row) => [
          { label: "Look at it", run: () => setChosen(row.id) },
          ...(row.bytes === null ? [] : [{ label: "Download", run: () => void download(content, row) }]),
        ]}
        empty={{ text: "It has no file yet. Drop one here, and screens can play it." }}
      />
      {editing && <ContentForm content={content} onClose={() => setEditing(false)} />}
    </>
  );
}

function VersionFacts({ content, version }: { content: Content; version: Version }) {
  const rows: [string, React.ReactNode][] = [
    ["Kind", version.mime ?? typeName(content.type)],
    [
      "Length",
      version.duration_ms === null ? (content.type === "video" ? "Not known" : "As its playlist says") : span(version.duration_ms),
    ],
    ["Size", version.bytes === null ? "–" : bytes(version.bytes)],
    ["SHA-256", <Id key="sha" value={version.sha256} label="hash" />],
    ...(version.url ? ([["Address", version.url]] as [string, React.ReactNode][]) : []),
    ["Added", <When key="when" at={version.created_at} />],
    ["Content id", <Id key="id" value={content.id} label="content id" />],
  ];
  return (
    <>
      <Facts rows={rows} />
      {version.bytes !== null && (
        <Button
          mt="xs"
          size="compact-sm"
          variant="default"
          leftSection={<IconDownload size={14} />}
          onClick={() => void download(content, version)}
        >
          Download
        </Button>
      )}
    </>
  );
}

function UsedIn({ playlists }: { playlists: Rows<{ id: string; name: string }> }) {
  return (
    <Panel title="Where is it used?">
      {playlists.error && <Fault error={playlists.error} retry={playlists.refresh} />}
      {playlists.pending && <Skeleton h={14} />}
      {!playlists.pending && playlists.rows.length === 0 && !playlists.error && (
        <Text size="sm" c="dimmed">
          In no playlist. Add it to one, and schedules that play the list show it.
        </Text>
      )}
      <Stack gap={8}>
        {playlists.rows.map(({ id, name }) => (
          <Anchor key={id} component={Link} href={`/playlists/${id}`} size="sm">
            {name}
          </Anchor>
        ))}
      </Stack>
    </Panel>
  );
}

const COLUMNS: Column<Version>[] = [
  { id: "hash", header: "SHA-256", value: ({ sha256 }) => sha256, cell: ({ sha256 }) => <Id value={sha256} label="hash" /> },
  { id: "mime", header: "Kind", value: ({ mime }) => mime },
  {
    id: "duration",
    header: "Length",
    number: true,
    value: ({ duration_ms }) => duration_ms,
    cell: ({ duration_ms }) => (duration_ms === null ? "–" : span(duration_ms)),
  },
  { id: "bytes", header: "Size", number: true, value: (row) => row.bytes, cell: (row) => (row.bytes === null ? "–" : bytes(row.bytes)) },
  { id: "added", header: "Added", value: ({ created_at }) => Date.parse(created_at), cell: ({ created_at }) => <When at={created_at} /> },
  { id: "id", header: "Version id", value: ({ id }) => id, cell: ({ id }) => <Id value={id} label="version id" /> },
];

/** Saves a version's file under its content's name. */
async function download(content: Content, version: Version): Promise<void> {
  try {
    keep(await fetchFile(content.id, version.id), `${content.name}.${(version.mime ?? "").split("/")[1] ?? "bin"}`);
  } catch (error) {
    failed("Not downloaded", error);
  }
}
