import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Route, Switch, useLocation, useSearch } from "wouter";
import { useMe } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { download } from "../../parts/download.ts";
import { Empty } from "../../parts/empty.tsx";
import { FilterBar, type Filters, useFilters } from "../../parts/filters.tsx";
import { DAY_MS } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { When } from "../../parts/when.tsx";
import { changedWords, didWords, type Entry, TARGET_TYPES, targetName, whoWords } from "./words.ts";

const EntryDrawer = later(async () => (await import("./entry-drawer.tsx")).EntryDrawer);

const KEYS = ["actor_user_id", "target_type", "action", "target_id", "from", "to", "address"] as const;

/** Who changed what, and when. */
export default function AuditPage() {
  const me = useMe();
  if (me.scope !== null) {
    return (
      <>
        <PageHead title="Audit" line="Who changed what, and when." />
        <Empty>The audit log is of the whole network, and you see a part of it. Ask an administrator if you need an entry.</Empty>
      </>
    );
  }
  return (
    <Switch>
      <Route path="/audit/:id?">{({ id }) => <AuditLog id={id ?? null} />}</Route>
    </Switch>
  );
}

/** The query of the log for the page's filters. Days are those of the reader's own clock, both included. */
function queryOf({ from, to, ...values }: Filters["values"]) {
  const start = (day: string | undefined) => (day ? Date.parse(`${day}T00:00:00`) : Number.NaN);
  const first = start(from);
  const last = start(to);
  return {
    ...values,
    from: Number.isNaN(first) ? undefined : new Date(first).toISOString(),
    to: Number.isNaN(last) ? undefined : new Date(last + DAY_MS).toISOString(),
  };
}

function AuditLog({ id }: { id: string | null }) {
  const filters = useFilters(KEYS);
  const search = useSearch();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const query = queryOf(filters.values);
  const source = useRows("GET /v1/admin/audit-log", { query });
  const at = (path: string) => (search ? `${path}?${search}` : path);
  const csv = async () => {
    setBusy(true);
    await download("/v1/admin/audit-log.csv", query, "audit-log.csv");
    setBusy(false);
  };
  return (
    <>
      <PageHead
        title="Audit"
        line="Who changed what, and when. Entries are kept for good, and nobody changes them."
        action={
          <Button variant="default" leftSection={<IconDownload size={16} />} onClick={() => void csv()} loading={busy}>
            Download CSV
          </Button>
        }
      />
      <AuditFilters filters={filters} rows={source.rows} />
      <DataTable
        name="audit"
        noun={["entry", "entries"]}
        source={source}
        columns={COLUMNS}
        rowId={(entry) => entry.id}
        href={(entry) => at(`/audit/${entry.id}`)}
        empty={
          Object.keys(filters.values).length > 0
            ? {
                text: "No entry is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : { text: "Nothing was changed yet. Every change that people and tokens make will be here." }
        }
      />
      {id && (
        <EntryDrawer
          key={id}
          id={id}
          known={source.rows.find((entry) => entry.id === id) ?? null}
          onFilter={(key, value) => {
            navigate(`/audit?${new URLSearchParams({ [key]: value })}`);
          }}
          onClose={() => navigate(at("/audit"))}
        />
      )}
    </>
  );
}

const COLUMNS: Column<Entry>[] = [
  {
    id: "created_at",
    header: "When",
    value: ({ created_at }) => Date.parse(created_at),
    cell: ({ created_at }) => <When at={created_at} />,
    width: 120,
  },
  { id: "actor", header: "Who", value: whoWords },
  { id: "did", header: "What", value: didWords },
  { id: "target", header: "Which", value: targetName, cell: (entry) => targetName(entry) ?? <Id value={entry.target_id} label="id" /> },
  { id: "changed", header: "Fields changed", value: changedWords },
  { id: "network", header: "From", value: ({ origin }) => [origin?.country, origin?.network].filter(Boolean).join(" ") },
  { id: "action", header: "Action", value: ({ action }) => action, hidden: true },
];

/** The filters: people and actions to choose among are those that are in view, and those that are set. */
function AuditFilters({ filters, rows }: { filters: Filters; rows: Entry[] }) {
  const { actor_user_id: actor, action } = filters.values;
  const actors = useMemo(() => {
    const words = new Map(rows.map((entry) => [entry.actor_user_id, whoWords(entry)]));
    if (actor && !words.has(actor)) words.set(actor, actor);
    return [...words].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
  }, [rows, actor]);
  const actions = useMemo(() => {
    const names = new Set([...rows.map((entry) => entry.action), ...(action ? [action] : [])]);
    return [...names].sort().map((value) => ({ value, label: value }));
  }, [rows, action]);
  return (
    <FilterBar
      filters={filters}
      list={[
        { key: "actor_user_id", label: "Who", options: actors },
        { key: "target_type", label: "Kind", options: TARGET_TYPES },
        { key: "action", label: "Action", options: actions },
        { key: "from", label: "From", day: true },
        { key: "to", label: "To", day: true },
        { key: "target_id", label: "Id" },
        { key: "address", label: "IP address" },
      ]}
    />
  );
}
