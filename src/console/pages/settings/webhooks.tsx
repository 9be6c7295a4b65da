import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { type Answer, call, type Item } from "../../api/client.ts";
import { Can, useMay, useMe } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { emptyOf } from "../../parts/empty.tsx";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { When } from "../../parts/when.tsx";
import { oneOf } from "./scope.tsx";
import { SettingsSection } from "./sections.tsx";
import { ShownOnce } from "./shown-once.tsx";
import { WebhookDrawer } from "./webhook-drawer.tsx";
import { EVENT_WORDS, WebhookState } from "./webhook-words.tsx";

type Webhook = Item<"GET /v1/admin/webhooks">;
type Made = Answer<"POST /v1/admin/webhooks">;

/** Who is told of events over HTTPS. */
export function WebhooksPage() {
  const me = useMe();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const mayMake = useMay("operate");
  useShortcut({ keys: "n", label: "Add a webhook", group: "Settings" }, () => setMaking(true), mayMake);
  return (
    <SettingsSection
      name="webhooks"
      line="Other systems that are told over HTTPS when something happens: signed, retried for three days, and logged."
      action={
        <Can do="operate">
          <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
            Add webhook
          </Button>
        </Can>
      }
    >
      {me.scope === null && <WebhookTable {...(mayMake ? { onMake: () => setMaking(true) } : {})} />}
      {making && (
        <WebhookDrawer
          webhook={null}
          onClose={() => setMaking(false)}
          save={async (values, { idempotencyKey }) => {
            setMade(await call("POST /v1/admin/webhooks", { body: values, idempotencyKey }));
            await readAgain("/v1/admin/webhooks");
          }}
        />
      )}
      {made && <SecretShown name={made.name} secret={made.secret} onClose={() => setMade(null)} />}
    </SettingsSection>
  );
}

/** A secret that a webhook was just given. */
export function SecretShown({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <ShownOnce title={`Secret of ${name}`} value={secret} label="secret" onClose={onClose}>
      The receiver checks each message's signature with it (Standard Webhooks), so that it acts on nothing that others send.
    </ShownOnce>
  );
}

const columns: Column<Webhook>[] = [
  { id: "name", header: "Name", value: ({ name }) => name },
  { id: "state", header: "State", value: ({ status }) => status, cell: (webhook) => <WebhookState webhook={webhook} /> },
  { id: "url", header: "Sends to", value: ({ url }) => url },
  { id: "events", header: "Tells of", value: ({ events }) => events.map((event) => EVENT_WORDS[event]).join(", ") },
  {
    id: "updated_at",
    header: "Changed",
    value: ({ updated_at }) => Date.parse(updated_at),
    cell: ({ updated_at }) => <When at={updated_at} />,
  },
];

function WebhookTable({ onMake }: { onMake?: () => void }) {
  const filters = useFilters(["q", "status"]);
  const { q, status } = filters.values;
  const query = { q, status: oneOf(status, ["active", "disabled"] as const) };
  const source = useRows("GET /v1/admin/webhooks", { query }, { all: 200 });
  return (
    <>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search webhooks"
        list={[
          {
            key: "status",
            label: "State",
            options: [
              { value: "active", label: "On" },
              { value: "disabled", label: "Off" },
            ],
          },
        ]}
      />
      <DataTable
        name="webhooks"
        noun={["webhook", "webhooks"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        href={({ id }) => `/settings/webhooks/${id}`}
        sortBy={{ id: "name" }}
        empty={emptyOf(filters, "No webhook is like that.", {
          text: "Nobody is told of anything yet. Add a webhook, for billing or for whoever is on call.",
          action: onMake && <Button onClick={onMake}>Add webhook</Button>,
        })}
      />
    </>
  );
}
