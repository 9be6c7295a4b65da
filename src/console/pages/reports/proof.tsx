import { Button, Skeleton, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { useRead } from "../../api/query.ts";
import type { PlayProof } from "../../api/schema.ts";
import { keep } from "../../parts/download.ts";
import { Fault } from "../../parts/fault.tsx";
import { day as dayWords, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { checkHere } from "./check-here.ts";
import { At, flagWords, STATUS } from "./words.tsx";

/** One play and what proves it: the record as its device sent it, and its signature, checked by the server and by this browser. */
export default function ProofPage({ deviceId, eventId }: { deviceId: string; eventId: string }) {
  const [search] = useSearchParams();
  const day = search.get("day") ?? "";
  const segment = search.get("segment_id");
  const { data, error, refetch } = useRead("GET /v1/admin/plays/{device_id}/{event_id}", {
    path: { device_id: deviceId, event_id: eventId },
    query: { day, ...(segment ? { segment_id: segment } : {}) },
  });
  const crumbs = [
    { label: "Reports", to: "/reports" },
    { label: "Plays", to: `/reports/plays?day=${day}&device_id=${deviceId}` },
  ];
  if (!data)
    return (
      <>
        <PageHead title="Play" crumbs={crumbs} />
        {error ? <Fault error={error} retry={() => void refetch()} /> : <Skeleton height={400} />}
      </>
    );
  return <Shown proof={data} crumbs={crumbs} />;
}

function Shown({ proof, crumbs }: { proof: PlayProof; crumbs: { label: string; to: string }[] }) {
  const { play } = proof;
  const save = () => keep(new Blob([JSON.stringify(proof, null, 2)], { type: "application/json" }), `play_${play.event_id}.json`);
  return (
    <>
      <PageHead
        title={`Play of ${play.content_name ?? "unknown content"}`}
        crumbs={crumbs}
        line={<Sentence proof={proof} />}
        action={
          <Button variant="default" leftSection={<IconDownload size={14} />} onClick={save}>
            Download proof
          </Button>
        }
      />
      <div className="two-columns">
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Panel title="What was recorded">
            <Recorded proof={proof} />
          </Panel>
          <Panel title="The record as the device sent it">
            <pre className="raw">{proof.record ? JSON.stringify(proof.record, null, 2) : proof.record_text}</pre>
          </Panel>
        </Stack>
        <Stack gap="md" style={{ minWidth: 0 }}>
          <Panel title="Does it hold">
            <Checks proof={proof} />
          </Panel>
          <Panel title="Where it lies">
            <Places proof={proof} />
          </Panel>
        </Stack>
      </div>
    </>
  );
}

function Sentence({ proof: { play, record_holds, signature_holds, signed_by } }: { proof: PlayProof }) {
  const where = [play.device_name ?? "A device", play.store_name].filter(Boolean).join(" in ");
  const [state, words]: [StateValue, string] = !record_holds
    ? ["bad", "The archived record is not the one that was recorded."]
    : signature_holds === false
      ? ["bad", "The signature does not hold."]
      : signed_by === "nobody"
        ? ["warn", "The record is the one that was recorded; its device did not sign it."]
        : ["ok", "Proved: the record is the one that was recorded, and its device signed it."];
  return (
    <Stack gap={2}>
      <span>
        {where}, <At at={play.started_at} zone={play.timezone} withDay />
      </span>
      <span className="wraps">
        <State value={state}>{words}</State>
      </span>
    </Stack>
  );
}

function Recorded({ proof: { play } }: { proof: PlayProof }) {
  const facts: [string, React.ReactNode][] = [
    [
      "Status",
      <State key="s" value={STATUS[play.result].state}>
        {STATUS[play.result].word}
      </State>,
    ],
    ["Billable", play.billable ? "yes" : "no"],
    ["Started", <At key="t" at={play.started_at} zone={play.timezone} withDay />],
    ["By the device's clock", <At key="r" at={play.started_at_raw} zone={play.timezone} withDay />],
    ["Ended", <At key="e" at={play.ended_at} zone={play.timezone} withDay />],
    ["Received", <At key="c" at={play.received_at} zone={play.timezone} withDay />],
    ["Lasted", `${span(play.duration_ms)}${play.expected_ms === null ? "" : ` of ${span(play.expected_ms)}`}`],
    ["Counts for", dayWords(play.day)],
    ["Campaign", play.campaign_name ?? play.campaign_id ?? "none: filler"],
    ["Quality", `${play.quality} of 100`],
    ["Flags", play.flags.length === 0 ? "none" : play.flags.map(flagWords).join(", ")],
    ["Door", play.door],
    ["Sequence number", play.sequence === null ? "none" : String(play.sequence)],
    ["Play", <Id key="i" value={play.event_id} label="play id" whole />],
    ["Correlation", <Id key="o" value={play.correlation_id} label="correlation id" />],
  ];
  return <Facts facts={facts} />;
}

function Facts({ facts }: { facts: [string, React.ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Checks({ proof }: { proof: PlayProof }) {
  const [here, setHere] = useState<boolean | null | "asked">("asked");
  useEffect(() => {
    void checkHere(proof).then(setHere);
  }, [proof]);
  const { signature, signature_holds, record_holds, signed_by, batch_lines } = proof;
  return (
    <Stack gap="xs">
      <Check
        holds={record_holds}
        yes="The record's hash is the one that was recorded"
        no="The record's hash is another one than was recorded"
      />
      {signed_by === "nobody" ? (
        <Text size="sm" component="div">
          <State value="warn">Nobody signed this record</State>
        </Text>
      ) : (
        <>
          <Check
            holds={signature_holds === true}
            yes={`The server finds that the ${batch_lines ? "batch's " : ""}signature holds`}
            no="The server finds that the signature does not hold"
          />
          {here === null ? (
            <Text size="sm" component="div">
              <State value="unknown">This browser does not know the algorithm</State>
            </Text>
          ) : (
            here !== "asked" && <Check holds={here} yes="This browser finds so too" no="This browser finds that it does not hold" />
          )}
        </>
      )}
      <dl className="facts">
        <dt>SHA-256</dt>
        <dd>
          <Id value={proof.record_hash} label="hash" />
        </dd>
        {signature && (
          <>
            <dt>Signature</dt>
            <dd>
              <Id value={signature} label="signature" />
            </dd>
          </>
        )}
        {proof.key && (
          <>
            <dt>Key</dt>
            <dd>
              {String(proof.key.jwk.alg)} <Id value={JSON.stringify(proof.key.jwk)} label="public key" />
            </dd>
          </>
        )}
      </dl>
    </Stack>
  );
}

function Check({ holds, yes, no }: { holds: boolean; yes: string; no: string }) {
  return (
    <Text size="sm" component="div" className="wraps">
      <State value={holds ? "ok" : "bad"}>{holds ? yes : no}</State>
    </Text>
  );
}

function Places({ proof: { archive } }: { proof: PlayProof }) {
  return (
    <Facts
      facts={[
        ["Segment", <Id key="s" value={archive.segment_id} label="segment id" />],
        ["File", <Id key="f" value={archive.r2_key} label="file's name" />],
        ["Its SHA-256", <Id key="h" value={archive.sha256} label="file's hash" />],
        ["Chunk", <Id key="c" value={archive.chunk} label="chunk id" />],
        ["Row", String(archive.chunk_index)],
      ]}
    />
  );
}
