import { Button, Group, Menu, Skeleton, Stack, Tabs } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { useLocation } from "wouter";
import { Can } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { Device, DeviceActivity } from "../../api/schema.ts";
import { useFilters } from "../../parts/filters.tsx";
import { OneThing } from "../../parts/one-thing.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { CommandDialog, EditDevice, MoveDialog, PairDialog, RevokeDialog } from "./dialogs.tsx";
import { type Places, usePlaces } from "./places.ts";
import { DaySentence } from "./sentence.tsx";
import { DayStrip } from "./strip.tsx";

const EVERY_MS = 10_000;
const CRUMBS = [{ label: "Devices", to: "/devices" }];

/** What each tab is given. */
export interface TabProps {
  device: Device;
  activity: DeviceActivity | undefined;
  /** The store's zone. */
  zone: string | undefined;
}

const TABS = [
  { id: "now", title: "Now", tab: lazy(() => import("./tab-now.tsx")) },
  { id: "health", title: "Health", tab: lazy(() => import("./tab-health.tsx")) },
  { id: "plan", title: "Plan", tab: lazy(() => import("./tab-plan.tsx")) },
  { id: "plays", title: "Plays", tab: lazy(() => import("./tab-plays.tsx")) },
  { id: "refused", title: "Refused", tab: lazy(() => import("./tab-refused.tsx")) },
  { id: "commands", title: "Commands", tab: lazy(() => import("./tab-commands.tsx")) },
  { id: "about", title: "About", tab: lazy(() => import("./tab-about.tsx")) },
];

/** One device: is it well, since when, what is it doing, what should I do. */
export function DevicePage({ id }: { id: string }) {
  const found = useRead("GET /v1/admin/devices/{id}", { path: { id } }, { refetchInterval: EVERY_MS });
  return (
    <OneThing found={found} kind="Device" crumbs={CRUMBS}>
      {(device) => <Found device={device} />}
    </OneThing>
  );
}

function Found({ device }: { device: Device }) {
  const activity = useRead("GET /v1/admin/devices/{id}/activity", { path: { id: device.id } }, { refetchInterval: EVERY_MS });
  const places = usePlaces();
  const { values, set } = useFilters(["tab"]);
  const store = places.storeOf(device.store_id);
  const zone = store?.timezone;
  const shown = TABS.find((tab) => tab.id === values.tab)?.id ?? "now";
  return (
    <>
      <PageHead
        title={device.external_name}
        crumbs={CRUMBS}
        line={<DaySentence device={device} activity={activity.data} store={store} />}
        action={
          <Can do="operate">
            <DeviceActions device={device} places={places} />
          </Can>
        }
      />
      <Stack gap="md">
        <DayStrip device={device} activity={activity.data} zone={zone} />
        <Tabs value={shown} onChange={(tab) => set("tab", tab === "now" ? null : tab)} keepMounted={false}>
          <Tabs.List mb="md" className="tabs-list">
            {TABS.map((tab) => (
              <Tabs.Tab key={tab.id} value={tab.id}>
                {tab.title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {TABS.map(({ id: name, tab: Tab }) => (
            <Tabs.Panel key={name} value={name}>
              <Suspense fallback={<Skeleton height={240} />}>
                <Tab device={device} activity={activity.data} zone={zone} />
              </Suspense>
            </Tabs.Panel>
          ))}
        </Tabs>
      </Stack>
    </>
  );
}

type Doing = "edit" | "move" | "command" | "pair" | "revoke";

function DeviceActions({ device, places }: { device: Device; places: Places }): ReactNode {
  const [doing, setDoing] = useState<Doing | null>(null);
  const [, navigate] = useLocation();
  const close = () => setDoing(null);
  const one = { devices: [device], clear: () => {}, onClose: close };
  return (
    <Group gap="xs">
      {device.status === "active" && (
        <Button variant="default" onClick={() => setDoing("command")}>
          Send a command
        </Button>
      )}
      {device.status !== "active" && (
        <Button onClick={() => setDoing("pair")}>{device.status === "revoked" ? "Pair anew" : "Pair its player"}</Button>
      )}
      <Menu>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={14} />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setDoing("edit")}>Rename or move</Menu.Item>
          {device.status === "active" && <Menu.Item onClick={() => setDoing("pair")}>Replace its player</Menu.Item>}
          {device.status !== "revoked" && (
            <>
              <Menu.Divider />
              <Menu.Item color="red" onClick={() => setDoing("revoke")}>
                Revoke
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {doing === "edit" && <EditDevice device={device} places={places} onClose={close} />}
      {doing === "move" && <MoveDialog {...one} places={places} />}
      {doing === "command" && <CommandDialog {...one} />}
      {doing === "revoke" && <RevokeDialog {...one} />}
      {doing === "pair" && (
        <PairDialog start={{ kind: "replace", device }} places={places} onClose={close} onPaired={(id) => navigate(`/devices/${id}`)} />
      )}
    </Group>
  );
}
