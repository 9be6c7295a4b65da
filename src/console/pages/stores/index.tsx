import { Button, SegmentedControl } from "@mantine/core";
import { IconArchive, IconPencil, IconPlus, IconRestore, IconTrash } from "@tabler/icons-react";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { Route, Switch } from "wouter";
import { call } from "../../api/client.ts";
import { Can, useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { emptyOf } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { later } from "../../parts/later.tsx";
import { undoable } from "../../parts/notes.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { useNow } from "../../parts/when.tsx";
import { byStore, healthOf, openness, type Store, setArchived, storeClock } from "./stores.ts";

const StorePage = lazy(() => import("./store-page.tsx"));
const StoreForm = later(async () => (await import("./store-form.tsx")).StoreForm);
const StoreMap = lazy(() => import("./map.tsx").then(({ StoreMap: page }) => ({ default: page })));

const LINE = "The places where screens hang, with their hours and time zones.";

/** Stores: as a list or on a map, and one of them. */
export default function StoresPage() {
  return (
    <Switch>
      <Route path="/stores/:id">{({ id }) => <StorePage key={id} id={id} />}</Route>
      <Route>
        <StoreList />
      </Route>
    </Switch>
  );
}

function StoreList() {
  const filters = useFilters(["q", "supplier_id", "state", "archived", "view"]);
  const { q, supplier_id, state, archived = "false", view = "list" } = filters.values;
  const isOperator = useMay("operate");
  const now = useNow();
  const suppliers = useRows("GET /v1/admin/suppliers", {}, { all: 1000 });
  const devices = useRows("GET /v1/admin/devices", {}, { all: 10_000, refetchInterval: 60_000 });
  const stores = useRows("GET /v1/admin/stores", { query: { q, supplier_id, archived: archived as "true" | "false" } }, { all: 5000 });
  const [form, setForm] = useState<{ store: Store | null } | null>(null);
  const [removing, setRemoving] = useState<Store | null>(null);
  useShortcut({ keys: "n", label: "Add a store", group: "Stores" }, () => setForm({ store: null }), isOperator);

  const devicesOf = useMemo(() => byStore(devices.rows), [devices.rows]);
  const health = useCallback((store: Store) => healthOf(devicesOf.get(store.id) ?? []), [devicesOf]);
  const rows = useMemo(
    () => (state ? stores.rows.filter((store) => health(store).value === state) : stores.rows),
    [stores.rows, state, health],
  );
  const names = useMemo(() => new Map(suppliers.rows.map(({ id, name }) => [id, name])), [suppliers.rows]);

  const columns: Column<Store>[] = [
    { id: "name", header: "Store", value: ({ name }) => name },
    {
      id: "devices",
      header: "Devices",
      value: (store) => ["bad", "warn", "unknown", "ok"].indexOf(health(store).value),
      cell: (store) => <State value={health(store).value}>{health(store).words}</State>,
    },
    {
      id: "hours",
      header: "Hours",
      value: (store) => openness(store.operating_hours, store.timezone, now).words,
    },
    { id: "city", header: "City", value: ({ city, area }) => [city, area].filter(Boolean).join(", ") },
    { id: "supplier", header: "Supplier", value: (store) => names.get(store.supplier_id) ?? "" },
    { id: "local", header: "Its clock", value: (store) => storeClock(store.timezone, now), number: true, width: 90 },
    { id: "timezone", header: "Time zone", value: ({ timezone }) => timezone.replaceAll("_", " ") },
    { id: "address", header: "Address", value: ({ address }) => address, hidden: true },
  ];

  const actions = (store: Store): RowAction[] => [
    { label: "Edit", icon: <IconPencil size={15} />, run: () => setForm({ store }) },
    store.archived_at === null
      ? { label: "Archive", icon: <IconArchive size={15} />, run: () => void setArchived(store, true) }
      : { label: "Restore", icon: <IconRestore size={15} />, run: () => void setArchived(store, false) },
    { label: "Delete", icon: <IconTrash size={15} />, run: () => setRemoving(store), destructive: true },
  ];

  return (
    <>
      <PageHead
        title="Stores"
        line={LINE}
        action={
          <>
            <SegmentedControl
              size="xs"
              aria-label="How stores are shown"
              value={view}
              onChange={(next) => filters.set("view", next === "list" ? null : next)}
              data={[
                { value: "list", label: "List" },
                { value: "map", label: "Map" },
              ]}
            />
            <Can do="operate">
              <Button leftSection={<IconPlus size={16} />} onClick={() => setForm({ store: null })}>
                Add store
              </Button>
            </Can>
          </>
        }
      />
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search stores"
        list={[
          { key: "supplier_id", label: "Supplier", options: suppliers.rows.map(({ id, name }) => ({ value: id, label: name })) },
          { key: "state", label: "Devices", options: STATES },
          { key: "archived", label: "Archived", options: [{ value: "true", label: "Archived only" }] },
        ]}
      />
      {view === "map" ? (
        <>
          {stores.error && <Fault error={stores.error} retry={stores.refresh} />}
          <Suspense fallback={null}>
            <StoreMap stores={rows} healthOfStore={health} />
          </Suspense>
        </>
      ) : (
        <DataTable
          name="stores"
          noun={["store", "stores"]}
          source={{ ...stores, rows }}
          columns={columns}
          rowId={({ id }) => id}
          href={({ id }) => `/stores/${id}`}
          sortBy={{ id: "name" }}
          {...(isOperator ? { actions } : {})}
          empty={emptyOf(filters, "No store is like that.", {
            text: "There are no stores yet. Add one, then pair its devices.",
            action: isOperator && <Button onClick={() => setForm({ store: null })}>Add store</Button>,
          })}
        />
      )}
      {form && <StoreForm key={form.store?.id ?? "new"} store={form.store} opened onClose={() => setForm(null)} />}
      {removing && (
        <ConfirmName
          opened
          onClose={() => setRemoving(null)}
          name={removing.name}
          title="Delete store"
          doing="Delete store"
          onConfirm={() => deleteStore(removing)}
        >
          A store that devices have stood in can only be archived: its plays name it.
        </ConfirmName>
      )}
    </>
  );
}

const STATES = [
  { value: "bad", label: "All offline" },
  { value: "warn", label: "Some offline" },
  { value: "ok", label: "Online" },
  { value: "unknown", label: "None, or not seen yet" },
];

/** Deletes a store that nothing names. Taken back, it is made again as it was, under an id of its own. */
async function deleteStore(store: Store): Promise<void> {
  await call("DELETE /v1/admin/stores/{id}", { path: { id: store.id } });
  await readAgain("/v1/admin/stores");
  const { name, supplier_id, timezone, city, area, address, lat, lng, operating_hours } = store;
  undoable(`Deleted ${name}`, async () => {
    await call("POST /v1/admin/stores", { body: { name, supplier_id, timezone, city, area, address, lat, lng, operating_hours } });
    await readAgain("/v1/admin/stores");
  });
}
