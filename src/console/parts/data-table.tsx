import { Button, Group, Skeleton, Text, VisuallyHidden } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  type ReactTable,
  type RowData,
  rowSelectionFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Rows } from "../api/query.ts";
import { type Column, cellValue, compareValues, type RowAction, readHidden } from "./data-table-columns.ts";
import { TableFoot } from "./data-table-foot.tsx";
import { TableRow } from "./data-table-row.tsx";
import { Empty } from "./empty.tsx";
import { Fault } from "./fault.tsx";
import { plural } from "./format.ts";
import { useShortcut } from "./shortcuts.ts";

export const ROW_HEIGHT_PX = 40;
const VIRTUAL_OVER_ROWS = 200;
/** What fits a screen, drawn until the rest is. */
const FIRST_ROWS = 40;
const SKELETON_ROWS = 8;

// Only long tables need it.
const VirtualRows = lazy(() => import("./virtual-rows.tsx"));

const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature, rowSortingFeature, sortedRowModel: createSortedRowModel() });
type Features = typeof features;

export interface DataTableProps<T> {
  /** A name for remembering which columns are shown, and what a row is called: "device", "devices". */
  name: string;
  noun: [one: string, many: string];
  source: Rows<T>;
  columns: Column<T>[];
  rowId: (row: T) => string;
  /** Where a row leads (a path below `/console`): a click, or Enter. */
  href?: (row: T) => string;
  /** What can be done with one row: shown on hover and focus. */
  actions?: (row: T) => RowAction[];
  /** What can be done with the selected rows; there is no selection without it. */
  bulk?: (rows: T[], clear: () => void) => ReactNode;
  /** What stands there when there is no row at all. */
  empty: { text: ReactNode; action?: ReactNode };
  /** The column that it is sorted by at first, and whether from the top down. Without: as the API gives them. */
  sortBy?: { id: string; desc?: boolean };
}

/**
 * The console's table: sticky header, sorting, columns to choose, selection with a bulk bar, actions by hover and keyboard (J and K move,
 * Enter opens, X selects), virtual above 200 rows, and an honest word on loading, emptiness and failure.
 */
export function DataTable<T extends RowData>({
  name,
  noun,
  source,
  columns,
  rowId,
  href,
  actions,
  bulk,
  empty,
  sortBy,
}: DataTableProps<T>) {
  const frame = useRef<HTMLElement>(null);
  const [hidden, setHidden] = useState(() => readHidden(name, columns));
  const definitions = useMemo(() => columns.map((column) => definitionOf(column)), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: source.rows,
    getRowId: rowId,
    enableRowSelection: bulk !== undefined,
    enableSortingRemoval: true,
    initialState: { sorting: sortBy ? [{ id: sortBy.id, desc: sortBy.desc ?? false }] : [] },
    state: { columnVisibility: Object.fromEntries(hidden.map((id) => [id, false])) },
  });
  const rows = table.getRowModel().rows;
  const shown = useMemo(() => columns.filter((column) => !hidden.includes(column.id)), [columns, hidden]);
  const scroller = useRef<((index: number) => void) | null>(null);
  const active = useActiveRow(frame, rows.length, (index) => scroller.current?.(index));
  const chosen = Object.keys(table.state.rowSelection).length;
  const selected = chosen === 0 ? [] : table.getSelectedRowModel().rows.map((row) => row.original);
  const select = useSelection(rows);
  const width = shown.length + (bulk ? 1 : 0) + (actions ? 1 : 0);
  const draw = (index: number) => {
    const row = rows[index];
    return row ? (
      <TableRow
        key={row.id}
        index={index}
        row={row.original}
        columns={shown}
        active={active.index === index}
        onActive={active.set}
        selected={bulk ? row.getIsSelected() : null}
        onSelect={select}
        href={href}
        actions={actions}
      />
    ) : null;
  };
  useShortcut({ keys: "x", label: "Select the row", group: "Lists" }, () => rows[active.index]?.toggleSelected(), bulk !== undefined);

  return (
    <div>
      {bulk && selected.length > 0 && (
        <Group gap="xs" mb="xs" role="region" aria-label="Selected rows">
          <Text size="sm" fw={500}>
            {plural(selected.length, noun[0], noun[1])} selected
          </Text>
          {bulk(selected, () => table.resetRowSelection(true))}
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => table.resetRowSelection(true)}>
            Clear
          </Button>
        </Group>
      )}
      {source.error && <Fault error={source.error} retry={source.refresh} />}
      {source.error && source.rows.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
        <section ref={frame} className="table-frame" aria-label={`Table of ${noun[1]}`} tabIndex={0}>
          <table className="table" aria-rowcount={rows.length + 1} aria-busy={source.pending}>
            <thead>
              <tr aria-rowindex={1}>
                {bulk && (
                  <th className="check" scope="col">
                    <input
                      type="checkbox"
                      className="tick"
                      aria-label={`Select all ${noun[1]}`}
                      checked={rows.length > 0 && selected.length === rows.length}
                      ref={(box) => {
                        if (box) box.indeterminate = selected.length > 0 && selected.length < rows.length;
                      }}
                      onChange={table.getToggleAllRowsSelectedHandler()}
                    />
                  </th>
                )}
                {shown.map((column) => (
                  <HeaderCell key={column.id} column={column} table={table} />
                ))}
                {actions && (
                  <th className="actions" scope="col">
                    <VisuallyHidden>Actions</VisuallyHidden>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {source.pending && <SkeletonRows columns={width} />}
              {!source.pending && rows.length === 0 && (
                <tr>
                  <td colSpan={width}>
                    <Empty action={empty.action}>{empty.text}</Empty>
                  </td>
                </tr>
              )}
              {rows.length > VIRTUAL_OVER_ROWS ? (
                <Suspense fallback={rows.slice(0, FIRST_ROWS).map((_, index) => draw(index))}>
                  <VirtualRows frame={frame} count={rows.length} rowHeightPx={ROW_HEIGHT_PX} scroller={scroller} onDrawn={active.focus}>
                    {draw}
                  </VirtualRows>
                </Suspense>
              ) : (
                rows.map((_, index) => draw(index))
              )}
            </tbody>
          </table>
        </section>
      )}
      <TableFoot source={source} noun={noun} name={name} columns={columns} hidden={hidden} onHidden={setHidden} />
    </div>
  );
}

