import { Anchor, Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconArchive, IconPencil, IconPlus, IconRestore, IconTrash } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { call, type Item } from "../../api/client.ts";
import { Can, useMay, useMe } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { FormDrawer } from "../../parts/form.tsx";
import { count } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { failed, said, undoable } from "../../parts/notes.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { SettingsSection } from "./sections.tsx";

type Supplier = Item<"GET /v1/admin/suppliers">;

/** Who owns stores and their screens. */
export function SuppliersPage() {
  const me = useMe();
  const isOperator = useMay("operate");
  const [form, setForm] = useState<{ supplier: Supplier | null } | null>(null);
  useShortcut({ keys: "n", label: "Add a supplier", group: "Settings" }, () => setForm({ supplier: null }), isOperator);
  return (
    <SettingsSection
      name="suppliers"
      line="Who owns stores and their screens, such as a retail chain. Viewers can be held to one of them."
      action={
        <Can do="operate">
          <Button leftSection={<IconPlus size={16} />} onClick={() => setForm({ supplier: null })}>
            Add supplier
          </Button>
        </Can>
      }
    >
      {(me.scope === null || "supplier_id" in me.scope) && <SupplierTable onForm={(supplier) => setForm({ supplier })} />}
      {form && <SupplierDrawer key={form.supplier?.id ?? "new"} supplier={form.supplier} onClose={() => setForm(null)} />}
    </SettingsSection>
  );
}

function SupplierTable({ onForm }: { onForm: (supplier: Supplier | null) => void }) {
  const isOperator = useMay("operate");
  const filters = useFilters(["q", "archived"]);
  const { q, archived } = filters.values;
  const source = useRows("GET /v1/admin/suppliers", { query: { q, archived: archived === "true" ? "true" : "false" } }, { all: 2000 });
  const stores = useRows("GET /v1/admin/stores", { query: { archived: "false" } }, { all: 5000 });
  const [removing, setRemoving] = useState<Supplier | null>(null);
  const storesOf = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { supplier_id } of stores.rows) counts.set(supplier_id, (counts.get(supplier_id) ?? 0) + 1);
    return counts;
  }, [stores.rows]);

  const columns: Column<Supplier>[] = [
    { id: "name", header: "Supplier", value: ({ name }) => name },
    {
      id: "stores",
      header: "Stores",
      value: ({ id }) => storesOf.get(id) ?? 0,
      cell: ({ id }) => (
        <Anchor component={Link} href={`/stores?supplier_id=${id}`} size="sm">
          {count(storesOf.get(id) ?? 0)}
        </Anchor>
      ),
      number: true,
      width: 90,
    },
    {
      id: "state",
      header: "State",
      value: ({ archived_at }) => (archived_at ? 1 : 0),
      cell: ({ archived_at }) => <State value={archived_at ? "unknown" : "ok"}>{archived_at ? "Archived" : "Active"}</State>,
    },
    {
      id: "created_at",
      header: "Added",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} />,
    },
    { id: "id", header: "Id", cell: ({ id }) => <Id value={id} label="supplier's id" /> },
  ];
  const actions = (supplier: Supplier): RowAction[] => [
    { label: "Edit", icon: <IconPencil size={15} />, run: () => onForm(supplier) },
    supplier.archived_at === null
      ? { label: "Archive", icon: <IconArchive size={15} />, run: () => void setArchived(supplier, true) }
      : { label: "Restore", icon: <IconRestore size={15} />, run: () => void setArchived(supplier, false) },
    { label: "Delete", icon: <IconTrash size={15} />, run: () => setRemoving(supplier), destructive: true },
  ];
  return (
    <>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search suppliers"
        list={[{ key: "archived", label: "Archived", options: [{ value: "true", label: "Archived only" }] }]}
      />
      <DataTable
        name="suppliers"
        noun={["supplier", "suppliers"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        sortBy={{ id: "name" }}
        {...(isOperator ? { actions } : {})}
        empty={
          q || archived
            ? {
                text: "No supplier is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : {
                text: "There are no suppliers yet. Add one, then its stores.",
                action: isOperator && <Button onClick={() => onForm(null)}>Add supplier</Button>,
              }
        }
      />
      {removing && (
        <ConfirmName
          opened
          onClose={() => setRemoving(null)}
          name={removing.name}
          title="Delete supplier"
          doing="Delete supplier"
          onConfirm={() => remove(removing)}
        >
          It goes for good. A supplier that has stores, or whose screens have played, can only be archived: its plays name it.
        </ConfirmName>
      )}
    </>
  );
}

function SupplierDrawer({ supplier, onClose }: { supplier: Supplier | null; onClose: () => void }) {
  const form = useForm({
    initialValues: { name: supplier?.name ?? "" },
    validate: { name: (name) => (name.trim() === "" ? "Give a name." : null) },
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={supplier ? `Edit ${supplier.name}` : "Add a supplier"}
      form={form}
      saveLabel={supplier ? "Save" : "Add supplier"}
      onSave={async ({ name }, { version, idempotencyKey }) => {
        if (supplier) await call("PATCH /v1/admin/suppliers/{id}", { path: { id: supplier.id }, body: { name }, version });
        else await call("POST /v1/admin/suppliers", { body: { name }, idempotencyKey });
        await readAgain("/v1/admin/suppliers");
        said(supplier ? `${name} saved` : `${name} added`);
      }}
      {...(supplier
        ? {
            editing: {
              version: supplier.version,
              read: async () => {
                const { name, version } = await call("GET /v1/admin/suppliers/{id}", { path: { id: supplier.id } });
                return { values: { name }, version };
              },
              labels: { name: "Name" },
            },
          }
        : {})}
    >
      <TextInput label="Name" placeholder="Northern Retail" required data-autofocus {...form.getInputProps("name")} />
    </FormDrawer>
  );
}

async function setArchived({ id, name }: Supplier, archived: boolean): Promise<void> {
  const change = async (to: boolean) => {
    await call("PATCH /v1/admin/suppliers/{id}", { path: { id }, body: { archived: to } });
    await readAgain("/v1/admin/suppliers");
  };
  try {
    await change(archived);
    undoable(archived ? `${name} is archived` : `${name} is back`, () => change(!archived));
  } catch (error) {
    failed(`${name} was not ${archived ? "archived" : "restored"}`, error);
  }
}

async function remove({ id, name }: Supplier): Promise<void> {
  await call("DELETE /v1/admin/suppliers/{id}", { path: { id } });
  await readAgain("/v1/admin/suppliers");
  said(`${name} is deleted`);
}
