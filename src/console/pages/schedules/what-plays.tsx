import { Anchor, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import type { Answer } from "../../api/client.ts";
import { useRead, useRows } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { exact, moment, span } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import type { Device } from "../stores/stores.ts";
import { localTime } from "../stores/stores.ts";
import type { Network } from "./places.ts";
import type { Schedule } from "./rules-words.ts";

type Explanation = Answer<"GET /v1/admin/devices/{id}/plan">;
type Explained = Explanation["schedules"][number];

const MOST_SLOTS = 12;

/** What plays on a device at a time of its store's clock, and why the other schedules do not: as the server's plan has it. */
export function WhatPlays({
  network,
  devices,
  at,
  onAt,
  schedules,
}: {
  network: Network;
  devices: Device[];
  /** `YYYY-MM-DDTHH:MM` by the store's clock; null: now. */
  at: string | null;
  onAt: (at: string | null) => void;
  schedules: Schedule[];
}) {
  const [chosen, setChosen] = useState<string | null>(null);
  const device = devices.find(({ id }) => id === chosen) ?? devices[0];
  const zone = (device?.store_id ? network.stores.get(device.store_id)?.timezone : undefined) ?? "UTC";
  const instant = at ? new Date(instantOf(at, zone)).toISOString() : undefined;
  const found = useRead(
    "GET /v1/admin/devices/{id}/plan",
    { path: { id: device?.id ?? "" }, query: { at: instant } },
    { enabled: device !== undefined },
  );
  return (
    <Panel title="What plays here at…">
      {device ? (
        <Stack gap="xs">
          {devices.length > 1 && (
            <Select
              size="xs"
              aria-label="Device"
              data={devices.map(({ id, external_name }) => ({ value: id, label: external_name }))}
              value={device.id}
              onChange={setChosen}
              searchable
              limit={80}
              allowDeselect={false}
            />
          )}
          <TextInput
            size="xs"
            type="datetime-local"
            aria-label="Time, by the store's clock"
            value={at ?? wallText(zone)}
            onChange={(event) => onAt(event.currentTarget.value || null)}
          />
          {found.error && <Fault error={found.error} retry={() => void found.refetch()} />}
          {found.isPending && !found.error && <Skeleton h={80} />}
          {found.data && <Answered explanation={found.data} network={network} schedules={schedules} />}
        </Stack>
      ) : (
        <Text size="sm" c="dimmed">
          No device is in this group yet.
        </Text>
      )}
    </Panel>
  );
}

function Answered({ explanation, network, schedules }: { explanation: Explanation; network: Network; schedules: Schedule[] }) {
  const { segment, items } = explanation;
  const content = useRows("GET /v1/admin/content", {}, { all: 5000 });
  const names = new Map(content.rows.map(({ id, name }) => [id, name]));
  const slots = segment.loop.slice(0, MOST_SLOTS);
  return (
    <div aria-live="polite">
      <Text size="xs" c="dimmed" title={exact(Date.parse(explanation.at), "UTC")}>
        {moment(Date.parse(explanation.at), explanation.timezone)}, {explanation.timezone.replaceAll("_", " ")}; the same until{" "}
        {moment(Date.parse(segment.to), explanation.timezone)}
      </Text>
      <Text size="sm" fw={500} mt={4}>
        {headline(explanation, network)}
      </Text>
      <ol className="loop">
        {slots.map((slot) => {
          const item = items[slot.item];
          return (
            <li key={slot.slot_id}>
              <Text span size="xs">
                {names.get(item?.content_id ?? "") ?? "…"}
              </Text>
              <Text span size="xs" c="dimmed">
                {" "}
                {span(slot.duration_ms ?? item?.duration_ms ?? 0)}
              </Text>
            </li>
          );
        })}
      </ol>
      {segment.loop.length > MOST_SLOTS && (
        <Text size="xs" c="dimmed">
          and {segment.loop.length - MOST_SLOTS} more in the loop
        </Text>
      )}
      <Stack gap={6} mt="xs">
        {explanation.schedules.map((schedule) => (
          <div key={schedule.schedule_id}>
            <Anchor component={Link} href={`/schedules/${schedule.schedule_id}`} size="xs">
              {schedule.name ?? "Unnamed schedule"}
            </Anchor>
            <Text size="xs" c="dimmed">
              {wordsOfReason(schedule, schedules, explanation.timezone)}
            </Text>
          </div>
        ))}
      </Stack>
    </div>
  );
}

const list = new Intl.ListFormat("en", { type: "conjunction" });

function headline({ segment, schedules }: Explanation, network: Network): string {
  if (segment.takeover_id !== undefined) return "A takeover stands in place of every schedule.";
  if (segment.loop.length === 0) return "Nothing plays.";
  const playing = schedules.filter(({ schedule_id }) => segment.schedule_ids.includes(schedule_id));
  const names = list.format(playing.map(({ name }) => name ?? "Unnamed"));
  if (playing.length > 1) return `${playing.length} schedules share the loop: ${names}.`;
  if (playing.length === 1) return `${names} plays.`;
  const playlist = segment.loop[0]?.playlist_id;
  return `The group's default playlist${playlist ? `, ${network.playlists.get(playlist) ?? "…"},` : ""} plays.`;
}

/** Why a schedule plays or does not, as a sentence. */
function wordsOfReason(one: Explained, schedules: Schedule[], zone: string): string {
  const next = one.next_at ? ` Next ${moment(Date.parse(one.next_at), zone)}.` : "";
  const names = (ids: string[]) => ids.map((id) => schedules.find((schedule) => schedule.id === id)?.name ?? "another").join(", ");
  switch (one.reason) {
    case "plays":
      return "Plays now.";
    case "archived":
      return "Is archived.";
    case "excluded_store":
      return "Leaves this store out.";
    case "not_yet":
      return `Begins ${one.start_date}.${next}`;
    case "ended":
      return `Ended ${one.end_date}.`;
    case "excluded_date":
      return `Leaves out ${one.date}.${next}`;
    case "outside_dayparts":
      return `Is off at this time.${next}`;
    case "takeover":
      return "Stands back for a takeover.";
    case "lower_priority":
      return `Is covered by ${names(one.than ?? [])}, of priority ${one.their_priority}.${next}`;
    case "empty_playlist":
      return "Is on, but its playlist has nothing to play.";
    case "no_time_left":
      return "Is on, but shares of voice take the whole hour.";
  }
}

/** The instant at which a zone's clock shows this; of two, the first. */
export function instantOf(wall: string, zone: string): number {
  const asUtc = Date.parse(`${wall}:00Z`);
  const shownAt = (at: number) => {
    const { date, minute } = localTime(at, zone);
    return Date.parse(`${date}T00:00:00Z`) + minute * 60_000;
  };
  const guess = asUtc - (shownAt(asUtc) - asUtc);
  return guess - (shownAt(guess) - asUtc);
}

function wallText(zone: string): string {
  const { date, minute } = localTime(Date.now(), zone);
  return `${date}T${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}