/** Selects one row; with shift, all from the one that was touched last to it. The same function each time, so that rows need not be drawn anew. */
function useSelection(rows: { toggleSelected: (selected: boolean) => void }[]) {
  const latest = useRef(rows);
  latest.current = rows;
  const last = useRef<number | null>(null);
  return useCallback((index: number, selected: boolean, range: boolean) => {
    const from = range && last.current !== null ? Math.min(last.current, index) : index;
    const to = range && last.current !== null ? Math.max(last.current, index) : index;
    for (let at = from; at <= to; at++) latest.current[at]?.toggleSelected(selected);
    last.current = index;
  }, []);
}

function definitionOf<T extends RowData>(column: Column<T>): ColumnDef<Features, T> {
  return {
    id: column.id,
    accessorFn: (row) => cellValue(column, row) ?? undefined,
    header: column.header,
    enableSorting: column.value !== undefined,
    sortFn: (a, b, id) => compareValues(a.getValue(id), b.getValue(id)),
    sortUndefined: "last",
    // Numbers and times are asked for from the top down first.
    sortDescFirst: column.number ?? false,
  };
}

function HeaderCell<T extends RowData>({ column, table }: { column: Column<T>; table: ReactTable<Features, T> }) {
  const model = table.getColumn(column.id);
  const sorted = model?.getIsSorted() ?? false;
  const direction = sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none";
  return (
    <th
      scope="col"
      className={column.number ? "number" : ""}
      style={column.width ? { width: column.width } : {}}
      {...(model?.getCanSort() ? { "aria-sort": direction } : {})}
    >
      {model?.getCanSort() ? (
        <button type="button" onClick={model.getToggleSortingHandler()}>
          {column.header}
          {sorted === "asc" && <IconChevronUp size={14} aria-hidden />}
          {sorted === "desc" && <IconChevronDown size={14} aria-hidden />}
        </button>
      ) : (
        column.header
      )}
    </th>
  );
}

function SkeletonRows({ columns }: { columns: number }) {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
    <tr key={row} aria-hidden>
      {Array.from({ length: columns }, (_, cell) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <td key={cell}>
          <Skeleton height={12} width={`${50 + ((row * 7 + cell * 13) % 45)}%`} />
        </td>
      ))}
    </tr>
  ));
}

/** Which row the keyboard is on. J and K move it, and the focus with it, so that its actions are a Tab away. */
function useActiveRow(frame: React.RefObject<HTMLElement | null>, rows: number, bring: (index: number) => void) {
  const [index, setIndex] = useState(-1);
  const wantsFocus = useRef(false);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(rows - 1, to));
    wantsFocus.current = true;
    setIndex(next);
    bring(next);
  };
  const focus = () => {
    if (!wantsFocus.current) return;
    const row = frame.current?.querySelector<HTMLElement>(`tr[data-row="${index}"]`);
    if (!row) return;
    wantsFocus.current = false;
    row.focus({ preventScroll: false });
  };
  // After each rendering: a row that was just scrolled to may only now be there.
  useEffect(focus);
  useShortcut({ keys: "j", label: "Next row", group: "Lists" }, () => rows > 0 && move(index + 1));
  useShortcut({ keys: "k", label: "Previous row", group: "Lists" }, () => rows > 0 && move(index - 1));
  return { index, set: setIndex, focus };
}
