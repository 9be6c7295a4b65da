import { Anchor, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { PlannedRow, ProofOfPlayRow } from "../../api/schema.ts";
import type { Column } from "../../parts/data-table-columns.ts";
import { count, day, span } from "../../parts/format.ts";
import { DeliveryShare } from "../campaigns/delivery-share.tsx";
import { type Asked, GROUPS, type Group, type Part, playsHref } from "./asked.ts";
import { STATUS } from "./words.tsx";

type Figures<R> = { [K in keyof R]: R[K] extends number | null | undefined ? K : never }[keyof R];

/** A number that opens the plays behind it; zero opens nothing. */
export function Behind({ value, href }: { value: number | null | undefined; href: string }) {
  if (value === null || value === undefined) return <Unknown />;
  if (value === 0) return "0";
  return (
    <Anchor component={Link} href={href} inherit className="behind">
      {count(value)}
    </Anchor>
  );
}

export function Unknown() {
  return (
    <Text component="span" inherit c="dimmed">
      –
    </Text>
  );
}

interface Keys {
  day?: string;
  status?: ProofOfPlayRow["status"];
}

function groupColumn<R extends Keys>(group: Group): Column<R> {
  const read = (row: R, name: string) => (row as Record<string, unknown>)[name] as string | null | undefined;
  if (group === "day") return { id: "day", header: "Day", value: (row) => row.day ?? null, cell: (row) => day(row.day ?? "") };
  if (group === "status")
    return {
      id: "status",
      header: "Status",
      value: (row) => row.status ?? null,
      cell: (row) => (row.status ? STATUS[row.status].word : ""),
    };
  return {
    id: group,
    header: GROUPS[group],
    value: (row) => read(row, `${group}_name`) ?? read(row, `${group}_id`) ?? "",
    cell: (row) => nameOf(group, read(row, `${group}_name`), read(row, `${group}_id`)),
  };
}

function nameOf(group: Group, name: string | null | undefined, id: string | null | undefined): ReactNode {
  const known = name ?? id;
  if (known)
    return (
      <span className="clip" title={known}>
        {known}
      </span>
    );
  return (
    <Text component="span" inherit c="dimmed">
      {group === "campaign" ? "Filler" : `No ${GROUPS[group].toLowerCase()}`}
    </Text>
  );
}

/** The columns of a report of what was played. */
export function playedColumns(asked: Asked): Column<ProofOfPlayRow>[] {
  const figure = (id: Figures<ProofOfPlayRow> & string, header: string, part: Part = {}, hidden = false): Column<ProofOfPlayRow> => ({
    id,
    header,
    number: true,
    value: (row) => (row[id] as number | null | undefined) ?? null,
    cell: (row) => <Behind value={row[id] as number | undefined} href={playsHref(asked, row, part)} />,
    hidden,
  });
  const byStatus = asked.groups.includes("status");
  return [
    ...asked.groups.map((group) => groupColumn<ProofOfPlayRow>(group)),
    figure("plays_count", "Plays"),
    figure("billable_count", "Billable", { billable: true }),
    ...(byStatus
      ? []
      : [
          figure("completed_count", "Completed", { status: "COMPLETED" }),
          figure("partial_count", "Partial", { status: "PARTIAL" }),
          figure("skipped_count", "Skipped", { status: "SKIPPED" }),
          figure("interrupted_count", "Interrupted", { status: "INTERRUPTED" }),
          figure("error_count", "Errors", { status: "ERROR" }),
          {
            id: "starts",
            header: "Starts",
            number: true,
            hidden: true,
            value: ({ starts_count }: ProofOfPlayRow) => starts_count ?? null,
            cell: ({ starts_count }: ProofOfPlayRow) => (starts_count === undefined ? <Unknown /> : count(starts_count)),
          },
        ]),
    {
      id: "duration",
      header: "Time shown",
      number: true,
      value: ({ total_duration_ms }) => total_duration_ms,
      cell: ({ total_duration_ms }) => (total_duration_ms === null ? <Unknown /> : span(total_duration_ms)),
    },
  ];
}

/** The columns of a report of planned against played. Of days that are not over nobody can say yet whether the delivery is well. */
export function plannedColumns(asked: Asked, today: string): Column<PlannedRow>[] {
  return [
    ...asked.groups.map((group) => groupColumn<PlannedRow>(group)),
    {
      id: "planned_plays",
      header: "Planned",
      number: true,
      value: ({ planned_plays }) => planned_plays,
      cell: ({ planned_plays }) => (planned_plays === null ? <Unknown /> : count(planned_plays)),
    },
    {
      id: "played",
      header: "Played",
      number: true,
      value: ({ played_plays }) => played_plays,
      cell: (row) => <Behind value={row.played_plays} href={playsHref(asked, { ...row })} />,
    },
    {
      id: "delivery",
      header: "Delivery",
      value: ({ delivery }) => delivery,
      cell: ({ day: of = asked.to, delivery }) => <DeliveryShare delivery={delivery} isOver={of < today} />,
    },
    {
      id: "completed",
      header: "Completed",
      number: true,
      value: ({ completed }) => completed,
      cell: (row) => <Behind value={row.completed} href={playsHref(asked, { ...row }, { status: "COMPLETED" })} />,
    },
    {
      id: "billable",
      header: "Billable",
      number: true,
      value: ({ billable_plays }) => billable_plays,
      cell: (row) => <Behind value={row.billable_plays} href={playsHref(asked, { ...row }, { billable: true })} />,
    },
    { id: "played_ms", header: "Time shown", number: true, value: ({ played_ms }) => played_ms, cell: ({ played_ms }) => span(played_ms) },
    {
      id: "planned_ms",
      header: "Time planned",
      number: true,
      hidden: true,
      value: ({ planned_ms }) => planned_ms,
      cell: ({ planned_ms }) => (planned_ms === null ? <Unknown /> : span(planned_ms)),
    },
  ];
}
