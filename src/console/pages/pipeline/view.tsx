import { Skeleton, Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useRead } from "../../api/query.ts";
import type { Pipeline } from "../../api/schema.ts";
import { useFilters } from "../../parts/filters.tsx";
import { count, plural } from "../../parts/format.ts";
import { PageHead } from "../../parts/page-head.tsx";
import { State } from "../../parts/state.tsx";
import { useNow } from "../../parts/when.tsx";
import { NowTab } from "./now.tsx";
import { waysOf } from "./words.ts";

const RefusedTab = lazy(async () => ({ default: (await import("./refused.tsx")).RefusedTab }));
const DeadLettersTab = lazy(async () => ({ default: (await import("./dead-letters.tsx")).DeadLettersTab }));
const ReplaysTab = lazy(async () => ({ default: (await import("./replays.tsx")).ReplaysTab }));
const ArchiveTab = lazy(async () => ({ default: (await import("./archive.tsx")).ArchiveTab }));

const EVERY_MS = 5000;
const TABS = ["now", "refused", "dead-letters", "replays", "archive"] as const;

/** The pipeline's parts, each behind a tab that is kept in the address. */
export function PipelineView() {
  const filters = useFilters(["tab"]);
  const tab = TABS.find((one) => one === filters.values.tab) ?? "now";
  const pipeline = useRead("GET /v1/admin/pipeline", {}, { refetchInterval: EVERY_MS });
  const open = pipeline.data?.dead_letters.open ?? 0;
  return (
    <>
      <PageHead
        title="Pipeline"
        line={pipeline.data ? <Sentence pipeline={pipeline.data} /> : "How plays get from devices into reports and the archive."}
      />
      <Tabs value={tab} onChange={(next) => filters.set("tab", next === "now" ? null : next)} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="now">Now</Tabs.Tab>
          <Tabs.Tab value="refused">Refused</Tabs.Tab>
          <Tabs.Tab value="dead-letters">Dead letters{open > 0 ? ` (${count(open)})` : ""}</Tabs.Tab>
          <Tabs.Tab value="replays">Replays</Tabs.Tab>
          <Tabs.Tab value="archive">Archive</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="now">
          <NowTab pipeline={pipeline} />
        </Tabs.Panel>
        <Tabs.Panel value="refused">
          <Suspense fallback={<Skeleton height={240} />}>
            <RefusedTab />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="dead-letters">
          <Suspense fallback={<Skeleton height={240} />}>
            <DeadLettersTab />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="replays">
          <Suspense fallback={<Skeleton height={240} />}>
            <ReplaysTab />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="archive">
          <Suspense fallback={<Skeleton height={240} />}>
            <ArchiveTab />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** The state of all of it in one sentence. */
function Sentence({ pipeline }: { pipeline: Pipeline }) {
  const now = useNow();
  const { late, failed } = waysOf(pipeline, now);
  const { open, plays } = pipeline.dead_letters;
  const faults = [
    ...late.map((name) => `${name} lags`),
    ...(open > 0 ? [`${plural(open, "dead letter")} with ${plural(plays, "play")} wait for you`] : []),
    ...(failed.length > 0 ? [`${failed.join(", ")} failed`] : []),
  ];
  if (faults.length === 0) return <State value="ok">Plays flow: nothing lags, no dead letter is open.</State>;
  const text = faults.join("; ");
  return <State value={late.length > 0 || open > 0 ? "bad" : "warn"}>{`${text.charAt(0).toUpperCase()}${text.slice(1)}.`}</State>;
}
