import { ActionIcon, Checkbox, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import type { ChangeEvent, KeyboardEvent, MouseEvent } from "react";
import { Link, useLocation } from "wouter";
import { type Column, cellValue, type RowAction } from "./data-table-columns.ts";

interface TableRowProps<T> {
  index: number;
  row: T;
  columns: Column<T>[];
  active: boolean;
  onActive: () => void;
  /** Null where rows cannot be selected. */
  selected: boolean | null;
  onSelect: (event: ChangeEvent<HTMLInputElement>) => void;
  href?: string;
  actions?: RowAction[];
}

/** One row of a `DataTable`. Its first cell is a link, so that it opens in a new tab too. */
export function TableRow<T>({ index, row, columns, active, onActive, selected, onSelect, href, actions }: TableRowProps<T>) {
  const [, navigate] = useLocation();
  const open = (event: MouseEvent | KeyboardEvent) => {
    if (!href || isOwnControl(event)) return;
    navigate(href);
  };
  return (
    <tr
      data-row={index}
      aria-rowindex={index + 2}
      tabIndex={-1}
      onClick={open}
      onFocus={onActive}
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === event.currentTarget) open(event);
      }}
      style={href ? { cursor: "pointer" } : {}}
      {...(active ? { "data-active": true } : {})}
      {...(selected === null ? {} : { "aria-selected": selected })}
    >
      {selected !== null && (
        <td className="check">
          <Checkbox aria-label={`Select row ${index + 1}`} checked={selected} onChange={onSelect} />
        </td>
      )}
      {columns.map((column, at) => {
        const content = column.cell ? column.cell(row) : cellValue(column, row);
        return (
          <td key={column.id} className={column.number ? "number" : ""}>
            {at === 0 && href ? (
              <Link href={href} className="row-link">
                {content}
              </Link>
            ) : (
              content
            )}
          </td>
        );
      })}
      {actions && <td className="actions">{actions.length > 0 && <RowMenu actions={actions} />}</td>}
    </tr>
  );
}

function RowMenu({ actions }: { actions: RowAction[] }) {
  const plain = actions.filter((action) => !action.destructive);
  const destructive = actions.filter((action) => action.destructive);
  const items = (list: RowAction[]) =>
    list.map((action) => (
      <Menu.Item key={action.label} leftSection={action.icon} onClick={action.run} {...(action.destructive ? { color: "red" } : {})}>
        {action.label}
      </Menu.Item>
    ));
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon className="row-action" aria-label="Actions of this row">
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {items(plain)}
        {plain.length > 0 && destructive.length > 0 && <Menu.Divider />}
        {items(destructive)}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Whether an event came from a link, button or tick in the row, or from a menu that hangs on it: they do their own. */
function isOwnControl(event: MouseEvent | KeyboardEvent): boolean {
  const target = event.target as Element;
  return !event.currentTarget.contains(target) || target.closest("a, button, input, label") !== null;
}
