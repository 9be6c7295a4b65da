import { PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { changePassword } from "../../account/calls.ts";
import { FormPage } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";

export function PasswordPanel() {
  const form = useForm({ initialValues: { current_password: "", new_password: "" } });
  return (
    <Panel title="Password">
      <FormPage
        form={form}
        saveLabel="Change password"
        onSave={({ current_password, new_password }) => changePassword(current_password, new_password)}
        onDone={() => {
          form.reset();
          said("Password changed; your other sessions have ended");
        }}
      >
        <PasswordInput label="Current password" autoComplete="current-password" required {...form.getInputProps("current_password")} />
        <PasswordInput
          label="New password"
          description="12 characters or more; a few words are best"
          autoComplete="new-password"
          required
          {...form.getInputProps("new_password")}
        />
      </FormPage>
    </Panel>
  );
}
