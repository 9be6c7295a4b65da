import { MultiSelect, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useMemo } from "react";
import { type Answer, type CallOptions, call } from "../../api/client.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { DAY_MS } from "../../parts/format.ts";
import { RoleFields, type ScopeValues, scopeFaults, scopeOf, scopeValues } from "./scope.tsx";

type Made = Answer<"POST /v1/admin/tokens">;
type Body = CallOptions<"POST /v1/admin/tokens">["body"];

interface Values extends Omit<ScopeValues, "scope"> {
  name: string;
  /** Days, or "day" for the day in `expires_at`. */
  lifetime: string;
  expires_at: string;
  reports: "all" | "some";
  scope: ScopeValues["scope"] & { content_ids: string[]; campaign_ids: string[] };
}

const LIFETIMES = [
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "day", label: "On a day of your choice" },
];
const CHOICES_SHOWN = 100;

/** A new API token. `onMade` is given the token itself, which there is this once. */
export function TokenDrawer({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const { scope, ...role } = scopeValues("viewer", null);
  const form = useForm<Values>({
    initialValues: {
      name: "",
      ...role,
      lifetime: "90",
      expires_at: "",
      reports: "all",
      scope: { ...scope, content_ids: [], campaign_ids: [] },
    },
    validate: (values) => faultsOf(values),
  });
  const values = form.getValues();
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title="Make an API token"
      form={form}
      saveLabel="Make token"
      onSave={async (typed, { idempotencyKey }) => {
        const made = await call("POST /v1/admin/tokens", { body: bodyOf(typed, Date.now()), idempotencyKey });
        await readAgain("/v1/admin/tokens");
        onMade(made);
      }}
    >
      <TextInput
        label="Name"
        description="Who uses it, and for what. The audit log names it so."
        placeholder="Billing export"
        data-autofocus
        required
        {...form.getInputProps("name")}
      />
      <RoleFields
        roles={["viewer", "operator", "admin", "reporter"]}
        values={values}
        input={(field) => form.getInputProps(field)}
        more={values.role === "reporter" && <ReportedFields form={form} />}
      />
      <Select label="Ends" data={LIFETIMES} allowDeselect={false} required {...form.getInputProps("lifetime")} />
      {values.lifetime === "day" && (
        <TextInput
          label="Last day"
          description="By your own clock; five years ahead at most."
          type="date"
          required
          {...form.getInputProps("expires_at")}
        />
      )}
    </FormDrawer>
  );
}

function ReportedFields({ form }: { form: UseFormReturnType<Values> }) {
  const content = useRows("GET /v1/admin/content", {}, { all: 5000 });
  const campaigns = useRows("GET /v1/admin/campaigns", {}, { all: 5000 });
  const contents = useMemo(() => content.rows.map(({ id, name }) => ({ value: id, label: name })), [content.rows]);
  const booked = useMemo(
    () => campaigns.rows.map(({ id, name, brand_name }) => ({ value: id, label: `${name} (${brand_name})` })),
    [campaigns.rows],
  );
  const common = { searchable: true, limit: CHOICES_SHOWN, nothingFoundMessage: "Nothing of that name" };
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600} id="reports-label">
        What it reports plays of
      </Text>
      <SegmentedControl
        aria-labelledby="reports-label"
        data={[
          { value: "all", label: "All content" },
          { value: "some", label: "What is named here" },
        ]}
        {...form.getInputProps("reports")}
      />
      {form.getValues().reports === "some" && (
        <>
          <MultiSelect
            label="Content"
            data={contents}
            {...common}
            {...form.getInputProps("scope.content_ids")}
            error={faultUnder(form.errors, "scope.content_ids")}
          />
          <MultiSelect
            label="Campaigns"
            description="The content that plays for them."
            data={booked}
            {...common}
            {...form.getInputProps("scope.campaign_ids")}
            error={faultUnder(form.errors, "scope.campaign_ids")}
          />
        </>
      )}
    </Stack>
  );
}

/** The first fault of a field or of one of its items. */
function faultUnder(errors: Record<string, unknown>, path: string): string | null {
  const found = Object.entries(errors).find(([field]) => field === path || field.startsWith(`${path}.`));
  return found ? String(found[1]) : null;
}

function faultsOf(values: Values): Record<string, string> {
  const { scope, reports, role, lifetime } = values;
  const named = scope.content_ids.length + scope.campaign_ids.length;
  return {
    ...(values.name.trim() === "" ? { name: "Give a name." } : {}),
    ...scopeFaults(values),
    ...(role === "reporter" && reports === "some" && named === 0 ? { "scope.content_ids": "Name content or campaigns." } : {}),
    ...(lifetime === "day" && Number.isNaN(Date.parse(values.expires_at)) ? { expires_at: "Choose a day." } : {}),
  };
}

/** What is sent for the form's values at `now` (ms). Pure. */
export function bodyOf(values: Values, now: number): Body {
  const { role, lifetime } = values;
  // The whole of the day that was chosen, by the clock of who chose it.
  const expires = lifetime === "day" ? Date.parse(`${values.expires_at}T23:59:59`) : now + Number(lifetime) * DAY_MS;
  const given = { name: values.name, expires_at: new Date(expires).toISOString() };
  if (role === "reporter") return { ...given, role, scope: reportedOf(values) };
  return role === "viewer" ? { ...given, role, scope: scopeOf(values) } : { ...given, role: role as "admin" | "operator" };
}

function reportedOf({ reports, scope: { content_ids, campaign_ids } }: Values) {
  if (reports === "all") return { all_content: true as const };
  return { ...(content_ids.length > 0 ? { content_ids } : {}), ...(campaign_ids.length > 0 ? { campaign_ids } : {}) };
}
