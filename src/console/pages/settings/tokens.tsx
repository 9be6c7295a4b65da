import { Button } from "@mantine/core";
import { IconBan, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { type Answer, call, type Item } from "../../api/client.ts";
import { may, useMe } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { actorId, actorWords } from "../../parts/actor.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column, RowAction } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { DAY_MS } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { said } from "../../parts/notes.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { useNow, When } from "../../parts/when.tsx";
import { oneOf, ROLE_TITLES, seenWords, useSupplierNames } from "./scope.tsx";
import { SettingsSection } from "./sections.tsx";
import { ShownOnce } from "./shown-once.tsx";
import { TokenDrawer } from "./token-drawer.tsx";

type Token = Item<"GET /v1/admin/tokens">;
type Made = Answer<"POST /v1/admin/tokens">;

const ROLES = ["admin", "operator", "viewer", "reporter"] as const;
const STATES = ["active", "expired", "revoked"] as const;
const STATE_WORDS = { active: "Active", expired: "Ran out", revoked: "Revoked" };
/** From here on a token's end is worth a warning. */
const ENDS_SOON_MS = 14 * DAY_MS;

/** What programs show to call the API. */
export function TokensPage() {
  const me = useMe();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const mayMake = may(me, "administer");
  useShortcut({ keys: "n", label: "Make an API token", group: "Settings" }, () => setMaking(true), mayMake);
  return (
    <SettingsSection
      name="tokens"
      line="What programs show to call the API: each with its role, what it sees, and an end."
      action={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
          Make token
        </Button>
      }
    >
      {mayMake && <TokenTable onMake={() => setMaking(true)} />}
      {making && <TokenDrawer onClose={() => setMaking(false)} onMade={setMade} />}
      {made && (
        <ShownOnce title={`API token ${made.name}`} value={made.token} label="token" onClose={() => setMade(null)}>
          Put it where the program keeps its secrets. It is sent as <code className="mono">Authorization: Bearer …</code>
        </ShownOnce>
      )}
    </SettingsSection>
  );
}

function TokenTable({ onMake }: { onMake: () => void }) {
  const filters = useFilters(["q", "role", "state"]);
  const { q, role, state } = filters.values;
  const source = useRows("GET /v1/admin/tokens", { query: { q, role: oneOf(role, ROLES), state: oneOf(state, STATES) } }, { all: 2000 });
  const users = useRows("GET /v1/admin/users", {}, { all: 2000 });
  const suppliers = useSupplierNames();
  const names = useMemo(() => new Map([...users.rows, ...source.rows].map(({ id, name }) => [id, name])), [users.rows, source.rows]);
  const now = useNow();
  const [revoking, setRevoking] = useState<Token | null>(null);

  const columns: Column<Token>[] = [
    { id: "name", header: "Name", value: ({ name }) => name },
    { id: "role", header: "Role", value: (token) => ROLE_TITLES[token.role] ?? token.role },
    { id: "sees", header: "Sees", value: (token) => seenWords(token.role, token.scope, suppliers) },
    { id: "state", header: "State", value: (token) => STATE_WORDS[token.state], cell: (token) => <TokenState token={token} now={now} /> },
    {
      id: "last_used_at",
      header: "Last used",
      value: ({ last_used_at }) => (last_used_at ? Date.parse(last_used_at) : null),
      cell: ({ last_used_at }) => <When at={last_used_at} never="Never" />,
    },
    {
      id: "expires_at",
      header: "Ends",
      value: ({ expires_at }) => Date.parse(expires_at),
      cell: ({ expires_at }) => <When at={expires_at} />,
    },
    { id: "created_by", header: "Made by", value: ({ created_by }) => actorWords(created_by, names.get(actorId(created_by))) },
    {
      id: "created_at",
      header: "Made",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} />,
      hidden: true,
    },
    { id: "id", header: "Id", cell: ({ id }) => <Id value={id} label="token's id" />, hidden: true },
  ];
  const actions = (token: Token): RowAction[] =>
    token.state === "revoked" ? [] : [{ label: "Revoke", icon: <IconBan size={15} />, run: () => setRevoking(token), destructive: true }];

  return (
    <>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search tokens"
        list={[
          { key: "role", label: "Role", options: ROLES.map((value) => ({ value, label: ROLE_TITLES[value] ?? value })) },
          { key: "state", label: "State", options: STATES.map((value) => ({ value, label: STATE_WORDS[value] })) },
        ]}
      />
      <DataTable
        name="tokens"
        noun={["token", "tokens"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        actions={actions}
        empty={
          q || role || state
            ? {
                text: "No token is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear filters
                  </Button>
                ),
              }
            : {
                text: "There are no API tokens yet. Make one for each program that calls the API.",
                action: <Button onClick={onMake}>Make token</Button>,
              }
        }
      />
      {revoking && (
        <ConfirmName
          opened
          onClose={() => setRevoking(null)}
          name={revoking.name}
          title="Revoke API token"
          doing="Revoke token"
          onConfirm={() => revoke(revoking)}
        >
          Whatever uses it is refused within 30 seconds, and for good: a token does not come back.{" "}
          {revoking.last_used_at ? (
            <>
              It was last used <When at={revoking.last_used_at} />.
            </>
          ) : (
            "It was never used."
          )}
        </ConfirmName>
      )}
    </>
  );
}

function TokenState({ token, now }: { token: Token; now: number }) {
  if (token.state !== "active") return <State value="unknown">{STATE_WORDS[token.state]}</State>;
  return Date.parse(token.expires_at) - now < ENDS_SOON_MS ? <State value="warn">Ends soon</State> : <State value="ok">Active</State>;
}

async function revoke({ id, name }: Token): Promise<void> {
  await call("POST /v1/admin/tokens/{id}/revoke", { path: { id } });
  await readAgain("/v1/admin/tokens");
  said(`${name} is revoked`);
}
