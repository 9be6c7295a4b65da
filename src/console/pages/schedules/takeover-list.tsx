import { Button } from "@mantine/core";
import { call, type Item } from "../../api/client.ts";
import { useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { FilterBar, type Filters } from "../../parts/filters.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import type { Network } from "./places.ts";

type Takeover = Item<"GET /v1/admin/takeovers">;

/** Takeovers, newest first: those that stand can be lifted. */
export function TakeoverList({ network, filters, onStart }: { network: Network; filters: Filters; onStart: () => void }) {
  const isOperator = useMay("operate");
  const active = filters.values.active as "true" | "false" | undefined;
  const takeovers = useRows("GET /v1/admin/takeovers", { query: { active } }, { refetchInterval: 30_000 });
  const columns: Column<Takeover>[] = [
    { id: "name", header: "Takeover", value: ({ name }) => name },
    {
      id: "state",
      header: "State",
      value: (takeover) => stateOf(takeover),
      cell: (takeover) => <State value={takeover.active ? "warn" : "unknown"}>{stateOf(takeover)}</State>,
    },
    { id: "target", header: "Where", value: (takeover) => whereOf(network, takeover) },
    {
      id: "shows",
      header: "Shows",
      value: ({ playlist_id }) => (playlist_id ? (network.playlists.get(playlist_id) ?? "a playlist") : "A single file"),
    },
    { id: "started", header: "Started", value: ({ started_at }) => Date.parse(started_at), cell: (row) => <When at={row.started_at} /> },
    {
      id: "ends",
      header: "Ends",
      value: ({ ends_at }) => (ends_at ? Date.parse(ends_at) : null),
      cell: (row) => <When at={row.lifted_at ?? row.ends_at} never="When it is lifted" />,
    },
    {
      id: "lift",
      header: "",
      cell: (takeover) =>
        takeover.active && isOperator ? (
          <Button size="compact-xs" variant="default" onClick={() => void lift(takeover)}>
            Lift
          </Button>
        ) : null,
      width: 80,
    },
  ];
  return (
    <>
      <FilterBar
        filters={filters}
        list={[
          {
            key: "active",
            label: "State",
            options: [
              { value: "true", label: "On now" },
              { value: "false", label: "Over" },
            ],
          },
        ]}
      />
      <DataTable
        name="takeovers"
        noun={["takeover", "takeovers"]}
        source={takeovers}
        columns={columns}
        rowId={({ id }) => id}
        empty={{
          text: active
            ? "No takeover is like that."
            : "No message has ever taken screens over. One stands in place of every plan, until it ends or is lifted.",
          action: isOperator && (
            <Button variant="default" onClick={onStart}>
              Take over screens
            </Button>
          ),
        }}
      />
    </>
  );
}

function stateOf({ active, lifted_at }: Takeover): string {
  return active ? "On now" : lifted_at ? "Lifted" : "Ended";
}

function whereOf(network: Network, { target_type, target_id }: Takeover): string {
  if (target_type === "ALL") return "The whole network";
  return (target_type === "GROUP" ? network.groups.get(target_id ?? "")?.name : network.stores.get(target_id ?? "")?.name) ?? "…";
}

async function lift({ id, name }: Takeover): Promise<void> {
  try {
    await call("POST /v1/admin/takeovers/{id}/lift", { path: { id } });
    await readAgain("/v1/admin/takeovers", "/v1/admin/devices");
    said(`Lifted ${name}: screens go on with their plans`);
  } catch (error) {
    failed("Not lifted", error);
  }
}
