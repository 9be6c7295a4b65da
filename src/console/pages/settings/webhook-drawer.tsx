import { Checkbox, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type Answer, call } from "../../api/client.ts";
import { FormDrawer, type SaveContext } from "../../parts/form.tsx";
import { EVENT_HELP, EVENT_TYPES, EVENT_WORDS, type EventType } from "./webhook-words.tsx";

type Webhook = Answer<"GET /v1/admin/webhooks/{id}">;
interface Values {
  name: string;
  url: string;
  events: EventType[];
}

const valuesOf = ({ name, url, events }: Webhook): Values => ({ name, url, events });

/** Who is told, and of what. `webhook` is null for a new one. */
export function WebhookDrawer({
  webhook,
  save,
  onClose,
}: {
  webhook: Webhook | null;
  save: (values: Values, context: SaveContext) => Promise<unknown>;
  onClose: () => void;
}) {
  const form = useForm<Values>({
    initialValues: webhook ? valuesOf(webhook) : { name: "", url: "https://", events: ["incident.opened", "incident.resolved"] },
    validate: ({ name, events }) => ({
      ...(name.trim() === "" ? { name: "Give a name." } : {}),
      ...(events.length === 0 ? { events: "Choose one event at least." } : {}),
    }),
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={webhook ? `Edit ${webhook.name}` : "Add a webhook"}
      form={form}
      saveLabel={webhook ? "Save" : "Add webhook"}
      onSave={save}
      {...(webhook
        ? {
            editing: {
              version: webhook.version,
              read: async () => {
                const now = await call("GET /v1/admin/webhooks/{id}", { path: { id: webhook.id } });
                return { values: valuesOf(now), version: now.version };
              },
              labels: { name: "Name", url: "Sends to", events: "Tells of" },
              show: (field: keyof Values, value: Values[keyof Values]) =>
                field === "events" ? (value as EventType[]).map((event) => EVENT_WORDS[event]).join(", ") : undefined,
            },
          }
        : {})}
    >
      <TextInput label="Name" placeholder="Billing" required data-autofocus {...form.getInputProps("name")} />
      <TextInput
        label="Sends to"
        description="https, on port 443 of a public domain. Redirects are not followed."
        inputMode="url"
        required
        {...form.getInputProps("url")}
      />
      <Checkbox.Group label="Tells of" required {...form.getInputProps("events")}>
        <Stack gap="xs" mt={6}>
          {EVENT_TYPES.map((event) => (
            <Checkbox key={event} value={event} label={EVENT_WORDS[event]} description={EVENT_HELP[event]} />
          ))}
        </Stack>
      </Checkbox.Group>
    </FormDrawer>
  );
}
