import { Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { call, type Item } from "../../api/client.ts";
import { Can, useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { When } from "../../parts/when.tsx";
import { policyLine } from "./policy-fields.ts";
import { SettingsSection } from "./sections.tsx";

type DeviceGroup = Item<"GET /v1/admin/device-groups">;

/** Devices that share a policy. */
export function GroupsPage() {
  const isOperator = useMay("operate");
  const filters = useFilters(["q"]);
  const { q } = filters.values;
  const source = useRows("GET /v1/admin/device-groups", { query: { q } }, { all: 2000 });
  const playlists = useRows("GET /v1/admin/playlists", {}, { all: 5000 });
  const [adding, setAdding] = useState(false);
  useShortcut({ keys: "n", label: "Add a device group", group: "Settings" }, () => setAdding(true), isOperator);
  const names = useMemo(() => new Map(playlists.rows.map(({ id, name }) => [id, name])), [playlists.rows]);
  const columns: Column<DeviceGroup>[] = [
    { id: "name", header: "Group", value: ({ name }) => name },
    { id: "policy", header: "Policy", value: ({ policy }) => policyLine(policy) },
    {
      id: "default_playlist",
      header: "Default playlist",
      value: ({ default_playlist_id }) => (default_playlist_id ? (names.get(default_playlist_id) ?? "A playlist") : null),
      cell: ({ default_playlist_id }) => (default_playlist_id ? (names.get(default_playlist_id) ?? "A playlist") : "None"),
    },
    {
      id: "updated_at",
      header: "Changed",
      value: ({ updated_at }) => Date.parse(updated_at),
      cell: ({ updated_at }) => <When at={updated_at} />,
    },
  ];
  return (
    <SettingsSection
      name="groups"
      line="Devices that share a policy: how often they report, what plays are let in, and what plays when nothing is scheduled."
      action={
        <Can do="operate">
          <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
            Add group
          </Button>
        </Can>
      }
    >
      <FilterBar filters={filters} list={[]} search="q" searchLabel="Search groups" />
      <DataTable
        name="device-groups"
        noun={["group", "groups"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        href={({ id }) => `/settings/groups/${id}`}
        sortBy={{ id: "name" }}
        empty={
          q
            ? {
                text: "No group is called like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : {
                text: "There are no device groups yet. Devices without one go by the defaults.",
                action: isOperator && <Button onClick={() => setAdding(true)}>Add group</Button>,
              }
        }
      />
      {adding && <GroupDrawer onClose={() => setAdding(false)} />}
    </SettingsSection>
  );
}

/** A new group has but a name; its page opens, where the rest is. */
function GroupDrawer({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const [made, setMade] = useState<string | null>(null);
  const form = useForm({ initialValues: { name: "" }, validate: { name: (name) => (name.trim() === "" ? "Give a name." : null) } });
  return (
    <FormDrawer
      opened
      onClose={() => {
        onClose();
        if (made !== null) navigate(`/settings/groups/${made}`);
      }}
      title="Add a device group"
      form={form}
      saveLabel="Add group"
      onSave={async ({ name }, { idempotencyKey }) => {
        const { id } = await call("POST /v1/admin/device-groups", { body: { name }, idempotencyKey });
        await readAgain("/v1/admin/device-groups");
        setMade(id);
        said(`${name} added, with the defaults`);
      }}
    >
      <TextInput label="Name" placeholder="Entrance screens" required data-autofocus {...form.getInputProps("name")} />
    </FormDrawer>
  );
}
