import { Anchor, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconArchive, IconRestore } from "@tabler/icons-react";
import { Link, useSearchParams } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { Id } from "../../parts/id.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State } from "../../parts/state.tsx";
import { WeekGrid } from "../../parts/week-grid.tsx";
import { targetName, useNetwork, whereOf } from "./places.ts";
import { type Schedule, timingOf, wordsOfRules } from "./rules-words.ts";
import { ScheduleForm } from "./schedule-form.tsx";
import { setArchived } from "./schedules.ts";

const CRUMBS = [{ label: "Schedules", to: "/schedules" }];

/** A new schedule; `?where=` and `?playlist_id=` are set already. */
export function NewSchedule() {
  const [search] = useSearchParams();
  const network = useNetwork();
  const isOperator = useMay("operate");
  if (!isOperator) {
    return (
      <>
        <PageHead title="Add schedule" crumbs={CRUMBS} />
        <Empty
          action={
            <Button variant="default" component={Link} href="/schedules">
              Look at schedules
            </Button>
          }
        >
          A viewer may look at everything here and change nothing. Adding a schedule takes role operator or admin.
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title="Add schedule" line="What plays, where and when." crumbs={CRUMBS} />
      {network.pending ? (
        <Skeleton h={400} maw={720} />
      ) : (
        <ScheduleForm
          network={network}
          schedule={null}
          where={whereOf(search.get("where") ?? undefined)}
          playlistId={search.get("playlist_id")}
        />
      )}
    </>
  );
}

/** One schedule: edited by those who may, read by others. */
export default function SchedulePage({ id }: { id: string }) {
  const found = useRead("GET /v1/admin/schedules/{id}", { path: { id } });
  const network = useNetwork();
  const isOperator = useMay("operate");
  if (found.error && !found.data) {
    return (
      <>
        <PageHead title="Schedule" crumbs={CRUMBS} />
        <Fault error={found.error} retry={() => void found.refetch()} />
      </>
    );
  }
  if (!found.data || network.pending) {
    return (
      <>
        <PageHead title="Schedule" crumbs={CRUMBS} line={<Skeleton h={18} w={320} />} />
        <Skeleton h={400} maw={720} />
      </>
    );
  }
  const schedule = found.data;
  const where = `${schedule.target_type}:${schedule.target_id}`;
  return (
    <>
      <PageHead
        title={schedule.name}
        crumbs={CRUMBS}
        line={
          <Group gap="md">
            {schedule.archived_at && <State value="unknown">Archived</State>}
            <span>{wordsOfRules(schedule.rules, schedule.timezone)}</span>
          </Group>
        }
        action={
          <>
            <Button variant="default" component={Link} href={`/schedules?where=${encodeURIComponent(where)}`}>
              Show its week
            </Button>
            {isOperator && (
              <Button
                variant="default"
                leftSection={schedule.archived_at ? <IconRestore size={16} /> : <IconArchive size={16} />}
                onClick={() => void setArchived(schedule, schedule.archived_at === null)}
              >
                {schedule.archived_at ? "Restore" : "Archive"}
              </Button>
            )}
          </>
        }
      />
      {isOperator && schedule.archived_at === null ? (
        <ScheduleForm network={network} schedule={schedule} where={null} playlistId={null} />
      ) : (
        <Shown schedule={schedule} network={network} />
      )}
    </>
  );
}

function Shown({ schedule, network }: { schedule: Schedule; network: ReturnType<typeof useNetwork> }) {
  return (
    <div style={{ maxWidth: 720 }}>
      <Panel title="When does it play?">
        <Stack gap="sm">
          <WeekGrid week={timingOf(schedule).week} label="When it plays" />
          <Text size="sm">{wordsOfRules(schedule.rules, schedule.timezone)}</Text>
          <Text size="sm">
            Plays{" "}
            <Anchor component={Link} href={`/playlists/${schedule.playlist_id}`} inherit>
              {network.playlists.get(schedule.playlist_id) ?? "a playlist"}
            </Anchor>{" "}
            on {targetName(network, schedule.target_type, schedule.target_id)}.
          </Text>
          <Text size="xs" c="dimmed" component="div">
            <Id value={schedule.id} label="schedule id" />
          </Text>
        </Stack>
      </Panel>
    </div>
  );
}
