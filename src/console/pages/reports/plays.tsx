import { Button, Group, Text } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "wouter";
import { useRows } from "../../api/query.ts";
import type { ProofOfPlayRow } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { utcToday } from "../../parts/days.ts";
import { useFilters } from "../../parts/filters.tsx";
import { count, day as dayWords } from "../../parts/format.ts";
import { PageHead } from "../../parts/page-head.tsx";
import { DIMENSION_KEYS, DIMENSIONS, type Dimension } from "./asked.ts";
import { useNames } from "./names.ts";
import { figureOf, PLAYS_KEYS, type PlaysAsked, playsAskedOf } from "./plays-asked.ts";
import { PlaysTable } from "./plays-table.tsx";
import { STATUS } from "./words.tsx";

const MOST_ROWS = 5000;

/** The plays behind a number, step by step: its days, the devices of a day, the plays of a device. The figures of each step sum up to it. */
export default function PlaysPage() {
  const filters = useFilters(PLAYS_KEYS);
  const asked = playsAskedOf(filters.values, utcToday());
  const [search] = useSearchParams();
  const narrowed = (values: Record<string, string>) => {
    const next = new URLSearchParams(search);
    for (const [key, value] of Object.entries(values)) next.set(key, value);
    return `/reports/plays?${next}`;
  };
  const device = asked.filters.device_id?.length === 1;
  return (
    <>
      <PageHead title="Plays behind a number" crumbs={[{ label: "Reports", to: "/reports" }]} line={<Narrowing asked={asked} />} />
      {asked.day === null ? (
        <Days asked={asked} hrefOf={(day) => narrowed({ day })} />
      ) : device || asked.all ? (
        <PlaysTable asked={asked} day={asked.day} />
      ) : (
        <Devices
          asked={asked}
          day={asked.day}
          hrefOf={(id) => narrowed({ day: asked.day ?? "", device_id: id })}
          onAll={() => filters.set("all", "true")}
        />
      )}
    </>
  );
}

/** In words what these plays have in common. */
function Narrowing({ asked }: { asked: PlaysAsked }) {
  const days = asked.day ? dayWords(asked.day) : `${dayWords(asked.from)} – ${dayWords(asked.to)}`;
  const kind = asked.billable
    ? "Billable plays"
    : asked.status
      ? `Plays with the status ${STATUS[asked.status].word.toLowerCase()}`
      : "Plays";
  return (
    <Group gap="xs">
      <Text inherit>
        {kind} of {days}
      </Text>
      {DIMENSION_KEYS.map((key) => asked.filters[key] && <Named key={key} dimension={key} ids={asked.filters[key]} />)}
    </Group>
  );
}

function Named({ dimension, ids }: { dimension: Dimension; ids: string[] }) {
  const names = useNames(dimension, ids.slice(0, 3));
  return (
    <Text inherit>
      · {DIMENSIONS[dimension].label.toLowerCase()} <strong>{names.join(", ")}</strong>
      {ids.length > 3 ? ` and ${ids.length - 3} more` : ""}
    </Text>
  );
}

function Days({ asked, hrefOf }: { asked: PlaysAsked; hrefOf: (day: string) => string }) {
  const figure = figureOf(asked);
  const { from, to, filters } = asked;
  const source = useRows(
    "GET /v1/admin/reports/proof-of-play",
    { query: { from, to, ...filters, group_by: "day", limit: 400 } },
    { all: 400 },
  );
  const rows = useMemo(() => source.rows.filter((row) => (row[figure] ?? 0) > 0), [source.rows, figure]);
  return (
    <DataTable
      name="plays-days"
      noun={["day", "days"]}
      source={{ ...source, rows }}
      rowId={({ day }) => day ?? ""}
      href={({ day }) => hrefOf(day ?? "")}
      columns={[
        { id: "day", header: "Day", value: ({ day }) => day ?? null, cell: ({ day }) => dayWords(day ?? "") },
        { id: "plays", header: "Plays", number: true, value: (row) => row[figure] ?? 0, cell: (row) => count(row[figure] ?? 0) },
      ]}
      empty={{ text: "No play of these days is like that." }}
    />
  );
}

function Devices({ asked, day, hrefOf, onAll }: { asked: PlaysAsked; day: string; hrefOf: (id: string) => string; onAll: () => void }) {
  const figure = figureOf(asked);
  const source = useRows(
    "GET /v1/admin/reports/proof-of-play",
    { query: { from: day, to: day, ...asked.filters, group_by: "device,store", limit: 1000 } },
    { all: MOST_ROWS },
  );
  const rows = useMemo(() => source.rows.filter((row) => (row[figure] ?? 0) > 0), [source.rows, figure]);
  // Single plays of that day have left the database: by device nothing is known any more but in the archive itself.
  if (source.error?.code === "BEYOND_HOT_WINDOW") return <PlaysTable asked={asked} day={day} />;
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          By device, {count(rows.reduce((sum, row) => sum + (row[figure] ?? 0), 0))} together
        </Text>
        <Button size="xs" variant="default" onClick={onAll}>
          All plays of the day
        </Button>
      </Group>
      <DataTable<ProofOfPlayRow>
        name="plays-devices"
        noun={["device", "devices"]}
        source={{ ...source, rows }}
        rowId={({ device_id, store_id }) => `${device_id} ${store_id}`}
        href={({ device_id }) => hrefOf(device_id ?? "none")}
        columns={[
          { id: "device", header: "Device", value: ({ device_name, device_id }) => device_name ?? device_id ?? "" },
          { id: "store", header: "Store", value: ({ store_name }) => store_name ?? "" },
          { id: "plays", header: "Plays", number: true, value: (row) => row[figure] ?? 0, cell: (row) => count(row[figure] ?? 0) },
        ]}
        sortBy={{ id: "plays", desc: true }}
        empty={{ text: "No device played anything like that on this day." }}
      />
    </>
  );
}
