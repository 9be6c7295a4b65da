import {
  IconActivityHeartbeat,
  IconBell,
  IconBuildingStore,
  IconCalendarWeek,
  IconClipboardList,
  IconDeviceTv,
  IconLayoutDashboard,
  IconMovie,
  IconPlaylist,
  IconReportAnalytics,
  IconSettings,
  IconSpeakerphone,
} from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { Right } from "./api/me.ts";

/** A page of the console: its own file under `pages/`, loaded when it is first opened. */
export interface PageRoute {
  /** Its path below `/console`. All paths below that are its own too. */
  path: string;
  title: string;
  /** Where it stands in the navigation. */
  group: "" | "Network" | "Programme" | "Proof" | "Incidents" | "Administration";
  icon: ComponentType<{ size?: number; stroke?: number }>;
  /** Keys one after another, by which one goes there. */
  keys: string;
  /** Who sees it in the navigation: all, where absent. */
  right?: Right;
  page: LazyExoticComponent<ComponentType>;
}

export const PAGES: PageRoute[] = [
  {
    path: "/",
    title: "Overview",
    group: "",
    icon: IconLayoutDashboard,
    keys: "g o",
    page: lazy(() => import("./pages/overview/index.tsx")),
  },
  {
    path: "/devices",
    title: "Devices",
    group: "Network",
    icon: IconDeviceTv,
    keys: "g d",
    page: lazy(() => import("./pages/devices/index.tsx")),
  },
  {
    path: "/stores",
    title: "Stores",
    group: "Network",
    icon: IconBuildingStore,
    keys: "g s",
    page: lazy(() => import("./pages/stores/index.tsx")),
  },
  {
    path: "/content",
    title: "Content",
    group: "Programme",
    icon: IconMovie,
    keys: "g c",
    page: lazy(() => import("./pages/content/index.tsx")),
  },
  {
    path: "/playlists",
    title: "Playlists",
    group: "Programme",
    icon: IconPlaylist,
    keys: "g l",
    page: lazy(() => import("./pages/playlists/index.tsx")),
  },
  {
    path: "/schedules",
    title: "Schedules",
    group: "Programme",
    icon: IconCalendarWeek,
    keys: "g w",
    page: lazy(() => import("./pages/schedules/index.tsx")),
  },
  {
    path: "/campaigns",
    title: "Campaigns",
    group: "Programme",
    icon: IconSpeakerphone,
    keys: "g m",
    page: lazy(() => import("./pages/campaigns/index.tsx")),
  },
  {
    path: "/reports",
    title: "Reports",
    group: "Proof",
    icon: IconReportAnalytics,
    keys: "g r",
    page: lazy(() => import("./pages/reports/index.tsx")),
  },
  {
    path: "/pipeline",
    title: "Pipeline",
    group: "Proof",
    icon: IconActivityHeartbeat,
    keys: "g p",
    page: lazy(() => import("./pages/pipeline/index.tsx")),
  },
  {
    path: "/incidents",
    title: "Incidents",
    group: "Incidents",
    icon: IconBell,
    keys: "g i",
    page: lazy(() => import("./pages/incidents/index.tsx")),
  },
  {
    path: "/settings",
    title: "Settings",
    group: "Administration",
    icon: IconSettings,
    keys: "g ,",
    page: lazy(() => import("./pages/settings/index.tsx")),
  },
  {
    path: "/audit",
    title: "Audit",
    group: "Administration",
    icon: IconClipboardList,
    keys: "g a",
    page: lazy(() => import("./pages/audit/index.tsx")),
  },
];

/** One's own account: behind the name in the top bar, not in the navigation. */
export const AccountPage = lazy(() => import("./pages/account/index.tsx"));

/** The page that a path (below `/console`) belongs to. */
export function pageAt(path: string): PageRoute | undefined {
  return PAGES.find((page) => (page.path === "/" ? path === "/" : path === page.path || path.startsWith(`${page.path}/`)));
}
