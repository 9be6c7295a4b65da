import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { createStore } from "../api/store.ts";

/** A step of the way to a page, as the top bar shows it. `to` is a path below `/console`. */
export interface Crumb {
  label: string;
  to?: string;
}

/** What the page in view says of where it is. */
export const crumbsShown = createStore<Crumb[]>([]);

/**
 * The head of every page: its title, one line that says what it is for, and the primary action at the right.
 * `crumbs` are the pages above it (`[{label: "Devices", to: "/devices"}]`).
 */
export function PageHead({
  title,
  line,
  action,
  crumbs = NONE,
}: {
  title: string;
  line?: ReactNode;
  action?: ReactNode;
  crumbs?: Crumb[];
}) {
  const way = JSON.stringify([...crumbs, { label: title }]);
  useEffect(() => {
    crumbsShown.set(JSON.parse(way) as Crumb[]);
    document.title = `${title} · Alive Signage`;
  }, [way, title]);
  return (
    <Group className="page-head" justify="space-between" align="flex-start" wrap="nowrap" mb="md" gap="md">
      <div style={{ minWidth: 0 }}>
        <Title order={1} tabIndex={-1} id="page-title">
          {title}
        </Title>
        {line && (
          <Text c="dimmed" component="div">
            {line}
          </Text>
        )}
      </div>
      {action && (
        <Group className="page-acts" gap="xs" wrap="nowrap">
          {action}
        </Group>
      )}
    </Group>
  );
}

const NONE: Crumb[] = [];
