import { Button } from "@mantine/core";
import { IconLinkOff, IconRefresh } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { type Answer, call, type Item } from "../../api/client.ts";
import { may, useMe } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { actorId, actorWords } from "../../parts/actor.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { InviteDrawer, LinkShown } from "./invite.tsx";
import { oneOf, ROLE_TITLES, seenWords, useSupplierNames } from "./scope.tsx";
import { SettingsSection } from "./sections.tsx";
import { InviteButton } from "./users.tsx";

type Invitation = Item<"GET /v1/admin/invitations">;
type Made = Answer<"POST /v1/admin/invitations">;

const STATES = ["open", "accepted", "expired", "revoked"] as const;
const STATE_WORDS: Record<(typeof STATES)[number], [StateValue, string]> = {
  open: ["warn", "Waits"],
  accepted: ["ok", "Accepted"],
  expired: ["unknown", "Ran out"],
  revoked: ["unknown", "Taken back"],
};
const KIND_WORDS = { setup: "First administrator", invitation: "New user", reset: "New password" };

/** The links by which people come in: which wait, and which were used. */
export function InvitationsPage() {
  const me = useMe();
  return (
    <SettingsSection
      name="invitations"
      line="Links by which people come in or set a new password. Each is good once."
      action={<InviteButton />}
    >
      {may(me, "administer") && <InvitationTable />}
    </SettingsSection>
  );
}

function InvitationTable() {
  const filters = useFilters(["state"]);
  const state = oneOf(filters.values.state, STATES);
  const source = useRows("GET /v1/admin/invitations", { query: { state } });
  const users = useRows("GET /v1/admin/users", {}, { all: 2000 });
  const suppliers = useSupplierNames();
  const names = useMemo(() => new Map(users.rows.map(({ id, name }) => [id, name])), [users.rows]);
  const [again, setAgain] = useState<Invitation | null>(null);
  const [made, setMade] = useState<Made | null>(null);

  const columns: Column<Invitation>[] = [
    { id: "for", header: "For", value: ({ email, user_id }) => email ?? names.get(user_id ?? "") ?? "Whoever has the link" },
    { id: "kind", header: "What for", value: ({ kind }) => KIND_WORDS[kind] },
    { id: "role", header: "Role", value: ({ role }) => ROLE_TITLES[role] ?? role },
    { id: "sees", header: "Sees", value: ({ role, scope }) => seenWords(role, scope, suppliers) },
    {
      id: "state",
      header: "State",
      value: (invitation) => STATE_WORDS[invitation.state][1],
      cell: (invitation) => <State value={STATE_WORDS[invitation.state][0]}>{STATE_WORDS[invitation.state][1]}</State>,
    },
    { id: "created_by", header: "Made by", value: ({ created_by }) => actorWords(created_by, names.get(actorId(created_by))) },
    {
      id: "created_at",
      header: "Made",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} />,
    },
    {
      id: "expires_at",
      header: "Good until",
      value: ({ expires_at }) => Date.parse(expires_at),
      cell: ({ state: is, expires_at }) => (is === "open" ? <When at={expires_at} /> : "–"),
    },
  ];
  const actions = (invitation: Invitation): RowAction[] => [
    ...(invitation.kind === "invitation" && invitation.state !== "accepted"
      ? [{ label: "Invite again", icon: <IconRefresh size={15} />, run: () => setAgain(invitation) }]
      : []),
    ...(invitation.state === "open"
      ? [{ label: "Take back", icon: <IconLinkOff size={15} />, run: () => void revoke(invitation), destructive: true }]
      : []),
  ];
  return (
    <>
      <FilterBar
        filters={filters}
        list={[{ key: "state", label: "State", options: STATES.map((value) => ({ value, label: STATE_WORDS[value][1] })) }]}
      />
      <DataTable
        name="invitations"
        noun={["invitation", "invitations"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        actions={actions}
        empty={
          state
            ? {
                text: "No invitation is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : { text: "Nobody was invited yet. Invite the people who work here; you send the link yourself." }
        }
      />
      {again && (
        <InviteDrawer email={again.email ?? ""} role={again.role} scope={again.scope} onClose={() => setAgain(null)} onMade={setMade} />
      )}
      {made && <LinkShown made={made} onClose={() => setMade(null)} />}
    </>
  );
}

/** Nothing is lost by it: who was meant can be invited again. */
async function revoke({ id, email }: Invitation): Promise<void> {
  try {
    await call("POST /v1/admin/invitations/{id}/revoke", { path: { id } });
    await readAgain("/v1/admin/invitations");
    said(`The link${email ? ` for ${email}` : ""} leads nowhere any more`);
  } catch (error) {
    failed("The invitation was not taken back", error);
  }
}
