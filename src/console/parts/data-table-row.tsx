import { Menu, UnstyledButton } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { type KeyboardEvent, memo, type MouseEvent as ReactMouseEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Column, cellValue, type RowAction } from "./data-table-columns.ts";

interface TableRowProps<T> {
  index: number;
  row: T;
  columns: Column<T>[];
  active: boolean;
  onActive: (index: number) => void;
  /** Null where rows cannot be selected. */
  selected: boolean | null;
  onSelect: (index: number, selected: boolean, range: boolean) => void;
  href?: ((row: T) => string) | undefined;
  actions?: ((row: T) => RowAction[]) | undefined;
}

/** One row of a `DataTable`. Its first cell is a link, so that it opens in a new tab too. */
function Row<T>({ index, row, columns, active, onActive, selected, onSelect, href, actions }: TableRowProps<T>) {
  const [, navigate] = useLocation();
  const target = href?.(row);
  const open = (event: ReactMouseEvent | KeyboardEvent) => {
    if (!target || isOwnControl(event)) return;
    navigate(target);
  };
  return (
    <tr
      data-row={index}
      aria-rowindex={index + 2}
      tabIndex={-1}
      onClick={open}
      onFocus={() => onActive(index)}
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === event.currentTarget) open(event);
      }}
      style={target ? { cursor: "pointer" } : {}}
      {...(active ? { "data-active": true } : {})}
      {...(selected === null ? {} : { "aria-selected": selected })}
    >
      {selected !== null && (
        <td className="check">
          <input
            type="checkbox"
            className="tick"
            aria-label={`Select row ${index + 1}`}
            checked={selected}
            onChange={(event) =>
              onSelect(index, event.currentTarget.checked, event.nativeEvent instanceof MouseEvent && event.nativeEvent.shiftKey)
            }
          />
        </td>
      )}
      {columns.map((column, at) => {
        const content = column.cell ? column.cell(row) : cellValue(column, row);
        return (
          <td key={column.id} className={column.number ? "number" : ""}>
            {at === 0 && target ? (
              <Link href={target} className="row-link">
                {content}
              </Link>
            ) : (
              content
            )}
          </td>
        );
      })}
      {actions && (
        <td className="actions">
          <RowMenu row={row} actions={actions} />
        </td>
      )}
    </tr>
  );
}

/** Drawn again only where something of it has changed: a table that scrolls draws the rows that come, and no others. */
export const TableRow = memo(Row) as typeof Row;

/** The button of a row's actions. The menu itself is made when it is opened: thousands of them would be slow. */
function RowMenu<T>({ row, actions }: { row: T; actions: (row: T) => RowAction[] }) {
  const [opened, setOpened] = useState(false);
  const list = actions(row);
  if (list.length === 0) return null;
  const button = (
    <UnstyledButton
      className="row-action"
      aria-label="Actions of this row"
      aria-haspopup="menu"
      aria-expanded={opened}
      onClick={() => setOpened(true)}
    >
      <IconDots size={16} />
    </UnstyledButton>
  );
  if (!opened) return button;
  const [plain, destructive] = [list.filter((action) => !action.destructive), list.filter((action) => action.destructive)];
  const items = (some: RowAction[]) =>
    some.map((action) => (
      <Menu.Item key={action.label} leftSection={action.icon} onClick={action.run} {...(action.destructive ? { color: "red" } : {})}>
        {action.label}
      </Menu.Item>
    ));
  return (
    <Menu opened onChange={setOpened}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {items(plain)}
        {plain.length > 0 && destructive.length > 0 && <Menu.Divider />}
        {items(destructive)}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Whether an event came from a link, button or tick in the row, or from a menu that hangs on it: they do their own. */
function isOwnControl(event: ReactMouseEvent | KeyboardEvent): boolean {
  const target = event.target as Element;
  return !event.currentTarget.contains(target) || target.closest("a, button, input, label") !== null;
}
