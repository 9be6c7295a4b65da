import { Anchor, Button, Grid, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Can } from "../../api/me.ts";
import { useChange, useRead } from "../../api/query.ts";
import type { DeviceCommand } from "../../api/schema.ts";
import { bytes, count, percent, plural, span } from "../../parts/format.ts";
import { failed, said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Picture } from "../../parts/picture.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import type { TabProps } from "./one.tsx";
import { clockState, clockWords, diskShare, diskState, factName, factsOf } from "./state.ts";

/** What it plays, what its screen showed last, and the figures of its last heartbeat. */
export default function NowTab({ device, activity, zone }: TabProps) {
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Stack gap="md">
          <NowPlaying device={device} zone={zone} />
          <Figures device={device} activity={activity} zone={zone} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <LastScreenshot device={device} zone={zone} />
      </Grid.Col>
    </Grid>
  );
}

function NowPlaying({ device, zone }: Pick<TabProps, "device" | "zone">) {
  const { contentId, playingSince, planEtag } = factsOf(device.heartbeat);
  const content = useRead("GET /v1/admin/content/{id}", { path: { id: contentId ?? "" } }, { enabled: contentId !== null });
  return (
    <Panel title="What is it playing now?">
      {contentId === null ? (
        <Text size="sm" c="dimmed">
          {device.heartbeat === null
            ? "It has not told yet."
            : planEtag === null
              ? "Nothing: it has no plan."
              : "Nothing at its last heartbeat."}
        </Text>
      ) : (
        <Text size="sm" component="div">
          <Anchor component={Link} href={`/content/${contentId}`} fw={500}>
            {content.data?.name ?? "Content"}
          </Anchor>
          {content.data ? `, ${content.data.type}` : ""}
          {playingSince && (
            <>
              , since <When at={playingSince} zone={zone} />
            </>
          )}
          <Text size="xs" c="dimmed" mt={4}>
            As of its last report, <When at={device.last_seen_at} zone={zone} />
          </Text>
        </Text>
      )}
    </Panel>
  );
}

function Figures({ device, activity, zone }: TabProps) {
  const facts = factsOf(device.heartbeat);
  const sample = activity?.heartbeats?.samples.at(-1);
  const offset = sample?.clock_offset_ms ?? facts.clockOffsetMs;
  const share = diskShare(facts);
  const rows: [string, ReactNode][] = [
    ["Last seen", <When key="seen" at={activity?.heartbeats?.last_at ?? device.last_seen_at} zone={zone} never="Never" />],
    ["Heartbeat", activity?.heartbeats ? `every ${span(activity.heartbeats.interval_s * 1000)}` : "–"],
    [
      "Clock",
      offset === null ? (
        "Not known"
      ) : (
        <State key="clock" value={clockState(offset)}>
          {clockWords(offset)}
        </State>
      ),
    ],
    [
      "Disk",
      facts.diskUsedBytes === null ? (
        "Not known"
      ) : share === null ? (
        bytes(facts.diskUsedBytes)
      ) : (
        <State key="disk" value={diskState(share)}>
          {`${percent(share, 0)} of ${bytes(facts.diskTotalBytes ?? 0)}`}
        </State>
      ),
    ],
    ["Player", device.player_version ?? "Not known"],
    ["Last error", facts.lastError ?? "None"],
    ...Object.entries(facts.counters).map(([name, value]): [string, ReactNode] => [factName(name), count(value)]),
  ];
  return (
    <Panel title="How is it doing?">
      <Table fz="sm" horizontalSpacing={0} aria-label="Figures of the last heartbeat">
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Td c="dimmed">{label}</Table.Td>
              <Table.Td ta="right">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

const LOOK_EVERY_MS = 5000;

/** The hash of the picture that a screenshot command brought; null where it brought none. */
function pictureOf({ result }: DeviceCommand): string | null {
  const inner = result?.detail;
  const detail = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : result;
  return typeof detail?.sha256 === "string" ? detail.sha256 : null;
}

function LastScreenshot({ device, zone }: Pick<TabProps, "device" | "zone">) {
  const { data } = useRead(
    "GET /v1/admin/devices/{id}/commands",
    { path: { id: device.id }, query: { type: "screenshot", limit: 10 } },
    { refetchInterval: LOOK_EVERY_MS },
  );
  const tell = useChange("POST /v1/admin/devices/{id}/commands");
  const taken = data?.items.find((command) => command.status === "done" && pictureOf(command) !== null);
  const waiting = data?.items.some(({ status }) => status === "waiting") ?? false;
  const ask = async () => {
    try {
      await tell.mutateAsync({ path: { id: device.id }, body: { type: "screenshot" } });
      said("Asked for a picture; it comes with the next heartbeat");
    } catch (error) {
      failed("No picture was asked for", error);
    }
  };
  return (
    <Panel
      title="What did its screen show last?"
      aside={
        device.status === "active" && (
          <Can do="operate">
            <Button size="compact-xs" variant="default" onClick={() => void ask()} loading={tell.isPending} disabled={waiting}>
              {waiting ? "Asked" : "Take a picture"}
            </Button>
          </Can>
        )
      }
    >
      {!data && <Skeleton height={220} />}
      {data && !taken && (
        <Text size="sm" c="dimmed">
          {waiting ? `Waiting for ${device.external_name} to send it.` : "No picture was taken yet."}
        </Text>
      )}
      {taken && (
        <Stack gap={6}>
          <Picture sha256={pictureOf(taken) ?? ""} label={`Screen of ${device.external_name}`} />
          <Group gap={4}>
            <Text size="xs" c="dimmed" component="div">
              Taken <When at={taken.settled_at} zone={zone} />, asked for by {taken.created_by}
              {waiting ? `; ${plural(1, "newer one")} is on its way` : ""}
            </Text>
          </Group>
        </Stack>
      )}
    </Panel>
  );
}
