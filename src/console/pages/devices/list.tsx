import { Alert, Button, Group } from "@mantine/core";
import { IconPencil, IconPlugConnected, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { Can, useMay } from "../../api/me.ts";
import { useRead, useRows } from "../../api/query.ts";
import type { Device } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { RowAction } from "../../parts/data-table-columns.ts";
import { emptyOf } from "../../parts/empty.tsx";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { plural } from "../../parts/format.ts";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { CommandDialog, EditDevice, MoveDialog, PairDialog, RevokeDialog } from "./dialogs.tsx";
import { deviceColumns } from "./list-columns.tsx";
import type { PairStart } from "./pair.tsx";
import { usePlaces } from "./places.ts";

const MAX_DEVICES = 10_000;
const EVERY_MS = 30_000;
const FILTERS = ["q", "status", "offline", "store_id", "group_id"];

type Doing = { kind: "move" | "command" | "revoke"; devices: Device[]; clear: () => void } | null;

/** All devices: filters in the address, bulk actions, pairing. */
export function DeviceList() {
  const filters = useFilters(FILTERS);
  const places = usePlaces();
  const source = useRows(
    "GET /v1/admin/devices",
    { query: filters.values as Record<string, never> },
    { all: MAX_DEVICES, refetchInterval: EVERY_MS },
  );
  const [, navigate] = useLocation();
  const [pairing, setPairing] = usePairing();
  const [editing, setEditing] = useState<Device | null>(null);
  const [doing, setDoing] = useState<Doing>(null);
  const operates = useMay("operate");
  const columns = useMemo(() => deviceColumns(places), [places]);
  useShortcut({ keys: "n", label: "Pair a device", group: "Devices" }, () => setPairing({ kind: "new" }), operates);

  const actions = (device: Device): RowAction[] => {
    const one = (kind: "move" | "command" | "revoke") => () => setDoing({ kind, devices: [device], clear: () => {} });
    return [
      { label: "Rename or move", icon: <IconPencil size={16} />, run: () => setEditing(device) },
      ...(device.status === "active" ? [{ label: "Send a command", icon: <IconRefresh size={16} />, run: one("command") }] : []),
      {
        label: device.status === "unpaired" ? "Pair its player" : "Replace its player",
        icon: <IconPlugConnected size={16} />,
        run: () => setPairing({ kind: "replace", device }),
      },
      ...(device.status === "revoked" ? [] : [{ label: "Revoke", icon: <IconTrash size={16} />, run: one("revoke"), destructive: true }]),
    ];
  };

  return (
    <>
      <PageHead
        title="Devices"
        line="Every screen of the network: is it well, and what does it play."
        action={
          <Can do="operate">
            <Button onClick={() => setPairing({ kind: "new" })}>Pair a device</Button>
          </Can>
        }
      />
      <Can do="operate">
        <WaitingClaims onLook={() => setPairing({ kind: "approve" })} />
      </Can>
      <FilterBar
        filters={filters}
        search="q"
        searchLabel="Search by name"
        list={[
          {
            key: "offline",
            label: "Connection",
            options: [
              { value: "true", label: "Offline" },
              { value: "false", label: "Not offline" },
            ],
          },
          {
            key: "status",
            label: "Status",
            options: [
              { value: "active", label: "Paired" },
              { value: "unpaired", label: "Not paired" },
              { value: "revoked", label: "Revoked" },
            ],
          },
          { key: "store_id", label: "Store", options: places.storeOptions },
          { key: "group_id", label: "Group", options: places.groupOptions },
        ]}
      />
      <DataTable
        name="devices"
        noun={["device", "devices"]}
        source={source}
        columns={columns}
        rowId={({ id }) => id}
        href={({ id }) => `/devices/${id}`}
        {...(operates
          ? {
              actions,
              bulk: (devices: Device[], clear: () => void) => (
                <Group gap="xs">
                  <Button size="compact-sm" variant="default" onClick={() => setDoing({ kind: "move", devices, clear })}>
                    Move
                  </Button>
                  <Button size="compact-sm" variant="default" onClick={() => setDoing({ kind: "command", devices, clear })}>
                    Send a command
                  </Button>
                  <Button size="compact-sm" variant="default" color="red" onClick={() => setDoing({ kind: "revoke", devices, clear })}>
                    Revoke
                  </Button>
                </Group>
              ),
            }
          : {})}
        empty={emptyOf(filters, "No device is like that.", {
          text: "No screen is paired yet. Open the player on a screen, and pair it by its code.",
          action: operates && <Button onClick={() => setPairing({ kind: "new" })}>Pair a device</Button>,
        })}
        sortBy={{ id: "name" }}
      />
      {pairing && (
        <PairDialog start={pairing} places={places} onClose={() => setPairing(null)} onPaired={(id) => navigate(`/devices/${id}`)} />
      )}
      {editing && <EditDevice device={editing} places={places} onClose={() => setEditing(null)} />}
      {doing?.kind === "move" && <MoveDialog {...doing} places={places} onClose={() => setDoing(null)} />}
      {doing?.kind === "command" && <CommandDialog {...doing} onClose={() => setDoing(null)} />}
      {doing?.kind === "revoke" && <RevokeDialog {...doing} onClose={() => setDoing(null)} />}
    </>
  );
}

/** What the pairing dialog is open for. The QR code on a screen leads here with the code that it shows. */
function usePairing() {
  const [search, setSearch] = useSearchParams();
  const code = search.get("claim_code");
  const [pairing, setPairing] = useState<PairStart | null>(code === null ? null : { kind: "approve", code });
  const set = (next: PairStart | null) => {
    setPairing(next);
    if (next === null && code !== null) {
      setSearch(
        (before) => {
          before.delete("claim_code");
          return before;
        },
        { replace: true },
      );
    }
  };
  return [pairing, set] as const;
}

/** Says that screens wait for somebody to approve their own codes. */
function WaitingClaims({ onLook }: { onLook: () => void }) {
  const { data } = useRead("GET /v1/admin/claims", { query: { status: "pending", limit: 200 } }, { refetchInterval: EVERY_MS });
  const waiting = data?.items.filter(({ asked_by }) => asked_by === "device").length ?? 0;
  if (waiting === 0) return null;
  return (
    <Alert mb="sm" py="xs" role="status">
      <Group justify="space-between">
        {plural(waiting, "screen")} {waiting === 1 ? "waits" : "wait"} to be approved.
        <Button size="compact-sm" variant="default" onClick={onLook}>
          Approve
        </Button>
      </Group>
    </Alert>
  );
}
