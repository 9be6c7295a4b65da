import { ActionIcon, Badge, Group, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";
import { may, useMe } from "../api/me.ts";
import { shortCount } from "../parts/format.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { PAGES, type PageRoute, pageAt } from "../routes.tsx";
import { useOpenIncidents } from "./open-incidents.ts";

/** Groups of several pages; the others are told apart by the space between them. */
const HEADED = ["Network", "Programme", "Proof"];

/** All pages, grouped. Folded to icons it keeps their names for screen readers and on hover. */
export function Navigation({ narrow, onFold, onClose }: { narrow: boolean; onFold: () => void; onClose: () => void }) {
  const me = useMe();
  const seen = PAGES.filter(({ right }) => right === undefined || may(me, right));
  const groups = [...new Set(seen.map(({ group }) => group))];
  return (
    <>
      <Group h={52} px={narrow ? 14 : "md"} justify="space-between" wrap="nowrap" style={{ flex: "none" }}>
        {!narrow && (
          <Text fw={650} size="md">
            Alive Signage
          </Text>
        )}
        <ActionIcon visibleFrom="sm" aria-label={narrow ? "Unfold the navigation" : "Fold the navigation"} onClick={onFold}>
          {narrow ? <IconLayoutSidebarLeftExpand size={18} /> : <IconLayoutSidebarLeftCollapse size={18} />}
        </ActionIcon>
        <ActionIcon hiddenFrom="sm" aria-label="Close the navigation" onClick={onClose}>
          <IconLayoutSidebarLeftCollapse size={18} />
        </ActionIcon>
      </Group>
      {groups.map((group) => (
        <section key={group} className="nav-section" aria-label={group || "Start"}>
          {HEADED.includes(group) && !narrow && <h2 className="nav-group">{group}</h2>}
          {seen
            .filter((page) => page.group === group)
            .map((page) => (
              <NavigationLink key={page.path} page={page} narrow={narrow} />
            ))}
        </section>
      ))}
    </>
  );
}

function NavigationLink({ page, narrow }: { page: PageRoute; narrow: boolean }) {
  const [path, navigate] = useLocation();
  const { icon: Icon, title, keys } = page;
  useShortcut({ keys, label: title, group: "Go to" }, () => navigate(page.path));
  const here = pageAt(path) === page;
  return (
    <Tooltip label={title} position="right" disabled={!narrow}>
      <Link href={page.path} className="nav-link" {...(here ? { "aria-current": "page" as const } : {})}>
        <Icon size={18} stroke={1.6} />
        {narrow ? <VisuallyHidden>{title}</VisuallyHidden> : title}
        {page.path === "/incidents" && !narrow && <IncidentCount />}
      </Link>
    </Tooltip>
  );
}

function IncidentCount() {
  const open = useOpenIncidents();
  if (!open) return null;
  return (
    <Badge className="nav-count" size="sm" color="gray">
      {shortCount(open.count)}
      {open.more ? "+" : ""}
    </Badge>
  );
}
