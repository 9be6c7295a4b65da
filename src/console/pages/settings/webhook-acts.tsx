import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type Answer, call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { DAY_MS, plural } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";

type Webhook = Answer<"GET /v1/admin/webhooks/{id}">;

const OVERLAPS = [
  { value: "86400", label: "For a day, with the new one" },
  { value: "604800", label: "For seven days, with the new one" },
  { value: "0", label: "Not at all: it has leaked" },
];

/** Gives a webhook a new secret, which is shown this once. */
export function RotateDrawer({
  webhook,
  onClose,
  onSecret,
}: {
  webhook: Webhook;
  onClose: () => void;
  onSecret: (secret: string) => void;
}) {
  const form = useForm({ initialValues: { overlap_s: "86400" } });
  const path = { id: webhook.id };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={`A new secret for ${webhook.name}`}
      form={form}
      saveLabel="Make a new secret"
      onSave={async ({ overlap_s }, { idempotencyKey }) => {
        const body = { overlap_s: Number(overlap_s) };
        onSecret((await call("POST /v1/admin/webhooks/{id}/rotate-secret", { path, body, idempotencyKey })).secret);
        await readAgain("/v1/admin/webhooks");
      }}
    >
      <Select
        label="The secret of now signs on"
        description="Until then messages carry both signatures, so that the receiver can change over without losing any."
        data={OVERLAPS}
        allowDeselect={false}
        {...form.getInputProps("overlap_s")}
      />
    </FormDrawer>
  );
}

/** A day and time as a field of the browser writes it, by the reader's own clock. */
function local(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Sends again the messages of a period that did not get through. */
export function RecoverDrawer({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const now = Date.now();
  const form = useForm({
    initialValues: { from: local(now - DAY_MS), to: local(now) },
    validate: {
      from: (value) => (Number.isNaN(Date.parse(value)) ? "Give a day and time." : null),
      to: (value) => (Number.isNaN(Date.parse(value)) ? "Give a day and time." : null),
    },
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title="Send again what failed"
      form={form}
      saveLabel="Send again"
      onSave={async ({ from, to }, { idempotencyKey }) => {
        const body = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
        const { messages } = await call("POST /v1/admin/webhooks/{id}/recover", { path: { id: webhook.id }, body, idempotencyKey });
        await readAgain("/v1/admin/webhooks");
        said(messages === 0 ? "No message of that time had failed" : `${plural(messages, "message")} under way again`);
      }}
    >
      <TextInput
        label="From"
        description="By your own clock; seven days at most."
        type="datetime-local"
        required
        {...form.getInputProps("from")}
      />
      <TextInput label="To" type="datetime-local" required {...form.getInputProps("to")} />
    </FormDrawer>
  );
}
