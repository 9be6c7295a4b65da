import { Select, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import type { Playlist } from "./playlists.ts";

interface Values {
  name: string;
  campaign_id: string | null;
  ad_group_id: string | null;
  tags: string[];
}

/** Makes a playlist, or changes what it is called and whose plays it makes. */
export function PlaylistForm({ playlist, onClose }: { playlist: Playlist | null; onClose: () => void }) {
  const [, navigate] = useLocation();
  const made = useRef<string | null>(null);
  const close = () => {
    onClose();
    if (made.current) navigate(`/playlists/${made.current}`);
  };
  const form = useForm<Values>({ initialValues: valuesOf(playlist) });
  const campaigns = useRows("GET /v1/admin/campaigns", { query: { archived: "false" } }, { all: 2000 });
  const adGroups = useRows("GET /v1/admin/ad-groups", { query: { archived: "false" } }, { all: 5000 });
  const campaignNames = campaigns.rows.map(({ id, name, brand_name }) => ({ value: id, label: `${name} · ${brand_name}` }));
  const groupNames = adGroups.rows
    .filter(({ campaign_id }) => campaign_id === form.values.campaign_id)
    .map(({ id, name }) => ({ value: id, label: name }));
  const nameOf = (value: unknown) => [...campaignNames, ...groupNames].find((one) => one.value === value)?.label ?? String(value ?? "–");
  return (
    <FormDrawer
      opened
      onClose={close}
      title={playlist ? `Edit ${playlist.name}` : "Add playlist"}
      saveLabel={playlist ? "Save" : "Add playlist"}
      form={form}
      onSave={async (body, { version, idempotencyKey }) => {
        const saved = playlist
          ? await call("PATCH /v1/admin/playlists/{id}", { path: { id: playlist.id }, body, version })
          : await call("POST /v1/admin/playlists", { body, idempotencyKey });
        await readAgain("/v1/admin/playlists");
        said(playlist ? `Saved ${saved.name}` : `Added ${saved.name}`);
        if (!playlist) made.current = saved.id;
      }}
      {...(playlist
        ? {
            editing: {
              version: playlist.version,
              labels: { name: "Name", campaign_id: "Campaign", ad_group_id: "Ad group", tags: "Tags" },
              show: (field: keyof Values, value: Values[keyof Values]) =>
                Array.isArray(value) ? value.join(", ") : field === "name" ? value : nameOf(value),
              read: async () => {
                const now = await call("GET /v1/admin/playlists/{id}", { path: { id: playlist.id } });
                return { values: valuesOf(now), version: now.version };
              },
            },
          }
        : {})}
    >
      <TextInput label="Name" data-autofocus {...form.getInputProps("name")} />
      <Select
        label="Campaign"
        description="Whose plays these are. Without one they are filler, and never billed."
        data={campaignNames}
        searchable
        clearable
        {...form.getInputProps("campaign_id")}
        onChange={(campaign_id) => form.setValues({ campaign_id, ad_group_id: null })}
      />
      {groupNames.length > 0 && <Select label="Ad group" data={groupNames} searchable clearable {...form.getInputProps("ad_group_id")} />}
      <TagsInput label="Tags" description="To find it by. Enter adds one." {...form.getInputProps("tags")} />
    </FormDrawer>
  );
}

function valuesOf(playlist: Playlist | null): Values {
  return {
    name: playlist?.name ?? "",
    campaign_id: playlist?.campaign_id ?? null,
    ad_group_id: playlist?.ad_group_id ?? null,
    tags: playlist?.tags ?? [],
  };
}
