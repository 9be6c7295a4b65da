import { Button, FileButton, Menu, Skeleton, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconChevronDown, IconUpload, IconWorld } from "@tabler/icons-react";
import { lazy, useRef, useState } from "react";
import { Link, Route, Switch } from "wouter";
import { Can, useMay } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import { Empty, emptyOf } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { plural } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { When } from "../../parts/when.tsx";
import { ACCEPTED, type Content, type ContentType, factsOf, TYPES, typeName, useVersions, type Version } from "./content.ts";
import { Thumbnail } from "./preview.tsx";
import { addUploads } from "./uploads.ts";
import { UploadsPanel } from "./uploads-panel.tsx";

const ContentPage = lazy(() => import("./content-page.tsx"));
const WebPageForm = later(async () => (await import("./content-form.tsx")).WebPageForm);

const LINE = "What screens show: images, videos and web pages, each file kept by its hash.";
const SKELETON_CARDS = 10;

/** Content: all of it, and one piece. */
export default function ContentPages() {
  return (
    <Switch>
      <Route path="/content/:id">{({ id }) => <ContentPage key={id} id={id} />}</Route>
      <Route>
        <Library />
      </Route>
    </Switch>
  );
}

function Library() {
  const filters = useFilters(["q", "type", "tag", "archived"]);
  const { q, type, tag, archived = "false" } = filters.values;
  const isOperator = useMay("operate");
  const [adding, setAdding] = useState(false);
  const open = useRef<() => void>(null);
  const contents = useRows(
    "GET /v1/admin/content",
    { query: { q, tag, type: type as ContentType | undefined, archived: archived as "true" | "false" } },
    { all: 5000 },
  );
  const versions = useVersions();
  const empty = emptyOf(filters, "No content is like that.", {
    text: "There is no content yet. Drop images and videos anywhere on this page.",
    action: isOperator && <Button onClick={() => open.current?.()}>Upload files</Button>,
  });
  const newest = [...contents.rows].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  const tags = [...new Set(contents.rows.flatMap((content) => content.tags))].sort();
  useShortcut({ keys: "n", label: "Upload files", group: "Content" }, () => open.current?.(), isOperator);

  return (
    <>
      <PageHead
        title="Content"
        line={LINE}
        action={
          <Can do="operate">
            <Menu>
              <Menu.Target>
                <Button variant="default" rightSection={<IconChevronDown size={14} />}>
                  More
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconWorld size={15} />} onClick={() => setAdding(true)}>
                  Add a web page by its address
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
            <FileButton multiple accept={ACCEPTED} onChange={(files) => addUploads(files)}>
              {({ onClick }) => {
                open.current = onClick;
                return (
                  <Button leftSection={<IconUpload size={16} />} onClick={onClick}>
                    Upload files
                  </Button>
                );
              }}
            </FileButton>
          </Can>
        }
      />
      {isOperator && (
        <Dropzone.FullScreen active onDrop={(files) => addUploads(files)} multiple>
          <div className="drop-here">
            <IconUpload size={32} stroke={1.4} aria-hidden />
            <Text fw={500}>Drop files to upload them</Text>
          </div>
        </Dropzone.FullScreen>
      )}
      <UploadsPanel />
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search content"
        list={[
          { key: "type", label: "Type", options: TYPES },
          { key: "tag", label: "Tag", ...(tags.length > 0 ? { options: tags.map((one) => ({ value: one, label: one })) } : {}) },
          { key: "archived", label: "Archived", options: [{ value: "true", label: "Archived only" }] },
        ]}
      />
      {contents.error && <Fault error={contents.error} retry={contents.refresh} />}
      {!contents.pending && !contents.error && newest.length === 0 && <Empty action={empty.action}>{empty.text}</Empty>}
      <Grid contents={newest} versions={versions.of} pending={contents.pending} />
      <Text size="xs" c="dimmed" mt="xs" role="status">
        {contents.pending ? (
          "Loading content"
        ) : (
          <>
            {plural(newest.length, "piece of content", "pieces of content")}
            {contents.hasMore ? " so far" : ""} · refreshed <When at={contents.at} />
          </>
        )}
      </Text>
      {adding && <WebPageForm onClose={() => setAdding(false)} />}
    </>
  );
}

function Grid({ contents, versions, pending }: { contents: Content[]; versions: Map<string, Version[]>; pending: boolean }) {
  const list = useRef<HTMLUListElement>(null);
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  useShortcut({ keys: "j", label: "Next card", group: "Lists" }, () => move(1));
  useShortcut({ keys: "k", label: "Previous card", group: "Lists" }, () => move(-1));
  return (
    <ul className="cards" ref={list} aria-label="Content">
      {pending &&
        Array.from({ length: SKELETON_CARDS }, (_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
          <li key={at} className="card" aria-hidden>
            <Skeleton className="thumbnail" />
            <Skeleton h={12} m={12} w="60%" />
          </li>
        ))}
      {contents.map((content) => (
        <Card key={content.id} content={content} versions={versions.get(content.id) ?? []} />
      ))}
    </ul>
  );
}

function Card({ content, versions }: { content: Content; versions: Version[] }) {
  const [newest] = versions;
  return (
    <li className="card">
      <Link href={`/content/${content.id}`} className="card-link">
        <Thumbnail content={content} version={newest} />
        <div className="card-words">
          <Text size="sm" fw={500} truncate title={content.name}>
            {content.name}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {newest ? factsOf(content, newest, versions.length) : `${typeName(content.type)} · no file yet`}
          </Text>
        </div>
      </Link>
    </li>
  );
}
