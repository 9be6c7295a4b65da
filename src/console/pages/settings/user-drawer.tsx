import { Drawer, Skeleton, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type Answer, call } from "../../api/client.ts";
import { forgetMe, useMe } from "../../api/me.ts";
import { readAgain, useRead } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import {
  ROLE_TITLES,
  RoleFields,
  type ScopeValues,
  scopeFaults,
  scopeOf,
  scopeValues,
  seenWords,
  USER_ROLES,
  type UserRole,
  useSupplierNames,
} from "./scope.tsx";

type User = Answer<"GET /v1/admin/users/{id}">;
interface Values extends ScopeValues {
  name: string;
}

/** Somebody's name, role and scope, to be changed. */
export function UserDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const user = useRead("GET /v1/admin/users/{id}", { path: { id } });
  if (user.data) return <UserForm user={user.data} onClose={onClose} />;
  return (
    <Drawer opened onClose={onClose} title="User">
      {user.error ? <Fault error={user.error} retry={() => void user.refetch()} /> : <Skeleton height={200} />}
    </Drawer>
  );
}

const valuesOf = ({ name, role, scope }: User): Values => ({ name, ...scopeValues(role, scope) });

function UserForm({ user, onClose }: { user: User; onClose: () => void }) {
  const me = useMe();
  const suppliers = useSupplierNames();
  const form = useForm<Values>({
    initialValues: valuesOf(user),
    validate: (values) => ({ ...(values.name.trim() === "" ? { name: "Give a name." } : {}), ...scopeFaults(values) }),
  });
  const path = { id: user.id };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={`${user.name} · ${user.email}`}
      form={form}
      editing={{
        version: user.version,
        read: async () => {
          const now = await call("GET /v1/admin/users/{id}", { path });
          return { values: valuesOf(now), version: now.version };
        },
        labels: { name: "Name", role: "Role", sees: "Sees", scope: "Held to" },
        show: (field, value) => {
          if (field === "role") return ROLE_TITLES[String(value)];
          return field === "scope" ? seenWords("viewer", value as ScopeValues["scope"], suppliers) : undefined;
        },
      }}
      onSave={async (values, { version }) => {
        const role = values.role as UserRole;
        const body = { name: values.name, role, ...(role === "viewer" ? { scope: scopeOf(values) } : {}) };
        await call("PATCH /v1/admin/users/{id}", { path, body, version });
        await readAgain("/v1/admin/users");
        said(`${values.name} saved; it holds from their next click on`);
        // Who has just taken a role from themselves must not go on looking at what it showed.
        if (user.id === me.id && role !== me.role) forgetMe();
      }}
    >
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <RoleFields roles={USER_ROLES} values={form.getValues()} input={(field) => form.getInputProps(field)} />
    </FormDrawer>
  );
}
