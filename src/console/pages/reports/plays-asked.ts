import { DIMENSION_KEYS, type Dimension } from "./asked.ts";

const STATUSES = ["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"] as const;

/** The plays behind a figure, as the page's address has them. */
export interface PlaysAsked {
  from: string;
  to: string;
  /** Null: days of the range are listed first. */
  day: string | null;
  filters: Partial<Record<Dimension, string[]>>;
  status: (typeof STATUSES)[number] | null;
  billable: boolean;
  /** All plays of the day in one list, whoever played them. */
  all: boolean;
}

export const PLAYS_KEYS = ["from", "to", "day", "status", "billable", "all", ...DIMENSION_KEYS];

/** Reads an address. Pure. */
export function playsAskedOf(values: Record<string, string>, today: string): PlaysAsked {
  const { from = values.day ?? today, to = values.day ?? today, day = null, status, billable, all } = values;
  const filters = Object.fromEntries(
    DIMENSION_KEYS.flatMap((key) => (values[key] ? [[key, (values[key] ?? "").split(",").filter(Boolean)]] : [])),
  );
  return {
    from,
    to,
    day: day ?? (from === to ? from : null),
    filters,
    status: STATUSES.find((one) => one === status) ?? null,
    billable: billable === "true",
    all: all === "true",
  };
}

/** Which figure of a report's row counts these plays. */
export function figureOf({ status, billable }: Pick<PlaysAsked, "status" | "billable">): keyof Counted {
  if (billable) return "billable_count";
  return status === null ? "plays_count" : COUNT_OF[status];
}

interface Counted {
  plays_count: number;
  billable_count: number;
  completed_count: number;
  partial_count: number;
  skipped_count: number;
  interrupted_count: number;
  error_count: number;
}

const COUNT_OF = {
  COMPLETED: "completed_count",
  PARTIAL: "partial_count",
  SKIPPED: "skipped_count",
  INTERRUPTED: "interrupted_count",
  ERROR: "error_count",
} as const;
