import { Anchor, Button, Drawer, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { exact } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import {
  askedOf,
  type Difference,
  didWords,
  differencesOf,
  type Entry,
  fieldWords,
  targetHref,
  targetName,
  valueText,
  whoWords,
} from "./words.ts";

/** One entry whole: who, what, when, from where, and what was before and after. */
export function EntryDrawer({
  id,
  known,
  onFilter,
  onClose,
}: {
  id: string;
  /** The entry, where the list has it. */
  known: Entry | null;
  onFilter: (key: string, value: string) => void;
  onClose: () => void;
}) {
  const read = useRead("GET /v1/admin/audit-log/{id}", { path: { id } }, { enabled: known === null });
  const entry = known ?? read.data;
  return (
    <Drawer opened onClose={onClose} title={entry ? didWords(entry) : "Entry"} size={640}>
      {entry && <Shown entry={entry} onFilter={onFilter} />}
      {!entry && (read.error ? <Fault error={read.error} retry={() => void read.refetch()} /> : <Skeleton height={240} />)}
    </Drawer>
  );
}

function Shown({ entry, onFilter }: { entry: Entry; onFilter: (key: string, value: string) => void }) {
  const href = targetHref(entry);
  const name = targetName(entry);
  const at = Date.parse(entry.created_at);
  return (
    <Stack gap="lg">
      <Table fz="sm" verticalSpacing={6} horizontalSpacing={0} withRowBorders={false} layout="fixed">
        <Table.Tbody>
          <Line label="Who">
            <Group justify="space-between" wrap="nowrap">
              <span>{whoWords(entry)}</span>
              <Button size="compact-xs" variant="subtle" onClick={() => onFilter("actor_user_id", entry.actor_user_id)}>
                All by them
              </Button>
            </Group>
          </Line>
          <Line label="Which">
            <Group justify="space-between" wrap="nowrap">
              <span>
                {href && name ? (
                  <Anchor component={Link} href={href} inherit>
                    {name}
                  </Anchor>
                ) : (
                  (name ?? "")
                )}{" "}
                <Id value={entry.target_id} label="id" />
              </span>
              <Button size="compact-xs" variant="subtle" onClick={() => onFilter("target_id", entry.target_id)}>
                Its history
              </Button>
            </Group>
          </Line>
          <Line label="When">
            {exact(at)}
            <Text span size="xs" c="dimmed" ml="xs">
              {exact(at, "UTC")}
            </Text>
          </Line>
          <Line label="From where">
            {entry.origin
              ? [entry.origin.country, entry.origin.network].filter(Boolean).join(" · ") || "Not known"
              : "Not a person's request"}
          </Line>
          <Line label="Action">
            <code className="mono">{entry.action}</code>
          </Line>
          {entry.origin && (
            <Line label="In the logs">
              <Id value={entry.origin.correlation_id} label="correlation id" />
            </Line>
          )}
        </Table.Tbody>
      </Table>
      <Changes entry={entry} />
      <Asked asked={askedOf(entry.details)} />
    </Stack>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th fw={400} c="dimmed" w={110} scope="row">
        {label}
      </Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  );
}

/** Before and after, field by field. What was taken away is struck through, what was put there underlined: not by colour alone. */
function Changes({ entry }: { entry: Entry }) {
  const differences = differencesOf(entry.details);
  if (differences.length === 0) return null;
  const { before, after } = entry.details as { before?: unknown; after?: unknown };
  return (
    <section aria-label="What changed">
      <h2 className="panel-title">{before === undefined ? "As it was made" : after === undefined ? "As it was last" : "What changed"}</h2>
      <Table fz="xs" mt="xs" layout="fixed" className="diff">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Field</Table.Th>
            {before !== undefined && <Table.Th scope="col">Before</Table.Th>}
            {after !== undefined && <Table.Th scope="col">After</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {differences.map((one) => (
            <Table.Tr key={one.field}>
              <Table.Th scope="row" fw={500}>
                {fieldWords(one.field)}
              </Table.Th>
              {before !== undefined && <Table.Td>{after === undefined ? valueText(one.before) : <Old difference={one} />}</Table.Td>}
              {after !== undefined && <Table.Td>{before === undefined ? valueText(one.after) : <New difference={one} />}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Old({ difference: { before } }: { difference: Difference }) {
  return before === undefined || before === null ? <>–</> : <del>{valueText(before)}</del>;
}

function New({ difference: { after } }: { difference: Difference }) {
  return after === undefined || after === null ? <>–</> : <ins>{valueText(after)}</ins>;
}

function Asked({ asked }: { asked: Record<string, unknown> }) {
  const fields = Object.entries(asked);
  if (fields.length === 0) return null;
  return (
    <section aria-label="What was asked">
      <h2 className="panel-title">What was asked</h2>
      <Table fz="xs" mt="xs" layout="fixed" className="diff">
        <Table.Tbody>
          {fields.map(([field, value]) => (
            <Table.Tr key={field}>
              <Table.Th scope="row" fw={500}>
                {fieldWords(field)}
              </Table.Th>
              <Table.Td>{valueText(value)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
