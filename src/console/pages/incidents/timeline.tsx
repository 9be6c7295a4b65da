import { Skeleton, Timeline as Steps, Text } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconNote } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useRead } from "../../api/query.ts";
import type { AuditEntry, Incident } from "../../api/schema.ts";
import { actorWords } from "../../parts/actor.ts";
import { When } from "../../parts/when.tsx";

interface Step {
  key: string;
  at: string;
  title: string;
  icon: ReactNode;
  text?: string;
}

const BULLET = { background: "var(--ground)", color: "var(--text-quiet)", border: "1px solid var(--line-strong)" } as const;
const ICON = { size: 12, "aria-hidden": true } as const;

/** All that happened to an incident, oldest first. Who sees the whole network sees each change; others what the incident itself tells. */
export function Timeline({ incident, withAudit }: { incident: Incident; withAudit: boolean }) {
  const { data, isPending } = useRead(
    "GET /v1/admin/audit-log",
    { query: { target_type: "incident", target_id: incident.id, limit: 100 } },
    { enabled: withAudit },
  );
  if (withAudit && isPending) return <Skeleton height={120} />;
  const steps = data ? fromAudit(incident, data.items) : fromIncident(incident);
  return (
    <Steps bulletSize={22} lineWidth={1} active={steps.length} color="gray" styles={{ itemBullet: BULLET }}>
      {steps.map((step) => (
        <Steps.Item key={step.key} bullet={step.icon} title={<Text size="sm">{step.title}</Text>}>
          <Text size="xs" c="dimmed">
            <When at={step.at} zone={incident.timezone ?? undefined} />
          </Text>
          {step.text && (
            <Text size="sm" mt={4} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
              {step.text}
            </Text>
          )}
        </Steps.Item>
      ))}
    </Steps>
  );
}

function opened({ id, created_at }: Incident): Step {
  return { key: id, at: created_at, title: "Opened by itself", icon: <IconAlertTriangle {...ICON} /> };
}

function resolvedItself({ resolved_at, resolved_by }: Incident): Step[] {
  if (resolved_at === null || resolved_by !== null) return [];
  return [{ key: "resolved", at: resolved_at, title: "Resolved itself: the cause is gone", icon: <IconCircleCheck {...ICON} /> }];
}

function fromAudit(incident: Incident, entries: AuditEntry[]): Step[] {
  const acts = entries.toReversed().map((entry): Step => {
    const who = actorWords(entry.actor_user_id, entry.actor_name);
    const common = { key: entry.id, at: entry.created_at };
    if (entry.action === "incident.acknowledge") return { ...common, title: `Acknowledged by ${who}`, icon: <IconCheck {...ICON} /> };
    if (entry.action === "incident.resolve") return { ...common, title: `Resolved by ${who}`, icon: <IconCircleCheck {...ICON} /> };
    const after = entry.details.after as { notes?: string | null } | undefined;
    return { ...common, title: `Notes by ${who}`, icon: <IconNote {...ICON} />, text: after?.notes ?? "Taken away" };
  });
  return [opened(incident), ...acts, ...resolvedItself(incident)];
}

function fromIncident(incident: Incident): Step[] {
  const { acknowledged_at, acknowledged_by, resolved_at, resolved_by } = incident;
  const acknowledger = actorWords(acknowledged_by ?? "", incident.acknowledged_by_name);
  return [
    opened(incident),
    ...(acknowledged_at
      ? [{ key: "ack", at: acknowledged_at, title: `Acknowledged by ${acknowledger}`, icon: <IconCheck {...ICON} /> }]
      : []),
    ...(resolved_at && resolved_by
      ? [
          {
            key: "resolved",
            at: resolved_at,
            title: `Resolved by ${actorWords(resolved_by, incident.resolved_by_name)}`,
            icon: <IconCircleCheck {...ICON} />,
          },
        ]
      : []),
    ...resolvedItself(incident),
  ];
}
