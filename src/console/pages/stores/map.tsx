import { ActionIcon, Group, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconFocusCentered, IconMinus, IconPlus } from "@tabler/icons-react";
import { geoMercator, geoPath } from "d3-geo";
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { feature } from "topojson-client";
import world from "world-atlas/countries-110m.json";
import { Link, useLocation } from "wouter";
import { plural } from "../../parts/format.ts";
import { State } from "../../parts/state.tsx";
import { type Cluster, clustersOf, type Point, sumHealth } from "./clusters.ts";
import type { Health, Store } from "./stores.ts";

/** How high the map is: where there is little width, less, so that the world fills it. */
const HEIGHT_PX = { wide: 560, narrow: 400 };
const NARROW_UNDER_PX = 600;
const WORLD_PX = 1000;
const ROOM = { width: 150, height: 40 };
/** What a mark needs at its right; else its words stand at its left. */
const LABEL_PX = 180;
/** Closer than this, the finer outlines are fetched. */
const FINE_OVER = 5;
const ZOOM = { least: 0.5, most: 4000, step: 1.6 };

/** The whole world in a square of `WORLD_PX`. */
const projection = geoMercator()
  .scale(WORLD_PX / (2 * Math.PI))
  .translate([WORLD_PX / 2, WORLD_PX / 2]);

type Atlas = typeof world;
const outlineOf = (atlas: Atlas) => {
  const countries = feature(atlas as never, atlas.objects.countries as never) as unknown as Parameters<ReturnType<typeof geoPath>>[0];
  return geoPath(projection).digits(3)(countries) ?? "";
};

interface View {
  /** Where the world's corner is, in pixels, and how large it is drawn. */
  x: number;
  y: number;
  scale: number;
}

/** Where stores are and how their devices do. Works without a network: its outlines are part of the console. */
export function StoreMap({ stores, healthOfStore }: { stores: Store[]; healthOfStore: (store: Store) => Health }) {
  const { ref, width } = useElementSize();
  const [view, setView] = useState<View | null>(null);
  const [, navigate] = useLocation();
  const area = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; y: number; view: View } | null>(null);
  const placed = useMemo(() => stores.filter(({ lat, lng }) => lat !== null && lng !== null), [stores]);
  const height = width > 0 && width < NARROW_UNDER_PX ? HEIGHT_PX.narrow : HEIGHT_PX.wide;
  const fitted = useMemo(() => (width > 0 ? viewOf(placed, width, height) : null), [placed, width, height]);
  const shown = view ?? fitted;
  const outline = useOutline((shown?.scale ?? 1) > FINE_OVER);

  const points = useMemo((): Point[] => {
    if (!shown) return [];
    return placed.flatMap((store) => {
      const at = projection([store.lng ?? 0, store.lat ?? 0]);
      return at ? [{ store, health: healthOfStore(store), x: at[0] * shown.scale + shown.x, y: at[1] * shown.scale + shown.y }] : [];
    });
  }, [placed, shown, healthOfStore]);
  const clusters = useMemo(
    () => clustersOf(points, ROOM).filter(({ x, y }) => x > -40 && x < width + 40 && y > -40 && y < height + 40),
    [points, width, height],
  );

  const zoom = (factor: number, x = width / 2, y = height / 2) => {
    if (shown) setView(zoomed(shown, factor, x, y));
  };
  useWheel(area, (event, x, y) => zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y));

  const onKeyDown = (event: KeyboardEvent) => {
    if (!shown || event.target !== event.currentTarget) return;
    const moves: Record<string, [number, number]> = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
    const move = moves[event.key];
    if (move) setView({ ...shown, x: shown.x + move[0], y: shown.y + move[1] });
    else if (event.key === "+" || event.key === "=") zoom(ZOOM.step);
    else if (event.key === "-") zoom(1 / ZOOM.step);
    else return;
    event.preventDefault();
  };
  const dragging = {
    onPointerDown: (event: PointerEvent) => {
      if (shown && event.button === 0) drag.current = { x: event.clientX, y: event.clientY, view: shown };
    },
    onPointerMove: (event: PointerEvent) => {
      const from = drag.current;
      if (from && event.buttons > 0)
        setView({ ...from.view, x: from.view.x + event.clientX - from.x, y: from.view.y + event.clientY - from.y });
    },
    onPointerUp: () => {
      drag.current = null;
    },
  };
  const open = (cluster: Cluster) => {
    const [only] = cluster.points;
    if (cluster.points.length === 1 && only) navigate(`/stores/${only.store.id}`);
    else
      setView(
        viewOf(
          cluster.points.map(({ store }) => store),
          width,
          height,
        ),
      );
  };

  return (
    <Stack gap={6}>
      <div ref={ref} className="map" style={{ height }}>
        <div
          ref={area}
          role="application"
          className="map-view"
          aria-label="Map of stores. Arrow keys move it, + and − zoom."
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by arrow keys
          tabIndex={0}
          onKeyDown={onKeyDown}
          {...dragging}
        >
          <svg width="100%" height={height} aria-hidden>
            {shown && (
              <path
                className="map-land"
                d={outline}
                transform={`translate(${shown.x} ${shown.y}) scale(${shown.scale})`}
                vectorEffect="non-scaling-stroke"
              />
            )}
          </svg>
          {clusters.map((cluster) => (
            <Mark key={cluster.key} cluster={cluster} flip={cluster.x > width - LABEL_PX} onOpen={() => open(cluster)} />
          ))}
        </div>
        <Group gap={4} className="map-controls">
          <ActionIcon variant="default" aria-label="Zoom in" onClick={() => zoom(ZOOM.step)}>
            <IconPlus size={16} />
          </ActionIcon>
          <ActionIcon variant="default" aria-label="Zoom out" onClick={() => zoom(1 / ZOOM.step)}>
            <IconMinus size={16} />
          </ActionIcon>
          <ActionIcon variant="default" aria-label="Show all stores" onClick={() => setView(null)}>
            <IconFocusCentered size={16} />
          </ActionIcon>
        </Group>
      </div>
      <Text size="xs" c="dimmed" role="status">
        {plural(placed.length, "store")} on the map
        {stores.length > placed.length ? `; ${plural(stores.length - placed.length, "store")} without a position` : ""}
      </Text>
    </Stack>
  );
}

