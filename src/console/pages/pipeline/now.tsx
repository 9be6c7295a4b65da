import { Anchor, Stack, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { ApiError } from "../../api/error.ts";
import type { Pipeline } from "../../api/schema.ts";
import { asRows } from "../../parts/as-rows.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { bytes, count, day, plural } from "../../parts/format.ts";
import { State } from "../../parts/state.tsx";
import { useNow, When } from "../../parts/when.tsx";
import { QUEUES, resultWords, waysOf } from "./words.ts";

type Queue = Pipeline["queues"][string] & { name: string };
type Job = Pipeline["jobs"][number];

/** What waits where, and the last run of each job. */
export function NowTab({ pipeline }: { pipeline: UseQueryResult<Pipeline, ApiError> }) {
  const queues = asRows(pipeline, (answer) => Object.entries(answer.queues).map(([name, queue]): Queue => ({ name, ...queue })));
  const jobs = asRows(pipeline, (answer) => answer.jobs);
  return (
    <Stack gap="lg">
      {pipeline.data && <Figures pipeline={pipeline.data} />}
      <section aria-labelledby="queues" style={{ "--table-height": "none" } as React.CSSProperties}>
        <h2 className="section-title" id="queues">
          Queues
        </h2>
        <DataTable
          name="queues"
          noun={["queue", "queues"]}
          source={queues}
          columns={QUEUE_COLUMNS}
          rowId={({ name }) => name}
          empty={{ text: "There is no queue." }}
        />
      </section>
      <section aria-labelledby="jobs" style={{ "--table-height": "none" } as React.CSSProperties}>
        <h2 className="section-title" id="jobs">
          Jobs, as they last ran
        </h2>
        <DataTable
          name="jobs"
          noun={["job", "jobs"]}
          source={jobs}
          columns={JOB_COLUMNS}
          rowId={({ job }) => job}
          empty={{ text: "No job has run yet. The first ones run within a minute." }}
        />
      </section>
    </Stack>
  );
}

function Figures({ pipeline }: { pipeline: Pipeline }) {
  const now = useNow();
  const { late } = waysOf(pipeline, now);
  const { ledger, dead_letters, aggregates, archive, profile_pushes, queues } = pipeline;
  const known = Object.values(queues).flatMap(({ backlog_count }) => (backlog_count === null ? [] : [backlog_count]));
  const waiting = known.reduce((sum, one) => sum + one, 0);
  return (
    <div className="figures">
      <Figure label="Last play recorded" state={ledger.last_recorded_at === null ? "unknown" : "ok"} word="">
        <When at={ledger.last_recorded_at} never="never" />
      </Figure>
      <Figure
        label="Messages that wait"
        state={late.length > 0 ? "bad" : known.length === 0 ? "unknown" : "ok"}
        word={late.length > 0 ? "lags" : ""}
      >
        {known.length === 0 ? "not told" : count(waiting)}
      </Figure>
      <Figure
        label="Dead letters"
        state={dead_letters.open > 0 ? "bad" : "ok"}
        word={dead_letters.open > 0 ? plural(dead_letters.plays, "play") : "none open"}
      >
        {dead_letters.open > 0 ? (
          <Anchor component={Link} href="/pipeline?tab=dead-letters" inherit>
            {count(dead_letters.open)}
          </Anchor>
        ) : (
          "0"
        )}
      </Figure>
      <Figure
        label="Days to roll up"
        state="ok"
        word={aggregates.oldest_marked_day ? `since ${day(aggregates.oldest_marked_day)}` : "all rolled up"}
      >
        {count(aggregates.marked_days)}
      </Figure>
      <Figure label="Segments to compact" state="ok" word="each hour">
        {count(archive.segments_to_compact)}
      </Figure>
      <Figure
        label="Devices to be told"
        state={late.includes("telling devices' profiles") ? "bad" : "ok"}
        word={profile_pushes.open === 0 ? "all know" : "changes on their way"}
      >
        {count(profile_pushes.open)}
      </Figure>
    </div>
  );
}

/** One number with what it is, and a word on whether it is well. */
function Figure({
  label,
  state,
  word,
  children,
}: {
  label: string;
  state: "ok" | "warn" | "bad" | "unknown";
  word: string;
  children: ReactNode;
}) {
  return (
    <div className="panel">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className="figure">{children}</div>
      <Text size="xs" component="div" mih={18}>
        {state === "ok" || word === "" ? <span style={{ color: "var(--text-quiet)" }}>{word}</span> : <State value={state}>{word}</State>}
      </Text>
    </div>
  );
}

const QUEUE_COLUMNS: Column<Queue>[] = [
  { id: "name", header: "Queue", value: ({ name }) => name },
  {
    id: "carries",
    header: "Carries",
    value: ({ name }) => QUEUES[name] ?? "Chunks of plays, on their way from devices to the database and the archive",
  },
  {
    id: "backlog",
    header: "Waiting",
    number: true,
    value: ({ backlog_count }) => backlog_count,
    cell: ({ backlog_count }) => (backlog_count === null ? <NotTold /> : count(backlog_count)),
  },
  {
    id: "bytes",
    header: "Size",
    number: true,
    value: ({ backlog_bytes }) => backlog_bytes,
    cell: ({ backlog_bytes }) => (backlog_bytes === null ? <NotTold /> : bytes(backlog_bytes)),
  },
  {
    id: "oldest",
    header: "Oldest since",
    value: ({ oldest_message_at }) => (oldest_message_at ? Date.parse(oldest_message_at) : null),
    cell: ({ oldest_message_at }) => <When at={oldest_message_at} />,
  },
];

/** The local runtime does not know its queues' backlogs; the platform does. */
function NotTold() {
  return (
    <Text component="span" inherit c="dimmed">
      not told
    </Text>
  );
}

const JOB_COLUMNS: Column<Job>[] = [
  { id: "job", header: "Job", value: ({ job }) => job, cell: ({ job }) => `${job.charAt(0).toUpperCase()}${job.slice(1)}` },
  {
    id: "ok",
    header: "Ended",
    value: ({ ok }) => (ok ? 1 : 0),
    cell: ({ ok }) => <State value={ok ? "ok" : "bad"}>{ok ? "Well" : "Failed"}</State>,
  },
  { id: "ran", header: "Ran", value: ({ ran_at }) => Date.parse(ran_at), cell: ({ ran_at }) => <When at={ran_at} /> },
  { id: "result", header: "What it did", value: ({ result }) => resultWords(result), cell: ({ result }) => <Result result={result} /> },
];

function Result({ result }: { result: unknown }) {
  const words = resultWords(result);
  return (
    <Text component="span" inherit c="dimmed" title={words}>
      {words}
    </Text>
  );
}
