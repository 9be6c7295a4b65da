import { Button, Menu, Group as Row, SegmentedControl, Text, TextInput } from "@mantine/core";
import { IconCalendar, IconLayersIntersect } from "@tabler/icons-react";
import type { Filters } from "../../parts/filters.tsx";
import { type Asked, dimensionsOf, GROUPS, type Group, groupsOf } from "./asked.ts";
import { presets } from "./days.ts";
import { DimensionFilter } from "./dimension-filter.tsx";

const MOST_GROUPS = 4;

/** Sets several parts of the address at once. */
export type SetAsked = (values: Record<string, string | null>) => void;

/** All that a report is asked by: its kind and range, its groups, and what it is narrowed to. Each is kept in the address. */
export function ReportControls({ asked, filters, set, today }: { asked: Asked; filters: Filters; set: SetAsked; today: string }) {
  return (
    <>
      <Row gap="xs" mb="xs">
        <SegmentedControl
          size="xs"
          aria-label="What is reported"
          data={[
            { value: "played", label: "Played" },
            { value: "planned", label: "Planned against played" },
          ]}
          value={asked.kind}
          onChange={(kind) => set({ kind: kind === "planned" ? "planned" : null, group_by: null })}
        />
        <Range asked={asked} set={set} today={today} />
        <GroupBy asked={asked} onChange={(groups) => filters.set("group_by", groups.join(",") || null)} />
      </Row>
      <Row gap="xs" mb="md" role="search" aria-label="Filters">
        {dimensionsOf(asked.kind).map((dimension) => (
          <DimensionFilter
            key={dimension}
            dimension={dimension}
            ids={asked.filters[dimension] ?? []}
            onChange={(ids) => filters.set(dimension, ids.join(",") || null)}
          />
        ))}
        {Object.keys(asked.filters).length > 0 && (
          <Button
            variant="subtle"
            size="compact-xs"
            color="gray"
            onClick={() => set(Object.fromEntries(Object.keys(asked.filters).map((key) => [key, null])))}
          >
            Clear all
          </Button>
        )}
      </Row>
    </>
  );
}

/** What the report's rows are of: in the order in which they were chosen, for that is the order of the columns. */
function GroupBy({ asked: { kind, groups }, onChange }: { asked: Asked; onChange: (groups: Group[]) => void }) {
  const toggle = (group: Group) => onChange(groups.includes(group) ? groups.filter((one) => one !== group) : [...groups, group]);
  return (
    <Menu position="bottom-start" closeOnItemClick={false}>
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconLayersIntersect size={14} />}>
          <Text span c="dimmed" inherit>
            Group by
          </Text>
          <Text span inherit ml={6}>
            {groups.map((group) => GROUPS[group]).join(", ")}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {groupsOf(kind).map((group) => (
          <Menu.CheckboxItem
            key={group}
            checked={groups.includes(group)}
            disabled={groups.includes(group) ? groups.length === 1 : groups.length === MOST_GROUPS}
            onChange={() => toggle(group)}
          >
            {GROUPS[group]}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Range({ asked: { from, to }, set, today }: { asked: Asked; set: SetAsked; today: string }) {
  const known = presets(today);
  const chosen = known.find((preset) => preset.from === from && preset.to === to);
  return (
    <Row gap={4}>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" size="xs" leftSection={<IconCalendar size={14} />}>
            {chosen?.label ?? "Other days"}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {known.map((preset) => (
            <Menu.Item key={preset.label} onClick={() => set({ from: preset.from, to: preset.to })}>
              {preset.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <TextInput
        size="xs"
        type="date"
        aria-label="First day"
        value={from}
        max={to}
        onChange={(event) => event.currentTarget.value && set({ from: event.currentTarget.value, to })}
      />
      <TextInput
        size="xs"
        type="date"
        aria-label="Last day"
        value={to}
        min={from}
        onChange={(event) => event.currentTarget.value && set({ from, to: event.currentTarget.value })}
      />
    </Row>
  );
}
