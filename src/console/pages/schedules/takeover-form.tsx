import { Alert, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMemo } from "react";
import { call } from "../../api/client.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { MINUTE_MS, plural } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";
import { useVersions } from "../content/content.ts";
import type { Network } from "./places.ts";

const LENGTHS = [
  { value: "15", label: "15 minutes" },
  { value: "60", label: "1 hour" },
  { value: "240", label: "4 hours" },
  { value: "1440", label: "1 day" },
  { value: "", label: "Until it is lifted" },
];

/** Starts a takeover: a message in place of every plan of the network, a group or a store. */
export function TakeoverForm({ network, onClose }: { network: Network; onClose: () => void }) {
  const form = useForm({ initialValues: { name: "", target: "ALL", shows: "", minutes: "60" } });
  const contents = useRows("GET /v1/admin/content", { query: { archived: "false" } }, { all: 5000 });
  const versions = useVersions();
  const shows = useMemo(
    () => [
      { group: "Playlists", items: [...network.playlists].map(([id, name]) => ({ value: `PLAYLIST:${id}`, label: name })) },
      {
        group: "Content",
        items: contents.rows.flatMap(({ id, name }) => {
          const [newest] = versions.of.get(id) ?? [];
          return newest ? [{ value: `VERSION:${newest.id}`, label: name }] : [];
        }),
      },
    ],
    [network.playlists, contents.rows, versions.of],
  );
  const targets = [
    { group: "Network", items: [{ value: "ALL", label: "The whole network" }] },
    { group: "Groups", items: [...network.groups.values()].map(({ id, name }) => ({ value: `GROUP:${id}`, label: name })) },
    {
      group: "Stores",
      items: [...network.stores.values()]
        .filter(({ archived_at }) => archived_at === null)
        .map(({ id, name }) => ({ value: `STORE:${id}`, label: name })),
    },
  ];
  const reached = reach(network, form.values.target);
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title="Take over screens"
      saveLabel={`Take over ${plural(reached, "device")}`}
      form={form}
      onSave={async ({ name, target, shows: shown, minutes }, { idempotencyKey }) => {
        const [target_type = "ALL", target_id] = target.split(":");
        const [kind, id = ""] = shown.split(":");
        await call("POST /v1/admin/takeovers", {
          idempotencyKey,
          body: {
            name,
            target_type: target_type as "ALL" | "GROUP" | "STORE",
            ...(target_id ? { target_id } : {}),
            ...(kind === "PLAYLIST" ? { playlist_id: id } : kind === "VERSION" ? { content_version_id: id } : {}),
            ends_at: minutes === "" ? null : new Date(Date.now() + Number(minutes) * MINUTE_MS).toISOString(),
          },
        });
        await readAgain("/v1/admin/takeovers", "/v1/admin/devices");
        said(`${name} stands now`);
      }}
    >
      <Alert color="yellow" icon={<IconAlertTriangle size={18} />}>
        From the moment it starts, {plural(reached, "device")} show this and nothing else. Its plays are never billed.
      </Alert>
      <TextInput label="Name" description="For people: what it is about." data-autofocus {...form.getInputProps("name")} />
      <Select
        label="Where"
        data={targets}
        searchable
        limit={100}
        allowDeselect={false}
        {...form.getInputProps("target")}
        error={form.errors.target_id ?? form.errors.target_type}
      />
      <Select
        label="What is shown"
        data={shows}
        searchable
        limit={100}
        {...form.getInputProps("shows")}
        error={form.errors.playlist_id ?? form.errors.content_version_id}
      />
      <Select label="How long" data={LENGTHS} allowDeselect={false} {...form.getInputProps("minutes")} error={form.errors.ends_at} />
    </FormDrawer>
  );
}

/** How many devices a takeover reaches. */
function reach(network: Network, target: string): number {
  const [type, id] = target.split(":");
  return [...network.devices.values()].filter(
    ({ status, group_id, store_id }) => status !== "revoked" && (type === "ALL" || (type === "GROUP" ? group_id : store_id) === id),
  ).length;
}
