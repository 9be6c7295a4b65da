import { Anchor, Button, Group, Modal, Skeleton, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useMay, useMe } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { Incident } from "../../api/schema.ts";
import { actorWords } from "../../parts/actor.ts";
import { Fault } from "../../parts/fault.tsx";
import { span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { useNow } from "../../parts/when.tsx";
import { INCIDENTS, incidentTitle } from "../../parts/words.ts";
import { acknowledge, resolve } from "./acts.ts";
import { NotesForm } from "./notes-form.tsx";
import { Timeline } from "./timeline.tsx";
import { detailLabel, detailWords, SEVERITIES, summary } from "./words.ts";

const CRUMBS = [{ label: "Incidents", to: "/incidents" }];
const EVERY_MS = 20_000;

/** One incident: what is wrong since when, what to do, who looks after it, and all that happened. */
export function IncidentPage({ id }: { id: string }) {
  const { data, error, refetch } = useRead("GET /v1/admin/incidents/{id}", { path: { id } }, { refetchInterval: EVERY_MS });
  if (error && !data)
    return (
      <>
        <PageHead title="Incident" crumbs={CRUMBS} />
        <Fault error={error} retry={() => void refetch()} />
      </>
    );
  if (!data)
    return (
      <>
        <PageHead title="Incident" crumbs={CRUMBS} />
        <Skeleton height={20} width={320} mb="md" />
        <Skeleton height={240} />
      </>
    );
  return <Shown incident={data} />;
}

function Shown({ incident }: { incident: Incident }) {
  const me = useMe();
  const mayOperate = useMay("operate");
  return (
    <>
      <PageHead
        title={incidentTitle(incident.type)}
        crumbs={CRUMBS}
        line={<StateSentence incident={incident} />}
        action={mayOperate && incident.resolved_at === null && <Acts incident={incident} />}
      />
      <div className="two-columns">
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Panel title="What to do">
            <Text size="sm">{INCIDENTS[incident.type]?.todo}</Text>
            <WhereTo incident={incident} />
          </Panel>
          <Panel title="What is known">
            <Details incident={incident} />
          </Panel>
          <Panel title="Notes">
            {mayOperate ? (
              <NotesForm incident={incident} />
            ) : (
              <Text size="sm" style={{ whiteSpace: "pre-wrap" }} c={incident.notes ? "inherit" : "dimmed"}>
                {incident.notes ?? "Nobody has written notes."}
              </Text>
            )}
          </Panel>
        </Stack>
        <Panel title="What happened">
          <Timeline incident={incident} withAudit={me.scope === null} />
        </Panel>
      </div>
    </>
  );
}

function StateSentence({ incident }: { incident: Incident }) {
  const now = useNow();
  const { created_at, resolved_at, resolved_by, acknowledged_by, severity, device_name, store_name } = incident;
  const resolver = resolved_by && actorWords(resolved_by, incident.resolved_by_name);
  const acknowledger = acknowledged_by && actorWords(acknowledged_by, incident.acknowledged_by_name);
  const lasted = span((resolved_at ? Date.parse(resolved_at) : now) - Date.parse(created_at));
  const where = device_name ? ` ${device_name}${store_name ? ` in ${store_name}` : ""}.` : "";
  const standing = resolved_at
    ? `${resolver ? `Resolved by ${resolver}` : "Resolved itself"} after ${lasted}.`
    : `${SEVERITIES[severity].word}, open for ${lasted}.`;
  const keeper = resolved_at ? "" : acknowledger ? ` ${acknowledger} looks after it.` : " Nobody has acknowledged it.";
  return (
    <span className="wraps">
      <State value={resolved_at ? "ok" : SEVERITIES[severity].state}>
        {standing}
        {where} {summary(incident, now)}.{keeper}
      </State>
    </span>
  );
}

function Acts({ incident }: { incident: Incident }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const isKept = incident.acknowledged_at !== null;
  const run = async (act: (incidents: Incident[]) => Promise<void>) => {
    setBusy(true);
    await act([incident]);
    setBusy(false);
    setAsking(false);
  };
  useShortcut({ keys: "e", label: "Acknowledge", group: "Incident" }, () => void run(acknowledge), !isKept);
  useShortcut({ keys: "r", label: "Resolve by hand", group: "Incident" }, () => setAsking(true));
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        Resolve
      </Button>
      {!isKept && (
        <Button loading={busy} onClick={() => void run(acknowledge)}>
          Acknowledge
        </Button>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title="Resolve by hand?" size="sm">
        <Text size="sm" mb="md">
          For what cannot resolve itself. Where the cause is not gone, another incident opens.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
          <Button loading={busy} onClick={() => void run(resolve)} data-autofocus>
            Resolve
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function WhereTo({ incident: { type, device_id, store_id, details } }: { incident: Incident }) {
  const links = [
    ...(device_id ? [{ href: `/devices/${device_id}`, label: "Open the device" }] : []),
    ...(store_id && type === "OFFLINE_DURING_HOURS" ? [{ href: `/stores/${store_id}`, label: "Open the store" }] : []),
    ...(type === "PIPELINE_LAG" ? [{ href: "/pipeline", label: "Open the pipeline" }] : []),
    ...(type === "ARCHIVE_MISMATCH" ? [{ href: "/pipeline?tab=archive", label: "Open the archive's days" }] : []),
    ...(type === "CHUNK_CONFLICT" && typeof details.dead_letter === "string"
      ? [{ href: `/pipeline/dead-letters/${details.dead_letter}`, label: "Open the dead letter" }]
      : []),
  ];
  if (links.length === 0) return null;
  return (
    <Group gap="md" mt="xs">
      {links.map(({ href, label }) => (
        <Anchor key={href} component={Link} href={href} size="sm">
          {label}
        </Anchor>
      ))}
    </Group>
  );
}

function Details({ incident }: { incident: Incident }) {
  const zone = incident.timezone ?? undefined;
  return (
    <dl className="facts">
      {incident.device_id && (
        <>
          <dt>Device</dt>
          <dd>
            {incident.device_name} <Id value={incident.device_id} label="device id" />
          </dd>
        </>
      )}
      {incident.store_name && (
        <>
          <dt>Store</dt>
          <dd>{incident.store_name}</dd>
        </>
      )}
      {Object.entries(incident.details)
        .filter(([name]) => name !== "store_id")
        .map(([name, value]) => (
          <Fact key={name} name={name} value={value} zone={zone} />
        ))}
      <dt>Incident</dt>
      <dd>
        <Id value={incident.id} label="incident id" />
      </dd>
    </dl>
  );
}

function Fact({ name, value, zone }: { name: string; value: unknown; zone: string | undefined }) {
  const isLong = typeof value === "object" && value !== null && name !== "missing";
  return (
    <>
      <dt>{detailLabel(name)}</dt>
      <dd>{isLong ? <pre className="raw">{JSON.stringify(value, null, 2)}</pre> : detailWords(name, value, zone)}</dd>
    </>
  );
}
