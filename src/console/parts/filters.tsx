import { Button, CloseButton, Group, Menu, Popover, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilterPlus, IconSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { later } from "./later.tsx";
import { useShortcut } from "./shortcuts.ts";

// Opened by a click: the choice weighs more than the bar.
const FilterChoice = later(async () => (await import("./filter-choice.tsx")).FilterChoice);

/** One thing that a list can be narrowed by. Its `key` is the name in the page's address, and best also the API's. */
export interface Filter {
  key: string;
  label: string;
  /** What can be chosen; without them a text is typed, or a day where `day` is set. */
  options?: { value: string; label: string }[];
  day?: boolean;
}

export interface Filters {
  /** What is set now, by key; what is not set is absent. */
  values: Record<string, string>;
  /** Sets one; null takes it away. The page's address follows. */
  set: (key: string, value: string | null) => void;
  clear: () => void;
}

/** The filters of a page, kept in its address: they survive reloading, and can be sent to others. */
export function useFilters(keys: readonly string[]): Filters {
  const [search, setSearch] = useSearchParams();
  const text = search.toString();
  const known = keys.join("\n");
  return useMemo(() => {
    const present = new URLSearchParams(text);
    const names = known.split("\n");
    const values = Object.fromEntries(names.flatMap((key) => (present.get(key) ? [[key, present.get(key) ?? ""]] : [])));
    const change = (edit: (params: URLSearchParams) => void) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          edit(next);
          return next;
        },
        { replace: true },
      );
    return {
      values,
      set: (key, value) => change((params) => (value ? params.set(key, value) : params.delete(key))),
      clear: () => change((params) => names.map((key) => params.delete(key))),
    };
  }, [text, known, setSearch]);
}

/**
 * The row of filters directly above what they filter: a search field (`/` goes there) where `search` names its key, then a chip for each
 * filter that is set, and a button that adds one.
 */
export function FilterBar({
  filters,
  list,
  search,
  searchLabel = "Search",
}: {
  filters: Filters;
  list: Filter[];
  search?: string;
  searchLabel?: string;
}) {
  const [adding, setAdding] = useState<string | null>(null);
  const isSet = (filter: Filter) => filters.values[filter.key] !== undefined;
  const open = list.filter((filter) => !isSet(filter));
  const chips = list.filter((filter) => isSet(filter) || filter.key === adding);
  return (
    <Group gap="xs" mb="sm" role="search">
      {search && (
        <SearchField label={searchLabel} value={filters.values[search] ?? ""} onChange={(value) => filters.set(search, value || null)} />
      )}
      {chips.map((filter) => (
        <Chip
          key={filter.key}
          filter={filter}
          value={filters.values[filter.key]}
          begin={filter.key === adding}
          onSet={(value) => {
            filters.set(filter.key, value);
            setAdding(null);
          }}
          onLeave={() => setAdding(null)}
        />
      ))}
      {open.length > 0 && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button variant="default" size="xs" leftSection={<IconFilterPlus size={14} />}>
              Filter
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {open.map((filter) => (
              <Menu.Item key={filter.key} onClick={() => setAdding(filter.key)}>
                {filter.label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {chips.some(isSet) && (
        <Button variant="subtle" size="compact-xs" color="gray" onClick={filters.clear}>
          Clear all
        </Button>
      )}
    </Group>
  );
}

const TYPING_ENDS_AFTER_MS = 250;

function SearchField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const tell = useDebouncedCallback(onChange, TYPING_ENDS_AFTER_MS);
  useEffect(() => setTyped(value), [value]);
  useShortcut({ keys: "/", label: "Search the list", group: "Lists" }, () => field.current?.focus());
  return (
    <TextInput
      ref={field}
      size="xs"
      w={240}
      placeholder={label}
      aria-label={label}
      leftSection={<IconSearch size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        tell(event.currentTarget.value.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}

function Chip({
  filter,
  value,
  begin,
  onSet,
  onLeave,
}: {
  filter: Filter;
  value: string | undefined;
  begin: boolean;
  onSet: (value: string | null) => void;
  onLeave: () => void;
}) {
  const [opened, setOpened] = useState(begin);
  const close = () => {
    setOpened(false);
    onLeave();
  };
  const shown = filter.options?.find((option) => option.value === value)?.label ?? value;
  const set = (next: string | null) => {
    onSet(next);
    close();
  };
  return (
    <Popover opened={opened} onChange={(next) => (next ? setOpened(true) : close())} position="bottom-start" trapFocus withRoles>
      <Popover.Target>
        <Button.Group>
          <Button variant="default" size="xs" onClick={() => setOpened(true)}>
            <Text span c="dimmed" inherit>
              {filter.label}
            </Text>
            {shown !== undefined && (
              <Text span inherit ml={6} truncate maw={180}>
                {shown}
              </Text>
            )}
          </Button>
          {value !== undefined && (
            <Button variant="default" size="xs" px={4} component="span">
              <CloseButton size={18} aria-label={`Remove filter ${filter.label}`} onClick={() => onSet(null)} />
            </Button>
          )}
        </Button.Group>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        {filter.options ? (
          <FilterChoice label={filter.label} options={filter.options} value={value ?? null} onChange={set} />
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const text = new FormData(event.currentTarget).get("value");
              set(typeof text === "string" && text.trim() !== "" ? text.trim() : null);
            }}
          >
            <Group gap="xs" wrap="nowrap">
              <TextInput
                size="xs"
                name="value"
                aria-label={filter.label}
                type={filter.day ? "date" : "text"}
                defaultValue={value ?? ""}
                data-autofocus
              />
              <Button size="xs" type="submit">
                Set
              </Button>
            </Group>
          </form>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
