import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { DAY_MS, day as dayWords } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";

/** Chooses the days to replay. `day` is the one that it begins with. */
export function ReplayForm({ opened, onClose, day }: { opened: boolean; onClose: () => void; day?: string }) {
  const chosen = day ?? new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  return opened ? <Form key={chosen} chosen={chosen} onClose={onClose} /> : null;
}

function Form({ chosen, onClose }: { chosen: string; onClose: () => void }) {
  const form = useForm({
    initialValues: { from: chosen, to: chosen },
    validate: {
      from: (value) => (value === "" ? "Choose the first day" : null),
      to: (value, { from }) => (value === "" ? "Choose the last day" : value < from ? "The last day is before the first" : null),
    },
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title="Replay days from the archive"
      form={form}
      saveLabel="Start the replay"
      onSave={async ({ from, to }, { idempotencyKey }) => {
        await call("POST /v1/admin/pipeline/replay", { body: { from, to }, idempotencyKey });
        said(from === to ? `Replaying ${dayWords(from)}` : `Replaying ${dayWords(from)} to ${dayWords(to)}`);
        await readAgain("/v1/admin/pipeline");
      }}
    >
      <TextInput type="date" label="First day" description="As the stores' calendars have it" required {...form.getInputProps("from")} />
      <TextInput type="date" label="Last day" description="Included; 92 days at most" required {...form.getInputProps("to")} />
    </FormDrawer>
  );
}
