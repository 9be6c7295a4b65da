import { ActionIcon, Button, Group, Menu, Text, Tooltip } from "@mantine/core";
import { IconColumns3, IconRefresh } from "@tabler/icons-react";
import type { Rows } from "../api/query.ts";
import { type Column, keepHidden } from "./data-table-columns.ts";
import { plural } from "./format.ts";
import { When } from "./when.tsx";

interface TableFootProps<T> {
  source: Rows<T>;
  noun: [one: string, many: string];
  name: string;
  columns: Column<T>[];
  hidden: string[];
  onHidden: (hidden: string[]) => void;
}

/** Under a table: how many rows, since when they are known, more of them, and which columns are shown. */
export function TableFoot<T>({ source, noun, name, columns, hidden, onHidden }: TableFootProps<T>) {
  const choose = (id: string) => {
    const next = hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id];
    keepHidden(name, next);
    onHidden(next);
  };
  return (
    <Group gap="sm" mt={6} mih={28}>
      <Text size="xs" c="dimmed" role="status">
        {source.pending ? `Loading ${noun[1]}` : `${plural(source.rows.length, noun[0], noun[1])}${source.hasMore ? " so far" : ""}`}
        {source.at > 0 && (
          <>
            {" · refreshed "}
            <When at={source.at} />
          </>
        )}
      </Text>
      <Tooltip label="Refresh">
        <ActionIcon size="sm" aria-label={`Refresh ${noun[1]}`} onClick={source.refresh} loading={source.loading && !source.pending}>
          <IconRefresh size={14} />
        </ActionIcon>
      </Tooltip>
      {source.hasMore && (
        <Button size="compact-xs" variant="default" onClick={source.loadMore} loading={source.loading}>
          Load more
        </Button>
      )}
      <Menu closeOnItemClick={false}>
        <Menu.Target>
          <Button size="compact-xs" variant="subtle" color="gray" ml="auto" leftSection={<IconColumns3 size={14} />}>
            Columns
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {columns.map((column, at) => (
            <Menu.CheckboxItem key={column.id} checked={!hidden.includes(column.id)} onChange={() => choose(column.id)} disabled={at === 0}>
              {column.header}
            </Menu.CheckboxItem>
          ))}
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
