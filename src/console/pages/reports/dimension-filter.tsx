import { Button, CloseButton, MultiSelect, Popover, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { DIMENSIONS, type Dimension } from "./asked.ts";
import { noneOf, useFound, useNames } from "./names.ts";

const TYPING_ENDS_AFTER_MS = 200;

/** A chip by which a report is narrowed to some campaigns, stores and so on: searched by name, several at once. */
export function DimensionFilter({ dimension, ids, onChange }: { dimension: Dimension; ids: string[]; onChange: (ids: string[]) => void }) {
  const [opened, setOpened] = useState(false);
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), TYPING_ENDS_AFTER_MS);
  const { label } = DIMENSIONS[dimension];
  const names = useNames(dimension, ids);
  const found = useFound(dimension, asked, opened);
  const chosen = ids.map((id, index) => ({ value: id, label: names[index] ?? id }));
  const none = dimension === "device_id" || dimension === "content_id" ? [] : [{ value: "none", label: noneOf(dimension) }];
  const others = [...none, ...(found.data ?? [])].filter(({ value }) => !ids.includes(value));
  const isSet = ids.length > 0;
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus withRoles>
      <Popover.Target>
        <Button.Group>
          <Button variant="default" size="xs" onClick={() => setOpened(!opened)} data-set={isSet || undefined}>
            <Text span c="dimmed" inherit>
              {label}
            </Text>
            {isSet && (
              <Text span inherit ml={6} truncate maw={200}>
                {names[0]}
                {ids.length > 1 ? ` and ${ids.length - 1} more` : ""}
              </Text>
            )}
          </Button>
          {isSet && (
            <Button variant="default" size="xs" px={4} component="span">
              <CloseButton size={18} aria-label={`Remove filter ${label}`} onClick={() => onChange([])} />
            </Button>
          )}
        </Button.Group>
      </Popover.Target>
      <Popover.Dropdown p="xs">
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
          data-autofocus
        />
      </Popover.Dropdown>
    </Popover>
  );
}
