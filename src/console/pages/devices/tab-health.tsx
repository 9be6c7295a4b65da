import { Alert, Stack, Table, Text } from "@mantine/core";
import { useMemo } from "react";
import { useRead } from "../../api/query.ts";
import type { SequencerStatus } from "../../api/schema.ts";
import { Chart } from "../../parts/chart.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { bytes, count, HOUR_MS, plural, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import type { TabProps } from "./one.tsx";

const STEP_MS = 10 * 60_000;

/** Heartbeats of the last day, the clock, the disk, and how its plays stand at the server. */
export default function HealthTab({ device, activity, zone }: TabProps) {
  const sequencer = useRead("GET /v1/admin/devices/{id}/sequencer", { path: { id: device.id } }, { refetchInterval: 30_000 });
  const series = useMemo(() => (activity?.heartbeats ? evenly(activity.heartbeats.samples, Date.parse(activity.to)) : null), [activity]);
  const zoned = zone ? { zone } : {};
  if (activity && !activity.heartbeats)
    return <Empty>It has never sent a heartbeat: the player tells how it does once it is paired and runs.</Empty>;
  return (
    <Stack gap="md">
      {series && (
        <>
          <Chart
            title="By how many seconds was its clock off?"
            x={series.x}
            series={[{ label: "Seconds off, whichever way", values: series.offset }]}
            format={seconds}
            height={150}
            {...zoned}
          />
          <Chart
            title="How full was its disk?"
            x={series.x}
            series={[{ label: "Used", values: series.disk }]}
            format={bytes}
            height={150}
            {...zoned}
          />
        </>
      )}
      {activity?.heartbeats && <Silences silences={activity.heartbeats.silences} zone={zone} />}
      {sequencer.error && <Fault error={sequencer.error} retry={() => void sequencer.refetch()} />}
      {sequencer.data && <Sequence status={sequencer.data} />}
    </Stack>
  );
}

const seconds = (value: number) => new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 }).format(value);

/** Samples on a grid of ten minutes over the last day; null where none is, so that gaps are seen. Pure. */
function evenly(samples: { at: string; clock_offset_ms: number; disk_used_bytes: number }[], to: number) {
  const first = to - (to % STEP_MS) - 24 * HOUR_MS;
  const x = Array.from({ length: (24 * HOUR_MS) / STEP_MS + 1 }, (_, index) => (first + index * STEP_MS) / 1000);
  const at = new Map(samples.map((sample) => [Math.floor(Date.parse(sample.at) / STEP_MS), sample]));
  const found = x.map((second) => at.get(Math.floor((second * 1000) / STEP_MS)) ?? null);
  return {
    x,
    offset: found.map((sample) => (sample === null ? null : Math.abs(sample.clock_offset_ms) / 1000)),
    disk: found.map((sample) => sample?.disk_used_bytes ?? null),
  };
}

function Silences({ silences, zone }: { silences: { from: string; to: string }[]; zone: string | undefined }) {
  return (
    <Panel title="When was it silent?">
      {silences.length === 0 ? (
        <Text size="sm" c="dimmed">
          Never in the last 24 hours, as far as it was known then.
        </Text>
      ) : (
        <Table fz="sm" aria-label="Silences">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>From</Table.Th>
              <Table.Th>To</Table.Th>
              <Table.Th ta="right">For</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {silences.map(({ from, to }) => (
              <Table.Tr key={from}>
                <Table.Td>
                  <When at={from} zone={zone} />
                </Table.Td>
                <Table.Td>
                  <When at={to} zone={zone} />
                </Table.Td>
                <Table.Td ta="right">{span(Date.parse(to) - Date.parse(from))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}

function Sequence({ status }: { status: SequencerStatus }) {
  const gaps = status.epochs.flatMap(({ epoch, missing }) => missing.map(([first = 0, last = 0]) => ({ epoch, first, last })));
  return (
    <Panel title="Are any of its play logs missing?">
      <Stack gap="sm">
        {status.history_lost && (
          <Alert color="yellow" title="Its history at the server was lost">
            Plays from before are refused until an operator decides, on the pipeline's page, that they may come in again.
          </Alert>
        )}
        <Text size="sm" component="div">
          <State value={gaps.length > 0 ? "warn" : "ok"}>
            {gaps.length > 0 ? `${plural(gaps.length, "gap")} in its numbers` : "No number is missing"}
          </State>
        </Text>
        {gaps.length > 0 && (
          <Table fz="sm" aria-label="Gaps">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Epoch</Table.Th>
                <Table.Th ta="right">Missing numbers</Table.Th>
                <Table.Th ta="right">How many</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {gaps.map(({ epoch, first, last }) => (
                <Table.Tr key={`${epoch}${first}`}>
                  <Table.Td>
                    <Id value={epoch} label="epoch" />
                  </Table.Td>
                  <Table.Td ta="right">{first === last ? first : `${first}–${last}`}</Table.Td>
                  <Table.Td ta="right">{count(last - first + 1)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
        <Text size="xs" c="dimmed">
          {plural(status.accepted, "play")} accepted so far; {count(status.waiting_plays + status.unconfirmed_plays)} on the way into the
          reports
          {status.epochs.at(-1) ? `; next number ${status.epochs.at(-1)?.expected_sequence}` : ""}.
        </Text>
      </Stack>
    </Panel>
  );
}
