import { useSortable } from "@dnd-kit/sortable";
import { ActionIcon, Anchor, Button, Group, NumberInput, Text } from "@mantine/core";
import { IconGripVertical, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { span } from "../../parts/format.ts";
import { typeName } from "../content/content.ts";
import { Thumbnail } from "../content/preview.tsx";
import { type Known, lengthOfPlace } from "./items-editor.tsx";
import { DEFAULT_ITEM_MS, type Place } from "./playlists.ts";

const MAX_WEIGHT = 100;
const MAX_SECONDS = 4 * 60 * 60;

/** One item: moved by its handle, with how long and how often it plays. */
export function ItemRow({
  place,
  index,
  known,
  canEdit,
  error,
  onChange,
  onRemove,
}: {
  place: Place;
  index: number;
  known: Known;
  canEdit: boolean;
  error: ReactNode;
  onChange: (part: Partial<Place>) => void;
  onRemove: () => void;
}) {
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id: place.key,
    disabled: !canEdit,
  });
  const content = known.content.get(place.content_id);
  const versions = known.versions.get(place.content_id) ?? [];
  const version = versions.find(({ id }) => id === place.content_version_id);
  const [newest] = versions;
  const length = lengthOfPlace(place, known);
  const style = { transform: transform ? `translate3d(0, ${transform.y}px, 0)` : "", transition: transition ?? "" };
  const isVideo = content?.type === "video";
  return (
    <li ref={setNodeRef} className="item" style={style} data-dragging={isDragging || undefined}>
      {canEdit && (
        <ActionIcon
          ref={setActivatorNodeRef}
          {...attributes}
          {...listeners}
          aria-label={`Move ${place.name}, item ${index + 1}`}
          className="item-handle"
        >
          <IconGripVertical size={16} />
        </ActionIcon>
      )}
      <div className="item-picture">{content && <Thumbnail content={content} version={version} />}</div>
      <div className="item-name">
        <Anchor component={Link} href={`/content/${place.content_id}`} size="sm" c="inherit" truncate display="block">
          {place.name}
        </Anchor>
        <Text size="xs" c="dimmed" truncate>
          {content ? typeName(content.type) : "…"} · {length === null ? "length not known" : span(length)}
          {content?.archived_at ? " · archived" : ""}
        </Text>
        {canEdit && version && newest && newest.id !== version.id && (
          <Button size="compact-xs" variant="subtle" px={0} onClick={() => onChange({ content_version_id: newest.id })}>
            Use the newer version
          </Button>
        )}
        {error && (
          <Text size="xs" c="var(--bad)">
            {error}
          </Text>
        )}
      </div>
      {canEdit ? (
        <Group gap="xs" wrap="nowrap" align="center">
          <NumberInput
            size="xs"
            w={84}
            aria-label={`Seconds of ${place.name}, item ${index + 1}`}
            suffix=" s"
            min={1}
            max={MAX_SECONDS}
            hideControls
            disabled={isVideo}
            value={isVideo ? (length ?? 0) / 1000 : (place.duration_ms ?? DEFAULT_ITEM_MS) / 1000}
            onChange={(value) => {
              if (typeof value === "number" && value >= 1) onChange({ duration_ms: Math.round(value * 1000) });
            }}
          />
          <NumberInput
            size="xs"
            w={72}
            aria-label={`Weight of ${place.name}, item ${index + 1}`}
            prefix="× "
            min={1}
            max={MAX_WEIGHT}
            allowDecimal={false}
            value={place.weight}
            onChange={(value) => {
              if (typeof value === "number" && value >= 1) onChange({ weight: value });
            }}
          />
          <ActionIcon aria-label={`Remove ${place.name}, item ${index + 1}`} onClick={onRemove}>
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ) : (
        <Text size="sm" c="dimmed">
          × {place.weight}
        </Text>
      )}
    </li>
  );
}
