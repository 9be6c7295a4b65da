import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { call } from "../../api/client.ts";
import { ME_KEY, useMe } from "../../api/me.ts";
import { queryClient } from "../../api/query.ts";
import { FormPage } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";

/** One's own name, as others see it in the audit log. */
export function NamePanel() {
  const { name } = useMe();
  return (
    <Panel title="Name">
      <NameForm key={name} name={name} />
    </Panel>
  );
}

function NameForm({ name }: { name: string }) {
  const form = useForm({
    initialValues: { name },
    validate: { name: (typed) => (typed.trim() === "" ? "Give a name." : null) },
  });
  return (
    <FormPage
      form={form}
      saveLabel="Save name"
      onSave={async (body) => {
        queryClient.setQueryData(ME_KEY, await call("PATCH /v1/admin/me", { body }));
        said("Name saved");
      }}
      onDone={() => undefined}
    >
      <TextInput
        label="Your name"
        description="Others see it beside what you change."
        autoComplete="name"
        required
        {...form.getInputProps("name")}
      />
    </FormPage>
  );
}
