import { Anchor, Group, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Incident } from "../../api/schema.ts";
import { Fault } from "../../parts/fault.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { INCIDENTS, incidentTitle } from "../../parts/words.ts";

const SHOWN = 8;
const EVERY_MS = 15_000;
const SEVERITIES: Record<Incident["severity"], string> = { high: "High", medium: "Medium", low: "Low" };
const STATES: Record<Incident["severity"], StateValue> = { high: "bad", medium: "warn", low: "unknown" };

/** The newest open incidents, with what to do. */
export function IncidentsPanel() {
  const { data, error, refetch } = useRead(
    "GET /v1/admin/incidents",
    { query: { state: "open", limit: SHOWN } },
    { refetchInterval: EVERY_MS },
  );
  return (
    <Panel
      title="What needs somebody?"
      aside={
        <Anchor component={Link} href="/incidents" size="xs">
          All incidents
        </Anchor>
      }
    >
      {error && !data && <Fault error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton height={160} />}
      {data?.items.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing is wrong that anybody would have to look at.
        </Text>
      )}
      <Stack gap="sm">
        {data?.items.map((incident) => (
          <div key={incident.id}>
            <Group justify="space-between" wrap="nowrap" gap="sm">
              <Anchor component={Link} href={`/incidents/${incident.id}`} size="sm" underline="hover" style={{ minWidth: 0 }}>
                <State value={STATES[incident.severity]}>{incidentTitle(incident.type)}</State>
              </Anchor>
              <Text size="xs" c="dimmed" style={{ flex: "none" }}>
                <When at={incident.created_at} />
              </Text>
            </Group>
            <Text size="xs" c="dimmed">
              {SEVERITIES[incident.severity]} · {incident.acknowledged_at ? "acknowledged" : "not acknowledged"} ·{" "}
              {INCIDENTS[incident.type]?.todo}
            </Text>
          </div>
        ))}
      </Stack>
    </Panel>
  );
}
