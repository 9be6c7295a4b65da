import { useDraggable } from "@dnd-kit/core";
import { ActionIcon, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { Rows } from "../../api/query.ts";
import { Panel } from "../../parts/panel.tsx";
import { type Content, factsOf, type Version } from "../content/content.ts";
import { Thumbnail } from "../content/preview.tsx";

const MOST_SHOWN = 60;

/** Content that can be put into a playlist, by its newest version. */
export interface Shelved {
  content: Content;
  version: Version;
}

/** The content beside a playlist: dragged into it, or added at its end by a plus. */
export function ContentShelf({
  contents,
  versions,
  prefix,
  onAdd,
}: {
  contents: Rows<Content>;
  versions: Map<string, Version[]>;
  prefix: string;
  onAdd: (shelved: Shelved) => void;
}) {
  const [sought, setSought] = useState("");
  const found = useMemo(() => {
    const text = sought.trim().toLowerCase();
    return contents.rows
      .filter(({ archived_at, name, tags }) => archived_at === null && `${name} ${tags.join(" ")}`.toLowerCase().includes(text))
      .flatMap((content) => {
        const [version] = versions.get(content.id) ?? [];
        return version ? [{ content, version }] : [];
      })
      .sort((a, b) => a.content.name.localeCompare(b.content.name));
  }, [contents.rows, versions, sought]);
  return (
    <Panel title="Add content">
      <TextInput
        size="xs"
        mb="xs"
        aria-label="Search content to add"
        placeholder="Search content"
        leftSection={<IconSearch size={14} />}
        value={sought}
        onChange={(event) => setSought(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.preventDefault();
        }}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1) */}
      <section className="shelf" aria-label="Content to add" tabIndex={0}>
        <Stack gap={4}>
          {contents.pending && <Skeleton h={36} />}
          {found.slice(0, MOST_SHOWN).map((one) => (
            <ShelvedRow key={one.content.id} one={one} prefix={prefix} onAdd={() => onAdd(one)} />
          ))}
          {found.length > MOST_SHOWN && (
            <Text size="xs" c="dimmed">
              {found.length - MOST_SHOWN} more: search for them.
            </Text>
          )}
          {!contents.pending && found.length === 0 && (
            <Text size="sm" c="dimmed">
              No content with a file is called that.
            </Text>
          )}
        </Stack>
      </section>
    </Panel>
  );
}

function ShelvedRow({ one, prefix, onAdd }: { one: Shelved; prefix: string; onAdd: () => void }) {
  const { content, version } = one;
  const { setNodeRef, listeners, transform, isDragging } = useDraggable({ id: `${prefix}${content.id}`, data: one });
  const style = transform ? { transform: `translate3d(${transform.x}px, ${transform.y}px, 0)`, zIndex: 5 } : {};
  return (
    <div ref={setNodeRef} className="shelved" style={style} data-dragging={isDragging || undefined} {...listeners}>
      <div className="item-picture">
        <Thumbnail content={content} version={version} />
      </div>
      <div className="item-name">
        <Text size="xs" fw={500} truncate>
          {content.name}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {factsOf(content, version, 1)}
        </Text>
      </div>
      <ActionIcon aria-label={`Add ${content.name}`} onClick={onAdd} onPointerDown={(event) => event.stopPropagation()}>
        <IconPlus size={16} />
      </ActionIcon>
    </div>
  );
}
