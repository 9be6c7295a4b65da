import { Anchor, Button, Grid, Group, Stack, Text } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRead, useRows } from "../../api/query.ts";
import { ArchiveButton } from "../../parts/archive.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { Facts } from "../../parts/facts.tsx";
import { day } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { later } from "../../parts/later.tsx";
import { OneThing } from "../../parts/one-thing.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { weekOfHours } from "../../parts/week.ts";
import { WeekGrid } from "../../parts/week-grid.tsx";
import { wordsOfWeek } from "../../parts/week-words.ts";
import { useNow, When } from "../../parts/when.tsx";
import { wordsOfHoliday } from "./hours-editor.tsx";
import { type Device, deviceState, healthOf, localTime, openness, type Store, setArchived, storeClock } from "./stores.ts";

const StoreForm = later(async () => (await import("./store-form.tsx")).StoreForm);

const CRUMBS = [{ label: "Stores", to: "/stores" }];

/** One store: how it is, when it is open, and its devices. */
export default function StorePage({ id }: { id: string }) {
  const found = useRead("GET /v1/admin/stores/{id}", { path: { id } });
  return (
    <OneThing found={found} kind="Store" crumbs={CRUMBS} height={260}>
      {(store) => <Found store={store} />}
    </OneThing>
  );
}

function Found({ store }: { store: Store }) {
  const [editing, setEditing] = useState(false);
  const isOperator = useMay("operate");
  const now = useNow();
  const devices = useRows("GET /v1/admin/devices", { query: { store_id: store.id } }, { all: 2000, refetchInterval: 30_000 });
  const health = healthOf(devices.rows);
  useShortcut({ keys: "e", label: "Edit this store", group: "Stores" }, () => setEditing(true), isOperator);
  return (
    <>
      <PageHead
        title={store.name}
        crumbs={CRUMBS}
        line={
          <Group gap="md">
            {store.archived_at ? <State value="unknown">Archived</State> : <State value={health.value}>{health.words}</State>}
            <span>{openness(store.operating_hours, store.timezone, now).words}</span>
            <span>
              {storeClock(store.timezone, now)} by its clock ({store.timezone.replaceAll("_", " ")})
            </span>
          </Group>
        }
        action={
          isOperator && (
            <>
              <ArchiveButton archived={store.archived_at !== null} set={(archived) => setArchived(store, archived)} />
              <Button leftSection={<IconPencil size={16} />} onClick={() => setEditing(true)}>
                Edit
              </Button>
            </>
          )
        }
      />
      <Grid gap="md" mb="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Panel title="When is it open?">
            <HoursShown store={store} now={now} />
          </Panel>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Panel title="Where is it?">
            <Place store={store} />
          </Panel>
        </Grid.Col>
      </Grid>
      <h2 className="panel-title" style={{ marginBottom: 8 }}>
        Devices
      </h2>
      <DataTable
        name="store-devices"
        noun={["device", "devices"]}
        source={devices}
        columns={DEVICE_COLUMNS(store.timezone)}
        rowId={(device) => device.id}
        href={(device) => `/devices/${device.id}`}
        sortBy={{ id: "name" }}
        empty={{
          text: "No device stands here yet. Pair one, and choose this store.",
          action: isOperator && (
            <Button component={Link} href="/devices">
              Go to devices
            </Button>
          ),
        }}
      />
      {editing && <StoreForm store={store} opened onClose={() => setEditing(false)} />}
    </>
  );
}

function HoursShown({ store, now }: { store: Store; now: number }) {
  const hours = store.operating_hours;
  if (!hours) return <Text c="dimmed">Its hours are not given: it counts as always open.</Text>;
  const today = localTime(now, store.timezone).date;
  const coming = (hours.holidays ?? []).filter(({ date }) => date >= today).sort((a, b) => (a.date < b.date ? -1 : 1));
  return (
    <Stack gap="sm">
      <WeekGrid week={weekOfHours(hours)} label="Opening hours" />
      <Text size="sm">{wordsOfWeek(weekOfHours(hours))}, store time</Text>
      {coming.length > 0 && (
        <Text size="sm" component="div">
          <Text span c="dimmed" inherit>
            Special days:{" "}
          </Text>
          {coming
            .slice(0, 8)
            .map((holiday) => `${day(holiday.date)} ${wordsOfHoliday(holiday)}`)
            .join("; ")}
          {coming.length > 8 ? `; ${coming.length - 8} more` : ""}
        </Text>
      )}
    </Stack>
  );
}

function Place({ store }: { store: Store }) {
  const supplier = useRead("GET /v1/admin/suppliers/{id}", { path: { id: store.supplier_id } });
  const rows: [string, React.ReactNode][] = [
    ["Supplier", supplier.data?.name ?? "…"],
    ["Address", [store.address, store.area, store.city].filter(Boolean).join(", ") || "–"],
    [
      "Position",
      store.lat !== null && store.lng !== null ? (
        <Anchor component={Link} href={`/stores?view=map&q=${encodeURIComponent(store.name)}`} size="sm" key="map">
          {store.lat.toFixed(4)}, {store.lng.toFixed(4)}
        </Anchor>
      ) : (
        "Not given: plays are not checked against it"
      ),
    ],
    ["Time zone", store.timezone.replaceAll("_", " ")],
    ["Changed", <When key="when" at={store.updated_at} zone={store.timezone} />],
    ["Id", <Id key="id" value={store.id} label="store id" />],
  ];
  return <Facts rows={rows} />;
}

const DEVICE_COLUMNS = (zone: string): Column<Device>[] => [
  { id: "name", header: "Device", value: ({ external_name }) => external_name },
  {
    id: "state",
    header: "State",
    value: (device) => deviceState(device).word,
    cell: (device) => <State value={deviceState(device).value}>{deviceState(device).word}</State>,
  },
  {
    id: "seen",
    header: "Last seen",
    value: ({ last_seen_at }) => (last_seen_at === null ? null : Date.parse(last_seen_at)),
    cell: ({ last_seen_at }) => <When at={last_seen_at} zone={zone} never="Never" />,
  },
  { id: "player", header: "Player", value: ({ player_version }) => player_version },
];
