import { Anchor, Group, Skeleton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Pipeline } from "../../api/schema.ts";
import { Fault } from "../../parts/fault.tsx";
import { count, plural } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";

const EVERY_MS = 15_000;

/** Whether plays get through: what waits, what is stuck, and which job failed last. */
export function PipelinePanel() {
  const { data, error, refetch } = useRead("GET /v1/admin/pipeline", {}, { refetchInterval: EVERY_MS });
  return (
    <Panel
      title="Do plays get through?"
      aside={
        <Anchor component={Link} href="/pipeline" size="xs">
          Pipeline
        </Anchor>
      }
    >
      {error && !data && <Fault error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton height={120} />}
      {data && <Findings of={data} />}
    </Panel>
  );
}

function Findings({ of: pipeline }: { of: Pipeline }) {
  const waiting = Object.values(pipeline.queues).reduce((sum, { backlog_count }) => sum + (backlog_count ?? 0), 0);
  const known = Object.values(pipeline.queues).some(({ backlog_count }) => backlog_count !== null);
  const failed = pipeline.jobs.filter(({ ok }) => !ok);
  const rows: [StateValue, string, ReactNode][] = [
    [
      pipeline.ledger.last_recorded_at ? "ok" : "unknown",
      "Last recorded",
      pipeline.ledger.last_recorded_at ? <When key="at" at={pipeline.ledger.last_recorded_at} /> : "Nothing yet",
    ],
    [known ? "ok" : "unknown", "Waiting in queues", known ? plural(waiting, "message") : "Not told by the platform"],
    [
      pipeline.dead_letters.open > 0 ? "bad" : "ok",
      "Dead letters",
      pipeline.dead_letters.open > 0 ? `${count(pipeline.dead_letters.open)} with ${plural(pipeline.dead_letters.plays, "play")}` : "None",
    ],
    [failed.length > 0 ? "bad" : "ok", "Jobs", failed.length > 0 ? `Failed: ${failed.map(({ job }) => job).join(", ")}` : "All ran"],
  ];
  return (
    <Stack gap={8}>
      {rows.map(([state, label, value]) => (
        <Group key={label} justify="space-between" wrap="nowrap" gap="sm">
          <Text size="sm" component="div">
            <State value={state}>{label}</State>
          </Text>
          <Text size="sm" ta="right" component="div">
            {value}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
