import { Anchor, Group } from "@mantine/core";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Device, DeviceActivity, Store } from "../../api/schema.ts";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { clockWords, deviceState, factsOf } from "./state.ts";

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
      {offset !== null && <span>Clock {clockWords(offset)}.</span>}
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
