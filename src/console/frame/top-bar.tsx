import {
  ActionIcon,
  Anchor,
  Breadcrumbs,
  Burger,
  Button,
  Group,
  Kbd,
  Menu,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { IconBell, IconMoon, IconSearch, IconSun, IconUser } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";
import { signOut } from "../account/calls.ts";
import { useMe } from "../api/me.ts";
import { useStore } from "../api/store.ts";
import { plural } from "../parts/format.ts";
import { crumbsShown } from "../parts/page-head.tsx";
import { isMac, useShortcut } from "../parts/shortcuts.ts";
import { leave } from "../parts/unsaved.tsx";
import { useOpenIncidents } from "./open-incidents.ts";

/** Where one is, search, open incidents, the theme, and oneself. */
export function TopBar({ menu, onMenu, onSearch }: { menu: boolean; onMenu: () => void; onSearch: () => void }) {
  return (
    <Group h="100%" px={{ base: "md", sm: "lg" }} gap="sm" wrap="nowrap">
      <Burger opened={menu} onClick={onMenu} hiddenFrom="sm" size="sm" aria-label="Navigation" aria-expanded={menu} />
      <Way />
      <Group gap={4} ml="auto" wrap="nowrap">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconSearch size={14} />}
          rightSection={<Kbd size="xs">{isMac ? "⌘K" : "Ctrl K"}</Kbd>}
          onClick={onSearch}
          visibleFrom="sm"
          mr={6}
        >
          Search
        </Button>
        <ActionIcon size="lg" aria-label="Search" onClick={onSearch} hiddenFrom="sm">
          <IconSearch size={18} />
        </ActionIcon>
        <OpenIncidents />
        <ThemeToggle />
        <Oneself />
      </Group>
    </Group>
  );
}

function Way() {
  const crumbs = useStore(crumbsShown);
  return (
    <Breadcrumbs separatorMargin={6} className="way" style={{ flexWrap: "nowrap" }} component="nav" aria-label="Breadcrumb">
      {crumbs.map((crumb, index) =>
        crumb.to && index < crumbs.length - 1 ? (
          <Anchor key={crumb.label} component={Link} href={crumb.to} size="sm" c="dimmed" underline="hover">
            {crumb.label}
          </Anchor>
        ) : (
          <Text key={crumb.label} size="sm" truncate aria-current="page">
            {crumb.label}
          </Text>
        ),
      )}
    </Breadcrumbs>
  );
}

function OpenIncidents() {
  const open = useOpenIncidents();
  const label = open ? `${plural(open.count, "open incident")}${open.more ? " and more" : ""}` : "No open incident";
  return (
    <Tooltip label={label}>
      <Button
        component={Link}
        href="/incidents"
        variant="subtle"
        color="gray"
        size="compact-md"
        px={8}
        aria-label={label}
        leftSection={<IconBell size={18} />}
        className="bell"
        {...(open ? { "data-open": true } : {})}
      >
        {open ? `${open.count}${open.more ? "+" : ""}` : ""}
      </Button>
    </Tooltip>
  );
}

function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  useShortcut({ keys: "t", label: "Light or dark", group: "Everywhere" }, () => setColorScheme(other));
  return (
    <Tooltip label={`Use the ${other} theme`}>
      <ActionIcon size="lg" aria-label={`Use the ${other} theme`} onClick={() => setColorScheme(other)}>
        {scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

function Oneself() {
  const me = useMe();
  const [, navigate] = useLocation();
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={`Account of ${me.name}`}>
          <IconUser size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.name}
          {me.email ? ` · ${me.email}` : ""} · {me.role}
        </Menu.Label>
        {me.kind === "user" && <Menu.Item onClick={() => navigate("/account")}>Account and security</Menu.Item>}
        <Menu.Item component="a" href="/docs" target="_blank">
          Documentation
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => leave(() => void signOut())}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
