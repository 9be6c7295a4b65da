import { useMemo } from "react";
import { type Rows, useRows } from "../../api/query.ts";
import type { Device, Store } from "../stores/stores.ts";

/** Where schedules are looked at: a group or a device, as `GROUP:<id>` or `DEVICE:<id>` in the page's address. */
export interface Where {
  type: "GROUP" | "DEVICE";
  id: string;
}

export function whereOf(text: string | undefined): Where | null {
  const match = /^(GROUP|DEVICE):(.+)$/.exec(text ?? "");
  return match ? { type: match[1] as Where["type"], id: match[2] ?? "" } : null;
}

/** Everything of the network that schedules name. */
export interface Network {
  groups: Map<string, { id: string; name: string; default_playlist_id: string | null }>;
  devices: Map<string, Device>;
  stores: Map<string, Store>;
  playlists: Map<string, string>;
  pending: boolean;
  error: Rows<unknown>["error"];
  /** Groups and devices, for picking one. */
  targets: { group: string; items: { value: string; label: string }[] }[];
}

export function useNetwork(): Network {
  const groups = useRows("GET /v1/admin/device-groups", {}, { all: 1000 });
  const devices = useRows("GET /v1/admin/devices", {}, { all: 10_000 });
  const stores = useRows("GET /v1/admin/stores", {}, { all: 5000 });
  const playlists = useRows("GET /v1/admin/playlists", {}, { all: 5000 });
  return useMemo(() => {
    const byName = (a: { label: string }, b: { label: string }) => a.label.localeCompare(b.label);
    const live = devices.rows.filter(({ status }) => status !== "revoked");
    return {
      groups: new Map(groups.rows.map((group) => [group.id, group])),
      devices: new Map(devices.rows.map((device) => [device.id, device])),
      stores: new Map(stores.rows.map((store) => [store.id, store])),
      playlists: new Map(playlists.rows.map(({ id, name }) => [id, name])),
      pending: groups.pending || devices.pending || stores.pending,
      error: groups.error ?? devices.error,
      targets: [
        { group: "Groups", items: groups.rows.map(({ id, name }) => ({ value: `GROUP:${id}`, label: name })).sort(byName) },
        { group: "Devices", items: live.map(({ id, external_name }) => ({ value: `DEVICE:${id}`, label: external_name })).sort(byName) },
      ],
    };
  }, [
    groups.rows,
    devices.rows,
    stores.rows,
    playlists.rows,
    groups.pending,
    devices.pending,
    stores.pending,
    groups.error,
    devices.error,
  ]);
}

/** What a target is called. */
export function targetName(network: Network, type: "GROUP" | "DEVICE", id: string): string {
  return (
    (type === "GROUP" ? network.groups.get(id)?.name : network.devices.get(id)?.external_name) ?? (network.pending ? "…" : "a removed one")
  );
}

/** The devices of a place, those of stores first. */
export function devicesOf(network: Network, where: Where): Device[] {
  if (where.type === "DEVICE") {
    const device = network.devices.get(where.id);
    return device ? [device] : [];
  }
  return [...network.devices.values()]
    .filter(({ group_id, status }) => group_id === where.id && status !== "revoked")
    .sort((a, b) => a.external_name.localeCompare(b.external_name));
}
