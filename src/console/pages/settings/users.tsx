import { Button, Text } from "@mantine/core";
import { IconKey, IconLockOff, IconPencil, IconUserCheck, IconUserOff, IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { type Answer, call, type Item } from "../../api/client.ts";
import { may, useMe } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { failed, said, undoable } from "../../parts/notes.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { InviteDrawer, LinkShown } from "./invite.tsx";
import { oneOf, ROLE_TITLES, seenWords, USER_ROLES, useSupplierNames } from "./scope.tsx";
import { SettingsSection } from "./sections.tsx";
import { ShownOnce } from "./shown-once.tsx";
import { UserDrawer } from "./user-drawer.tsx";

type User = Item<"GET /v1/admin/users">;
type Made = Answer<"POST /v1/admin/invitations">;

const LINE = "The people who sign in here, and what each may do and see.";

/** The people; one of them in a drawer, where the address names them. */
export function UsersPage({ id }: { id: string | null }) {
  const me = useMe();
  return (
    <SettingsSection name="users" line={LINE} action={<InviteButton />}>
      {may(me, "administer") && <UserTable id={id} />}
    </SettingsSection>
  );
}

/** The button that invites, and all that follows it. */
export function InviteButton() {
  const [inviting, setInviting] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  useShortcut({ keys: "n", label: "Invite somebody", group: "Settings" }, () => setInviting(true));
  return (
    <>
      <Button leftSection={<IconUserPlus size={16} />} onClick={() => setInviting(true)}>
        Invite
      </Button>
      {inviting && <InviteDrawer onClose={() => setInviting(false)} onMade={setMade} />}
      {made && <LinkShown made={made} onClose={() => setMade(null)} />}
    </>
  );
}

function UserTable({ id }: { id: string | null }) {
  const me = useMe();
  const [, navigate] = useLocation();
  const search = useSearch();
  const filters = useFilters(["q", "role", "disabled"]);
  const { q, role, disabled } = filters.values;
  const query = { q, role: oneOf(role, USER_ROLES), disabled: oneOf(disabled, ["true", "false"] as const) };
  const source = useRows("GET /v1/admin/users", { query }, { all: 2000 });
  const suppliers = useSupplierNames();
  const [resetting, setResetting] = useState<User | null>(null);
  const [reset, setReset] = useState<{ user: User; link: string | undefined } | null>(null);
  const at = (path: string) => (search ? `${path}?${search}` : path);

  const actions = (user: User): RowAction[] => [
    { label: "Edit", icon: <IconPencil size={15} />, run: () => navigate(at(`/settings/users/${user.id}`)) },
    ...(user.disabled_at === null
      ? [
          {
            label: "Make a link for a new password",
            icon: <IconKey size={15} />,
            run: () => void passwordLink(user, (link) => setReset({ user, link })),
          },
        ]
      : []),
    ...(user.two_factor_enabled
      ? [{ label: "Take the second factor away", icon: <IconLockOff size={15} />, run: () => setResetting(user), destructive: true }]
      : []),
    ...(user.id === me.id
      ? []
      : user.disabled_at === null
        ? [{ label: "Disable", icon: <IconUserOff size={15} />, run: () => void setDisabled(user, true), destructive: true }]
        : [{ label: "Enable", icon: <IconUserCheck size={15} />, run: () => void setDisabled(user, false) }]),
  ];

  return (
    <>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search names and e-mails"
        list={[
          { key: "role", label: "Role", options: USER_ROLES.map((value) => ({ value, label: ROLE_TITLES[value] ?? value })) },
          {
            key: "disabled",
            label: "State",
            options: [
              { value: "false", label: "May sign in" },
              { value: "true", label: "Disabled" },
            ],
          },
        ]}
      />
      <DataTable
        name="users"
        noun={["user", "users"]}
        source={source}
        columns={columnsOf(me.id, suppliers)}
        rowId={(user) => user.id}
        href={(user) => at(`/settings/users/${user.id}`)}
        actions={actions}
        sortBy={{ id: "name" }}
        empty={
          q || role || disabled
            ? {
                text: "Nobody is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : { text: "Nobody has an account yet. Invite the people who work here; you send the link yourself." }
        }
      />
      {id && <UserDrawer key={id} id={id} onClose={() => navigate(at("/settings/users"))} />}
      {resetting && (
        <ConfirmName
          opened
          onClose={() => setResetting(null)}
          name={resetting.name}
          title="Take the second factor away"
          doing="Take it away"
          onConfirm={() => resetSecondFactor(resetting)}
        >
          For somebody who lost their phone and their backup codes. Be sure that it is they who ask: until they set up another, their
          password alone lets in. All their sessions end.
        </ConfirmName>
      )}
      {reset && (
        <ShownOnce title={`A new password for ${reset.user.name}`} value={reset.link} label="link" onClose={() => setReset(null)}>
          Send this link to {reset.user.email}. It is good once, for a day. The password that they have works until then.
        </ShownOnce>
      )}
    </>
  );
}

function columnsOf(ownId: string, suppliers: Map<string, string>): Column<User>[] {
  return [
    {
      id: "name",
      header: "Name",
      value: ({ name }) => name,
      cell: ({ id, name }) => (
        <>
          {name}
          {id === ownId && (
            <Text span size="xs" c="dimmed">
              {" "}
              (you)
            </Text>
          )}
        </>
      ),
    },
    { id: "email", header: "E-mail", value: ({ email }) => email },
    { id: "role", header: "Role", value: ({ role }) => ROLE_TITLES[role] ?? role },
    { id: "sees", header: "Sees", value: ({ role, scope }) => seenWords(role, scope, suppliers) },
    {
      id: "second_factor",
      header: "Second factor",
      value: ({ two_factor_enabled }) => (two_factor_enabled ? 1 : 0),
      cell: ({ two_factor_enabled }) => <State value={two_factor_enabled ? "ok" : "warn"}>{two_factor_enabled ? "On" : "Off"}</State>,
    },
    {
      id: "last_sign_in_at",
      header: "Last sign-in",
      value: ({ last_sign_in_at }) => (last_sign_in_at ? Date.parse(last_sign_in_at) : null),
      cell: ({ last_sign_in_at }) => <When at={last_sign_in_at} never="Never" />,
    },
    {
      id: "state",
      header: "State",
      value: ({ disabled_at }) => (disabled_at ? 1 : 0),
      cell: ({ disabled_at }) => <State value={disabled_at ? "unknown" : "ok"}>{disabled_at ? "Disabled" : "May sign in"}</State>,
    },
    {
      id: "created_at",
      header: "Joined",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} />,
      hidden: true,
    },
  ];
}

/** Disables or enables somebody, and offers to take it back. */
async function setDisabled(user: User, disabled: boolean): Promise<void> {
  const change = async (to: boolean) => {
    await call("PATCH /v1/admin/users/{id}", { path: { id: user.id }, body: { disabled: to } });
    await readAgain("/v1/admin/users");
  };
  try {
    await change(disabled);
    const words = disabled ? `${user.name} is disabled; their sessions have ended` : `${user.name} may sign in again`;
    undoable(words, () => change(!disabled));
  } catch (error) {
    failed(`${user.name} was not changed`, error);
  }
}

async function resetSecondFactor({ id, name }: User): Promise<void> {
  await call("POST /v1/admin/users/{id}/reset-two-factor", { path: { id } });
  await readAgain("/v1/admin/users");
  said(`${name} signs in by password alone until they set up another second factor`);
}

async function passwordLink({ id, name }: User, show: (link: string | undefined) => void): Promise<void> {
  try {
    show((await call("POST /v1/admin/users/{id}/reset-password", { path: { id } })).link);
    await readAgain("/v1/admin/invitations");
  } catch (error) {
    failed(`No link was made for ${name}`, error);
  }
}
