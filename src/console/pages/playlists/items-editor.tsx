import {
  type Announcements,
  type CollisionDetection,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  pointerWithin,
  type UniqueIdentifier,
  useDroppable,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import { arrayMove, SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { Grid, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type ReactNode, useEffect, useMemo } from "react";
import { call } from "../../api/client.ts";
import { useRows } from "../../api/query.ts";
import { Empty } from "../../parts/empty.tsx";
import { FormPage } from "../../parts/form.tsx";
import { count, plural, span } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { type Content, useVersions, type Version } from "../content/content.ts";
import { ItemRow } from "./item-row.tsx";
import { lengthOf, type Place, type PlaylistWithItems, placesOf, roundOf, saveItems } from "./playlists.ts";
import { ContentShelf, type Shelved } from "./shelf.tsx";

const SHELF = "shelf:";
/** The whole list, as what things are dropped on. */
const LIST = "items";

/** What is known of the content of items. */
export interface Known {
  content: Map<string, Content>;
  versions: Map<string, Version[]>;
}

/**
 * The items of a playlist in their order: moved by dragging or by keyboard, added from the content beside them, saved as a whole. Where
 * somebody else has saved meanwhile, both are shown.
 */
export function ItemsEditor({
  playlist,
  canEdit,
  onDirty,
  onSaved,
}: {
  playlist: PlaylistWithItems;
  canEdit: boolean;
  onDirty: (dirty: boolean) => void;
  onSaved: () => void;
}) {
  const form = useForm<{ items: Place[] }>({ initialValues: { items: placesOf(playlist) } });
  const places = form.values.items;
  const contents = useRows("GET /v1/admin/content", {}, { all: 5000 });
  const versions = useVersions();
  const known = useMemo<Known>(
    () => ({ content: new Map(contents.rows.map((content) => [content.id, content])), versions: versions.of }),
    [contents.rows, versions.of],
  );
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const dirty = form.isDirty();
  useEffect(() => onDirty(dirty), [dirty, onDirty]);

  const set = (items: Place[]) => form.setFieldValue("items", items);
  const add = ({ content, version }: Shelved, at = places.length) => {
    const place: Place = {
      key: crypto.randomUUID(),
      content_version_id: version.id,
      content_id: content.id,
      name: content.name,
      weight: 1,
      duration_ms: null,
    };
    set(places.toSpliced(at, 0, place));
  };
  const drop = ({ active, over }: DragEndEvent) => {
    if (!over) return;
    const to = places.findIndex(({ key }) => key === over.id);
    if (String(active.id).startsWith(SHELF)) {
      const shelved = active.data.current as Shelved | undefined;
      if (shelved) add(shelved, to < 0 ? places.length : to);
      return;
    }
    const from = places.findIndex(({ key }) => key === active.id);
    if (from >= 0 && to >= 0 && from !== to) set(arrayMove(places, from, to));
  };

  const nameOf = ({ id, data }: { id: UniqueIdentifier; data: { current?: unknown } }) =>
    places.find(({ key }) => key === id)?.name ?? (data.current as Shelved | undefined)?.content?.name ?? "It";
  const placeOf = (over: { id: UniqueIdentifier } | null) => {
    const at = places.findIndex(({ key }) => key === over?.id);
    return at < 0 ? "at the end" : `at place ${at + 1} of ${places.length}`;
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => `Picked up ${nameOf(active)}.`,
    onDragOver: ({ active, over }) => `${nameOf(active)} is ${placeOf(over)}.`,
    onDragEnd: ({ active, over }) => `Put down ${nameOf(active)} ${placeOf(over)}.`,
    onDragCancel: ({ active }) => `${nameOf(active)} stays where it was.`,
  };

  const list = (
    <Panel title="Items" aside={<RoundWords places={places} known={known} />}>
      <Droppable>
        <SortableContext items={places.map(({ key }) => key)} strategy={verticalListSortingStrategy}>
          {places.length === 0 && <Empty>It is empty. {canEdit ? "Drag content here, or press its plus." : ""}</Empty>}
          <ol className="items" aria-label="Items of the playlist">
            {places.map((place, at) => (
              <ItemRow
                key={place.key}
                place={place}
                index={at}
                known={known}
                canEdit={canEdit}
                error={
                  form.errors[`items.${at}`] ?? form.errors[`items.${at}.duration_ms`] ?? form.errors[`items.${at}.content_version_id`]
                }
                onChange={(part) => set(places.map((one) => (one.key === place.key ? { ...one, ...part } : one)))}
                onRemove={() => set(places.filter(({ key }) => key !== place.key))}
              />
            ))}
          </ol>
        </SortableContext>
      </Droppable>
    </Panel>
  );
  if (!canEdit) return list;

  return (
    <div className="items-form">
      <FormPage
        form={form}
        width="100%"
        saveLabel="Save items"
        onSave={async ({ items }, { version }) => {
          await saveItems(playlist.id, items, version);
          said(`Saved ${plural(items.length, "item")}`);
        }}
        onDone={onSaved}
        {...(dirty ? { onCancel: () => form.reset() } : {})}
        editing={{
          version: playlist.version,
          labels: { items: "Items" },
          show: (_, items) => items.map(({ name, weight }) => (weight > 1 ? `${name} ×${weight}` : name)).join(" → ") || "none",
          read: async () => {
            const now = await call("GET /v1/admin/playlists/{id}", { path: { id: playlist.id } });
            return { values: { items: placesOf(now) }, version: now.version };
          },
        }}
      >
        <DndContext sensors={sensors} collisionDetection={whereOver} onDragEnd={drop} accessibility={{ announcements }}>
          <Grid gap="md">
            <Grid.Col span={{ base: 12, sm: 8 }}>{list}</Grid.Col>
            <Grid.Col span={{ base: 12, sm: 4 }}>
              <ContentShelf contents={contents} versions={versions.of} prefix={SHELF} onAdd={add} />
            </Grid.Col>
          </Grid>
        </DndContext>
      </FormPage>
    </div>
  );
}

function RoundWords({ places, known }: { places: Place[]; known: Known }) {
  const round = roundOf(places, (place) => lengthOfPlace(place, known));
  const all = [
    plural(places.length, "item"),
    plural(round.plays, "play"),
    `${span(round.ms)} a round`,
    round.ms > 0 ? `${count(Math.floor(3_600_000 / round.ms))} rounds an hour` : null,
    round.unknown > 0 ? `${plural(round.unknown, "item")} of unknown length` : null,
  ];
  return (
    <Text size="xs" c="dimmed" role="status">
      {all.filter((part) => part !== null).join(" · ")}
    </Text>
  );
}

/** How long an item plays, by what is known of its content. */
export function lengthOfPlace(place: Place, { content, versions }: Known): number | null {
  const version = versions.get(place.content_id)?.find(({ id }) => id === place.content_version_id);
  return lengthOf(place, content.get(place.content_id)?.type, version);
}

/**
 * What is dragged is over the item whose middle is nearest. Content from the shelf must be over the list; below its last item it goes to
 * the end.
 */
const whereOver: CollisionDetection = (args) => {
  const items = args.droppableContainers.filter(({ id }) => id !== LIST);
  if (!String(args.active.id).startsWith(SHELF)) return closestCenter({ ...args, droppableContainers: items });
  const list = pointerWithin({ ...args, droppableContainers: args.droppableContainers.filter(({ id }) => id === LIST) });
  const ends = items.map(({ id }) => args.droppableRects.get(id)).map((rect) => (rect ? rect.top + rect.height / 2 : 0));
  const isBelow = (args.pointerCoordinates?.y ?? 0) > Math.max(0, ...ends);
  return list.length === 0 || isBelow ? list : closestCenter({ ...args, droppableContainers: items });
};

function Droppable({ children }: { children: ReactNode }) {
  const { setNodeRef, isOver } = useDroppable({ id: LIST });
  return (
    <div ref={setNodeRef} className="items-drop" data-over={isOver || undefined}>
      {children}
    </div>
  );
}
