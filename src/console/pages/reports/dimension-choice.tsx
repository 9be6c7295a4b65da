import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { DIMENSIONS, type Dimension } from "./asked.ts";
import { noneOf, useFound, useNames } from "./names.ts";

const TYPING_ENDS_AFTER_MS = 200;

/** The choice of some campaigns, stores and so on, in the dropdown of their chip: searched by name, several at once. */
export function DimensionChoice({ dimension, ids, onChange }: { dimension: Dimension; ids: string[]; onChange: (ids: string[]) => void }) {
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), TYPING_ENDS_AFTER_MS);
  const { label } = DIMENSIONS[dimension];
  const names = useNames(dimension, ids);
  const found = useFound(dimension, asked, true);
  const chosen = ids.map((id, index) => ({ value: id, label: names[index] ?? id }));
  const none = dimension === "device_id" || dimension === "content_id" ? [] : [{ value: "none", label: noneOf(dimension) }];
  const others = [...none, ...(found.data ?? [])].filter(({ value }) => !ids.includes(value));
  return (
    <MultiSelect
      size="xs"
      w={300}
      aria-label={label}
      placeholder={`Search ${label.toLowerCase()}`}
      data={[...chosen, ...others]}
      value={ids}
      onChange={onChange}
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      // The server has searched already.
      filter={({ options }) => options}
      hidePickedOptions
      comboboxProps={{ withinPortal: false }}
      nothingFoundMessage={found.error ? found.error.message : found.isFetching ? "Searching" : "Nothing of that name"}
      maxDropdownHeight={260}
      // It comes after the dropdown that would have given it the focus.
      autoFocus
    />
  );
}
