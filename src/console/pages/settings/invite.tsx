import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type Answer, call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { RoleFields, type ScopeValues, scopeFaults, scopeOf, scopeValues, USER_ROLES, type UserRole } from "./scope.tsx";
import { ShownOnce } from "./shown-once.tsx";

type Made = Answer<"POST /v1/admin/invitations">;

/** Whom to invite, as what. `onMade` is given the link, which there is this once. */
export function InviteDrawer({
  onClose,
  onMade,
  email = "",
  role = "viewer",
  scope = null,
}: {
  onClose: () => void;
  onMade: (made: Made) => void;
  email?: string;
  role?: string;
  scope?: Record<string, unknown> | null;
}) {
  const form = useForm<ScopeValues & { email: string }>({
    initialValues: { email, ...scopeValues(role, scope) },
    validate: (values) => ({ ...(values.email.includes("@") ? {} : { email: "Give an e-mail address." }), ...scopeFaults(values) }),
  });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title="Invite somebody"
      form={form}
      saveLabel="Make the link"
      onSave={async (values, { idempotencyKey }) => {
        const held = scopeOf(values);
        const body = { email: values.email.trim(), role: values.role as UserRole, ...(held ? { scope: held } : {}) };
        const made = await call("POST /v1/admin/invitations", { body, idempotencyKey });
        await readAgain("/v1/admin/invitations");
        onMade(made);
      }}
    >
      <TextInput
        label="E-mail"
        description="They sign in with it. Nothing is sent to it: you get a link, and send that yourself."
        type="email"
        autoComplete="off"
        data-autofocus
        required
        {...form.getInputProps("email")}
      />
      <RoleFields roles={USER_ROLES} values={form.getValues()} input={(field) => form.getInputProps(field)} />
    </FormDrawer>
  );
}

/** The link of an invitation that was just made. */
export function LinkShown({ made, onClose }: { made: Made; onClose: () => void }) {
  return (
    <ShownOnce title={`Invitation for ${made.email}`} value={made.link} label="link" onClose={onClose}>
      Send this link to {made.email}. It is good once, for seven days. There they choose a name and a password.
    </ShownOnce>
  );
}
