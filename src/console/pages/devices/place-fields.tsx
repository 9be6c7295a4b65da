import { Select } from "@mantine/core";
import type { Places } from "./places.ts";

/** The two fields that say where a device stands. Each may stay open. */
export function PlaceFields({ places, store, group }: { places: Places; store: object; group: object }) {
  return (
    <>
      <Select
        label="Store"
        description="Its time zone and opening hours are the device's"
        data={places.storeOptions}
        searchable
        clearable
        nothingFoundMessage="No store of that name"
        {...store}
      />
      <Select
        label="Group"
        description="Its policy and default playlist are the device's"
        data={places.groupOptions}
        searchable
        clearable
        nothingFoundMessage="No group of that name"
        {...group}
      />
    </>
  );
}
