import { Anchor, Code, Group, Modal, Stack, Table, Text, Tooltip } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useRows } from "../../api/query.ts";
import type { RecordedPlay } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { FilterBar, useFilters } from "../../parts/filters.tsx";
import { exact, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { FLAGS } from "../../parts/words.ts";
import type { TabProps } from "./one.tsx";

const STATES: Record<RecordedPlay["result"], StateValue> = {
  COMPLETED: "ok",
  PARTIAL: "warn",
  SKIPPED: "unknown",
  INTERRUPTED: "warn",
  ERROR: "bad",
};
const RESULTS = Object.keys(STATES);
const FILTERS = ["day", "result", "billable", "campaign_id", "content_id"];

/** Its recorded plays of one day, each with its verdict. */
export default function PlaysTab({ device, zone }: TabProps) {
  const filters = useFilters(FILTERS);
  const source = useRows("GET /v1/admin/devices/{id}/plays", {
    path: { id: device.id },
    query: { limit: 200, ...(filters.values as Record<string, never>) },
  });
  const [looking, setLooking] = useState<RecordedPlay | null>(null);
  return (
    <>
      <FilterBar
        filters={filters}
        list={[
          { key: "day", label: "Day", day: true },
          { key: "result", label: "Result", options: RESULTS.map((value) => ({ value, label: value.toLowerCase() })) },
          {
            key: "billable",
            label: "Billing",
            options: [
              { value: "true", label: "Billable" },
              { value: "false", label: "Not billable" },
            ],
          },
          ...(filters.values.campaign_id ? [{ key: "campaign_id", label: "Campaign" }] : []),
          ...(filters.values.content_id ? [{ key: "content_id", label: "Content" }] : []),
        ]}
      />
      <DataTable
        name="plays"
        noun={["play", "plays"]}
        source={source}
        columns={playColumns(zone)}
        rowId={({ event_id }) => event_id}
        actions={(play) => [{ label: "Show all of it", run: () => setLooking(play) }]}
        empty={{ text: filters.values.day ? "No play of this device counts for this day." : "No play of this device was recorded lately." }}
      />
      <Modal opened={looking !== null} onClose={() => setLooking(null)} title="Recorded play" size="lg">
        {looking && <WholePlay play={looking} zone={zone} />}
      </Modal>
    </>
  );
}

function playColumns(zone: string | undefined): Column<RecordedPlay>[] {
  return [
    { id: "content", header: "Content", value: ({ content_name, content_id }) => content_name ?? content_id },
    {
      id: "result",
      header: "Result",
      value: ({ result }) => result,
      cell: ({ result }) => <State value={STATES[result]}>{result.toLowerCase()}</State>,
    },
    {
      id: "billable",
      header: "Billable",
      value: ({ billable }) => (billable ? 1 : 0),
      cell: ({ billable }) => (billable ? "Yes" : "No"),
    },
    {
      id: "campaign",
      header: "Campaign",
      value: ({ campaign_name, campaign_id }) => campaign_name ?? campaign_id,
      cell: ({ campaign_name, campaign_id }) => campaign_name ?? campaign_id ?? "Filler",
    },
    {
      id: "flags",
      header: "Flags",
      cell: ({ flags }) =>
        flags.length === 0 ? (
          "–"
        ) : (
          <Tooltip label={flags.map((flag) => FLAGS[flag] ?? flag).join(". ")} multiline maw={360}>
            <Text inherit truncate className="mono">
              {flags.join(" ")}
            </Text>
          </Tooltip>
        ),
    },
    { id: "quality", header: "Quality", value: ({ quality }) => quality, number: true },
    {
      id: "duration",
      header: "Shown for",
      value: ({ duration_ms }) => duration_ms,
      cell: ({ duration_ms }) => span(duration_ms),
      number: true,
    },
    { id: "sequence", header: "Number", value: ({ sequence }) => sequence, number: true },
    {
      id: "at",
      header: "Started",
      value: ({ started_at }) => Date.parse(started_at),
      cell: ({ started_at }) => <When at={started_at} zone={zone} />,
      number: true,
    },
    {
      id: "received",
      header: "Received",
      value: ({ received_at }) => Date.parse(received_at),
      cell: ({ received_at }) => <When at={received_at} zone={zone} />,
      number: true,
      hidden: true,
    },
    { id: "door", header: "Door", value: ({ door }) => door, hidden: true },
  ];
}

function WholePlay({ play, zone }: { play: RecordedPlay; zone: string | undefined }) {
  const rows: [string, ReactNode][] = [
    [
      "Content",
      <Link key="content" href={`/content/${play.content_id}`}>
        {play.content_name ?? play.content_id}
      </Link>,
    ],
    [
      "Campaign",
      play.campaign_id ? (
        <Anchor key="campaign" component={Link} href={`/campaigns/${play.campaign_id}`} inherit>
          {play.campaign_name ?? play.campaign_id}
        </Anchor>
      ) : (
        "Filler"
      ),
    ],
    ["Started, corrected", exact(Date.parse(play.started_at), zone)],
    ["Started, by its clock", exact(Date.parse(play.started_at_raw), zone)],
    ["Ended, corrected", exact(Date.parse(play.ended_at), zone)],
    ["Received", exact(Date.parse(play.received_at), zone)],
    ["Counts for", play.day],
    ["Shown for", span(play.duration_ms)],
    ["Expected", play.expected_ms === null ? "Not known" : span(play.expected_ms)],
    ["Result", play.result.toLowerCase()],
    ["Billable", play.billable ? "Yes" : "No"],
    ["Quality", play.quality],
    ["Log id", <Id key="id" value={play.event_id} label="log id" whole />],
    ["Number", play.sequence === null ? "–" : `${play.sequence} of epoch ${play.epoch}`],
    ["Door", play.door],
    ["Key", play.key_id ? <Id key="key" value={play.key_id} label="key id" /> : "Not signed"],
    ["Record's hash", <Id key="hash" value={play.record_hash} label="record's hash" />],
    ["Correlation id", <Id key="correlation" value={play.correlation_id} label="correlation id" />],
  ];
  return (
    <Stack gap="sm">
      {play.flags.map((flag) => (
        <Group key={flag} gap={6}>
          <Code>{flag}</Code>
          <Text size="sm">{FLAGS[flag] ?? ""}</Text>
        </Group>
      ))}
      <Table fz="sm" aria-label="Play">
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Td c="dimmed">{label}</Table.Td>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
