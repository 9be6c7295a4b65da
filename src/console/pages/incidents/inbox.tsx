import { Button, Group, SegmentedControl, Text } from "@mantine/core";
import { IconCheck, IconCircleCheck, IconDeviceTv } from "@tabler/icons-react";
import { useLocation } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import type { Incident } from "../../api/schema.ts";
import { actorWords } from "../../parts/actor.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { type Filter, FilterBar, useFilters } from "../../parts/filters.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { useNow, When } from "../../parts/when.tsx";
import { INCIDENTS, incidentTitle } from "../../parts/words.ts";
import { acknowledge, resolve } from "./acts.ts";
import { SEVERITIES, summary } from "./words.ts";

const EVERY_MS = 20_000;

const FILTERS: Filter[] = [
  {
    key: "type",
    label: "Type",
    options: Object.entries(INCIDENTS).map(([value, { title }]) => ({ value, label: title })),
  },
  {
    key: "severity",
    label: "Severity",
    options: Object.entries(SEVERITIES).map(([value, { word }]) => ({ value, label: word })),
  },
  {
    key: "acknowledged",
    label: "Acknowledged",
    options: [
      { value: "false", label: "By nobody yet" },
      { value: "true", label: "Acknowledged" },
    ],
  },
];
/** `device_id` and `store_id` come with links from there; `state` has a control of its own. */
const KEYS = ["type", "severity", "acknowledged", "device_id", "store_id", "state"];

const STATES = [
  { value: "open", label: "Open" },
  { value: "resolved", label: "Resolved" },
  { value: "all", label: "All" },
];

/** The inbox of incidents: what is open first, acknowledged and resolved from here. */
export function IncidentInbox() {
  const filters = useFilters(KEYS);
  const { state = "open", ...narrowed } = filters.values;
  const mayOperate = useMay("operate");
  const [, navigate] = useLocation();
  const source = useRows(
    "GET /v1/admin/incidents",
    { query: { ...narrowed, ...(state === "all" ? {} : { state: state as "open" | "resolved" }) } as object },
    { refetchInterval: EVERY_MS },
  );
  const isNarrowed = Object.keys(narrowed).length > 0;
  const list = FILTERS.concat(
    narrowed.device_id ? [{ key: "device_id", label: "Device" }] : [],
    narrowed.store_id ? [{ key: "store_id", label: "Store" }] : [],
  );
  return (
    <>
      <PageHead title="Incidents" line="What is wrong and must be seen by a person. They open and resolve by themselves." />
      <Group gap="sm" mb="sm" className="bar-with-state">
        <SegmentedControl
          size="xs"
          aria-label="State"
          data={STATES}
          value={state}
          onChange={(value) => filters.set("state", value === "open" ? null : value)}
        />
        <FilterBar filters={filters} list={list} />
      </Group>
      <DataTable
        name="incidents"
        noun={["incident", "incidents"]}
        source={source}
        columns={COLUMNS}
        rowId={({ id }) => id}
        href={({ id }) => `/incidents/${id}`}
        actions={(incident) => [
          ...(mayOperate && incident.resolved_at === null && incident.acknowledged_at === null
            ? [{ label: "Acknowledge", icon: <IconCheck size={14} />, run: () => void acknowledge([incident]) }]
            : []),
          ...(mayOperate && incident.resolved_at === null
            ? [{ label: "Resolve by hand", icon: <IconCircleCheck size={14} />, run: () => void resolve([incident]) }]
            : []),
          ...(incident.device_id
            ? [{ label: "Open the device", icon: <IconDeviceTv size={14} />, run: () => navigate(`/devices/${incident.device_id}`) }]
            : []),
        ]}
        {...(mayOperate ? { bulk: (rows: Incident[], clear: () => void) => <Bulk rows={rows} clear={clear} /> } : {})}
        empty={emptyOf(state, isNarrowed, () => filters.clear())}
      />
    </>
  );
}

function emptyOf(state: string, isNarrowed: boolean, clear: () => void) {
  if (isNarrowed)
    return {
      text: "No incident is like that.",
      action: (
        <Button variant="default" onClick={clear}>
          Clear the filters
        </Button>
      ),
    };
  if (state === "open") return { text: "Nothing is wrong: no incident is open. What needs a person appears here by itself." };
  return { text: "There was no incident so far." };
}

function Bulk({ rows, clear }: { rows: Incident[]; clear: () => void }) {
  const act = (run: (incidents: Incident[]) => Promise<void>) => void run(rows).then(clear);
  useShortcut({ keys: "e", label: "Acknowledge what is selected", group: "Lists" }, () => act(acknowledge));
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => act(acknowledge)}>
        Acknowledge
      </Button>
      <Button size="compact-sm" variant="default" onClick={() => act(resolve)}>
        Resolve by hand
      </Button>
    </>
  );
}

const COLUMNS: Column<Incident>[] = [
  { id: "type", header: "Incident", value: ({ type }) => incidentTitle(type) },
  {
    id: "severity",
    header: "Severity",
    value: ({ severity }) => SEVERITIES[severity].rank,
    cell: ({ severity }) => <State value={SEVERITIES[severity].state}>{SEVERITIES[severity].word}</State>,
  },
  {
    id: "device",
    header: "Device",
    value: ({ device_name }) => device_name,
    cell: ({ device_name }) => device_name ?? <Quiet>none</Quiet>,
  },
  { id: "store", header: "Store", value: ({ store_name }) => store_name },
  { id: "details", header: "What is known", cell: (incident) => <Summary incident={incident} /> },
  {
    id: "since",
    header: "Since",
    value: ({ created_at }) => Date.parse(created_at),
    cell: ({ created_at, timezone }) => <When at={created_at} zone={timezone ?? undefined} />,
  },
  {
    id: "acknowledged",
    header: "Looked after by",
    value: ({ acknowledged_by, acknowledged_by_name }) => acknowledged_by && actorWords(acknowledged_by, acknowledged_by_name),
    cell: (incident) => <Standing incident={incident} />,
  },
  {
    id: "notes",
    header: "Notes",
    value: ({ notes }) => notes,
    hidden: true,
  },
];

function Summary({ incident }: { incident: Incident }) {
  const now = useNow();
  return <Quiet>{summary(incident, now)}</Quiet>;
}

function Standing({ incident: { resolved_at, resolved_by, acknowledged_by, acknowledged_by_name, timezone } }: { incident: Incident }) {
  if (resolved_at !== null)
    return (
      <State value="ok">
        {resolved_by === null ? "Resolved itself " : "Resolved "}
        <When at={resolved_at} zone={timezone ?? undefined} />
      </State>
    );
  return acknowledged_by === null ? <Quiet>nobody yet</Quiet> : <span>{actorWords(acknowledged_by, acknowledged_by_name)}</span>;
}

function Quiet({ children }: { children: React.ReactNode }) {
  return (
    <Text component="span" inherit c="dimmed">
      {children}
    </Text>
  );
}
