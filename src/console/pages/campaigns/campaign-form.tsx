import { Autocomplete, Group, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { call } from "../../api/client.ts";
import { readAgain, useRows } from "../../api/query.ts";
import type { Campaign } from "../../api/schema.ts";
import { type Editing, FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";

interface Values {
  brand_name: string;
  name: string;
  start_date: string;
  end_date: string;
  tags: string[];
}

const LABELS = { brand_name: "Brand", name: "Name", start_date: "First day", end_date: "Last day", tags: "Tags" };

const valuesOf = (campaign: Campaign | null): Values => ({
  brand_name: campaign?.brand_name ?? "",
  name: campaign?.name ?? "",
  start_date: campaign?.start_date ?? "",
  end_date: campaign?.end_date ?? "",
  tags: campaign?.tags ?? [],
});

/** Makes a campaign, or changes the given one. */
export function CampaignForm({
  opened,
  onClose,
  campaign,
  onMade,
}: {
  opened: boolean;
  onClose: () => void;
  campaign: Campaign | null;
  onMade?: (id: string) => void;
}) {
  return opened ? <Form key={campaign?.id ?? "new"} campaign={campaign} onClose={onClose} {...(onMade ? { onMade } : {})} /> : null;
}

function Form({ campaign, onClose, onMade }: { campaign: Campaign | null; onClose: () => void; onMade?: (id: string) => void }) {
  const brands = useRows("GET /v1/admin/campaigns", {}, { all: 1000 });
  const form = useForm<Values>({
    initialValues: valuesOf(campaign),
    validate: {
      brand_name: (value) => (value.trim() === "" ? "Say whose campaign it is" : null),
      name: (value) => (value.trim() === "" ? "Give it a name" : null),
      end_date: (value, { start_date }) =>
        value !== "" && start_date !== "" && value < start_date ? "The last day is before the first" : null,
    },
  });
  const save = async (values: Values, { version, idempotencyKey }: { version: number | undefined; idempotencyKey: string }) => {
    const body = { ...values, start_date: values.start_date || null, end_date: values.end_date || null };
    if (campaign) {
      await call("PATCH /v1/admin/campaigns/{id}", { path: { id: campaign.id }, body, version });
      said(`${values.name.trim()} saved`);
    } else {
      const { id } = await call("POST /v1/admin/campaigns", { body, idempotencyKey });
      said(`${values.name.trim()} made`);
      onMade?.(id);
    }
    await readAgain("/v1/admin/campaigns");
  };
  const editing: { editing?: Editing<Values> } = campaign
    ? {
        editing: {
          version: campaign.version,
          labels: LABELS,
          show: (_field, value) => (Array.isArray(value) ? value.join(", ") || "none" : value || "none"),
          read: async () => {
            const now = await call("GET /v1/admin/campaigns/{id}", { path: { id: campaign.id } });
            return { values: valuesOf(now), version: now.version };
          },
        },
      }
    : {};
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={campaign ? "Edit campaign" : "New campaign"}
      form={form}
      onSave={save}
      saveLabel={campaign ? "Save" : "Make campaign"}
      {...editing}
    >
      <TextInput label={LABELS.name} placeholder="Autumn 2026" required data-autofocus {...form.getInputProps("name")} />
      <Autocomplete
        label={LABELS.brand_name}
        description="Viewers who are held to a brand see the campaigns of exactly this name"
        data={[...new Set(brands.rows.map(({ brand_name }) => brand_name))].sort()}
        required
        {...form.getInputProps("brand_name")}
      />
      <Group grow align="flex-start">
        <TextInput type="date" label={LABELS.start_date} {...form.getInputProps("start_date")} />
        <TextInput
          type="date"
          label={LABELS.end_date}
          description="Included"
          inputWrapperOrder={["label", "input", "description", "error"]}
          {...form.getInputProps("end_date")}
        />
      </Group>
      <TagsInput label={LABELS.tags} description="Words to find it by" {...form.getInputProps("tags")} />
    </FormDrawer>
  );
}
