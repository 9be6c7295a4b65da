import { useMemo } from "react";
import { useRows } from "../../api/query.ts";
import type { DeviceGroup, Store } from "../../api/schema.ts";
import { compareValues } from "../../parts/data-table-columns.ts";

const MAX_PLACES = 5000;

/** The stores and groups by which devices are told apart. */
export interface Places {
  stores: Store[];
  groups: DeviceGroup[];
  storeOf: (id: string | null) => Store | undefined;
  groupOf: (id: string | null) => DeviceGroup | undefined;
  storeOptions: { value: string; label: string }[];
  groupOptions: { value: string; label: string }[];
}

const byLabel = <T extends { label: string }>(options: T[]) => options.sort((a, b) => compareValues(a.label, b.label));

/** Reads all stores and groups; empty while they come. */
export function usePlaces(): Places {
  const { rows: stores } = useRows("GET /v1/admin/stores", {}, { all: MAX_PLACES });
  const { rows: groups } = useRows("GET /v1/admin/device-groups", {}, { all: MAX_PLACES });
  return useMemo(() => {
    const byStore = new Map(stores.map((store) => [store.id, store]));
    const byGroup = new Map(groups.map((group) => [group.id, group]));
    return {
      stores,
      groups,
      storeOf: (id) => (id === null ? undefined : byStore.get(id)),
      groupOf: (id) => (id === null ? undefined : byGroup.get(id)),
      storeOptions: byLabel(stores.map(({ id, name, city }) => ({ value: id, label: city && city !== name ? `${name}, ${city}` : name }))),
      groupOptions: byLabel(groups.map(({ id, name }) => ({ value: id, label: name }))),
    };
  }, [stores, groups]);
}
