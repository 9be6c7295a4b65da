import { Button, Group, TagsInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconArchive, IconArchiveOff, IconPencil } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { call } from "../../api/client.ts";
import { Can, useMay } from "../../api/me.ts";
import { type Rows, readAgain, useRows } from "../../api/query.ts";
import type { AdGroup, Campaign } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { count } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { archiveAdGroup } from "./archive.ts";

type Row = AdGroup & { plays: number | null; billable: number | null };

/** The parts of a campaign. */
export function AdGroupsTab({ campaign, from, to }: { campaign: Campaign; from: string; to: string }) {
  const [form, setForm] = useState<{ adGroup: AdGroup | null } | null>(null);
  const mayOperate = useMay("operate");
  const found = useRows("GET /v1/admin/ad-groups", { query: { campaign_id: campaign.id } }, { all: 1000 });
  const source = useWithPlays(found, campaign.id, from, to);
  const make = (
    <Can do="operate">
      <Button size="xs" onClick={() => setForm({ adGroup: null })}>
        New ad group
      </Button>
    </Can>
  );
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          A playlist may play for an ad group; its plays are then told apart in reports.
        </Text>
        {found.rows.length > 0 && make}
      </Group>
      <DataTable
        name="ad-groups"
        noun={["ad group", "ad groups"]}
        source={source}
        columns={COLUMNS}
        rowId={({ id }) => id}
        href={({ id }) => `/reports?from=${from}&to=${to}&campaign_id=${campaign.id}&ad_group_id=${id}`}
        actions={(adGroup) =>
          mayOperate
            ? [
                { label: "Edit", icon: <IconPencil size={14} />, run: () => setForm({ adGroup }) },
                adGroup.archived_at === null
                  ? { label: "Archive", icon: <IconArchive size={14} />, run: () => void archiveAdGroup(adGroup, true), destructive: true }
                  : { label: "Use again", icon: <IconArchiveOff size={14} />, run: () => void archiveAdGroup(adGroup, false) },
              ]
            : []
        }
        empty={{
          text: "This campaign has no parts. Make ad groups where its plays are to be told apart, by city or by audience.",
          action: make,
        }}
      />
      {form && <AdGroupForm key={form.adGroup?.id ?? "new"} campaign={campaign} adGroup={form.adGroup} onClose={() => setForm(null)} />}
    </>
  );
}

function useWithPlays(found: Rows<AdGroup>, campaignId: string, from: string, to: string): Rows<Row> {
  const report = useRows(
    "GET /v1/admin/reports/proof-of-play",
    { query: { group_by: "ad_group", from, to, campaign_id: [campaignId] } },
    { all: 1000 },
  );
  const rows = useMemo(() => {
    const known = new Map(report.rows.map((row) => [row.ad_group_id, row]));
    return found.rows.map((adGroup): Row => {
      const row = known.get(adGroup.id);
      if (report.pending) return { ...adGroup, plays: null, billable: null };
      return { ...adGroup, plays: row?.plays_count ?? 0, billable: row?.billable_count ?? 0 };
    });
  }, [found.rows, report.rows, report.pending]);
  return { ...found, rows };
}

function AdGroupForm({ campaign, adGroup, onClose }: { campaign: Campaign; adGroup: AdGroup | null; onClose: () => void }) {
  const form = useForm({
    initialValues: { name: adGroup?.name ?? "", tags: adGroup?.tags ?? [] },
    validate: { name: (value) => (value.trim() === "" ? "Give it a name" : null) },
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={adGroup ? "Edit ad group" : `New ad group of ${campaign.name}`}
      form={form}
      saveLabel={adGroup ? "Save" : "Make ad group"}
      {...(adGroup
        ? {
            editing: {
              version: adGroup.version,
              labels: { name: "Name", tags: "Tags" },
              show: (_field: "name" | "tags", value: string | string[]) => (Array.isArray(value) ? value.join(", ") || "none" : value),
              read: async () => {
                const { name, tags, version } = await call("GET /v1/admin/ad-groups/{id}", { path: { id: adGroup.id } });
                return { values: { name, tags }, version };
              },
            },
          }
        : {})}
      onSave={async (values, { version, idempotencyKey }) => {
        if (adGroup) await call("PATCH /v1/admin/ad-groups/{id}", { path: { id: adGroup.id }, body: values, version });
        else await call("POST /v1/admin/ad-groups", { body: { ...values, campaign_id: campaign.id }, idempotencyKey });
        said(`${values.name.trim()} ${adGroup ? "saved" : "made"}`);
        await readAgain("/v1/admin/ad-groups");
      }}
    >
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <TagsInput label="Tags" description="Words to find it by" {...form.getInputProps("tags")} />
    </FormDrawer>
  );
}

const COLUMNS: Column<Row>[] = [
  { id: "name", header: "Ad group", value: ({ name }) => name },
  {
    id: "state",
    header: "State",
    value: ({ archived_at }) => (archived_at ? "Archived" : "In use"),
    cell: ({ archived_at }) => <State value={archived_at ? "unknown" : "ok"}>{archived_at ? "Archived" : "In use"}</State>,
  },
  { id: "plays", header: "Played", number: true, value: ({ plays }) => plays, cell: ({ plays }) => (plays === null ? "…" : count(plays)) },
  {
    id: "billable",
    header: "Billable",
    number: true,
    value: ({ billable }) => billable,
    cell: ({ billable }) => (billable === null ? "…" : count(billable)),
  },
  { id: "tags", header: "Tags", value: ({ tags }) => tags.join(", ") },
  {
    id: "changed",
    header: "Changed",
    value: ({ updated_at }) => Date.parse(updated_at),
    cell: ({ updated_at }) => <When at={updated_at} />,
  },
];
