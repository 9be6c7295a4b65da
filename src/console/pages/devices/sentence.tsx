import { Anchor, Group } from "@mantine/core";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Device, DeviceActivity, Store } from "../../api/schema.ts";
import { plural } from "../../parts/format.ts";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { incidentTitle } from "../../parts/words.ts";
import { clockState, clockWords, deviceState, factsOf } from "./state.ts";

const EVERY_MS = 15_000;

/** How a device does, in one line: "Online, 12 s ago. Playing 'Autumn 15 s' on plan a91f. Clock 0.2 s fast." */
export function DaySentence({
  device,
  activity,
  store,
}: {
  device: Device;
  activity: DeviceActivity | undefined;
  store: Store | undefined;
}) {
  const { value, word } = deviceState(device);
  const facts = factsOf(device.heartbeat);
  const content = useRead("GET /v1/admin/content/{id}", { path: { id: facts.contentId ?? "" } }, { enabled: facts.contentId !== null });
  // The object heard of the device within the minute; the registry is told every ten.
  const lastAt = activity?.heartbeats?.last_at ?? device.last_seen_at;
  const offset = activity?.heartbeats?.samples.at(-1)?.clock_offset_ms ?? facts.clockOffsetMs;
  const on = value === "ok";
  return (
    <Group gap={6} component="span" display="inline-flex" wrap="wrap">
      <State value={value}>{word}</State>
      {lastAt !== null && (
        <span>
          {on ? "" : "since "}
          <When at={lastAt} zone={store?.timezone} />.
        </span>
      )}
      {on && facts.contentId !== null && (
        <span>
          Playing{" "}
          <Anchor component={Link} href={`/content/${facts.contentId}`} inherit>
            {content.data?.name ?? "content"}
          </Anchor>
          {facts.planEtag ? ` on plan ${facts.planEtag.replaceAll('"', "").slice(0, 4)}` : ""}.
        </span>
      )}
      {on && facts.contentId === null && facts.planEtag !== null && <span>Playing nothing now.</span>}
      {offset !== null &&
        (clockState(offset) === "ok" ? (
          <span>Clock {clockWords(offset)}.</span>
        ) : (
          <State value={clockState(offset)}>Clock {clockWords(offset)}.</State>
        ))}
      <OpenIncidents deviceId={device.id} />
      {store && (
        <span>
          In{" "}
          <Anchor component={Link} href={`/stores/${store.id}`} inherit>
            {store.name}
          </Anchor>
          .
        </span>
      )}
    </Group>
  );
}

/** What is wrong with it now, and the way there. Nothing where nothing is. */
function OpenIncidents({ deviceId }: { deviceId: string }) {
  const { data } = useRead("GET /v1/admin/incidents", { query: { device_id: deviceId, state: "open" } }, { refetchInterval: EVERY_MS });
  const [first, ...others] = data?.items ?? [];
  if (!first) return null;
  const [to, words] =
    others.length === 0
      ? [`/incidents/${first.id}`, `Open incident: ${incidentTitle(first.type)}`]
      : [`/incidents?device_id=${deviceId}`, plural(others.length + 1, "open incident")];
  return (
    <span>
      <Anchor component={Link} href={to} inherit>
        {words}
      </Anchor>
      .
    </span>
  );
}