function Mark({ cluster, flip, onOpen }: { cluster: Cluster; flip: boolean; onOpen: () => void }) {
  const health = sumHealth(cluster.points);
  const [only] = cluster.points;
  const mark = { className: "map-mark", style: { left: cluster.x, top: cluster.y }, "data-flip": flip || undefined };
  const body = (
    <>
      <span className="map-dot" data-state={health.value}>
        {cluster.points.length > 1 && (
          <>
            {cluster.points.length}
            <VisuallyHidden> stores, </VisuallyHidden>
          </>
        )}
      </span>
      <span className="map-label">
        {cluster.points.length === 1 && only && <span className="map-name">{only.store.name}</span>}
        <State value={health.value} size={12}>
          {health.words}
        </State>
      </span>
    </>
  );
  if (cluster.points.length === 1 && only) {
    return (
      <Link href={`/stores/${only.store.id}`} {...mark} draggable={false}>
        {body}
      </Link>
    );
  }
  return (
    <button type="button" {...mark} onClick={onOpen}>
      {body}
    </button>
  );
}

/** The view in which all of these stores are to be seen; the whole world without any. */
function viewOf(stores: readonly Store[], width: number, height: number): View {
  const places = stores.flatMap(({ lat, lng }) => {
    const at = projection([lng ?? 0, lat ?? 0]);
    return at ? [at] : [];
  });
  if (places.length === 0) return { x: 0, y: height / 2 - (WORLD_PX / 2) * (width / WORLD_PX), scale: width / WORLD_PX };
  const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
  const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  // At the sides stand the marks' words, where there is room for them.
  const sides = Math.min(220, width / 5);
  const scale = Math.min((width - sides) / Math.max(box.right - box.left, 1), (height - 120) / Math.max(box.bottom - box.top, 1), 60);
  return { scale, x: width / 2 - ((box.left + box.right) / 2) * scale, y: height / 2 - ((box.top + box.bottom) / 2) * scale };
}

function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.max(ZOOM.least, Math.min(ZOOM.most, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Coarse outlines at once; the finer ones come when somebody looks closer, and stay. */
function useOutline(fine: boolean): string {
  const [path, setPath] = useState(() => outlineOf(world));
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    if (!fine || loaded) return;
    setLoaded(true);
    void import("world-atlas/countries-50m.json").then((atlas) => setPath(outlineOf(atlas.default as unknown as Atlas)));
  }, [fine, loaded]);
  return path;
}

/** The wheel zooms the map and not the page: which React's own listener may not decide. */
function useWheel(ref: { current: HTMLElement | null }, onWheel: (event: WheelEvent, x: number, y: number) => void) {
  const latest = useRef(onWheel);
  latest.current = onWheel;
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const listen = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      latest.current(event, event.clientX - box.left, event.clientY - box.top);
    };
    element.addEventListener("wheel", listen, { passive: false });
    return () => element.removeEventListener("wheel", listen);
  }, [ref]);
}
