import { Anchor, Button, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { DeadLetterContents } from "../../api/schema.ts";
import { Fault } from "../../parts/fault.tsx";
import { count, exact, plural, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { When } from "../../parts/when.tsx";
import { LetterState, redrive } from "./dead-letters.tsx";
import { codeWords, REASONS } from "./words.ts";

const CRUMBS = [
  { label: "Pipeline", to: "/pipeline" },
  { label: "Dead letters", to: "/pipeline?tab=dead-letters" },
];

/** A dead letter: why it is one, and what is in it. */
export function DeadLetterPage({ id }: { id: string }) {
  const { data, error, refetch } = useRead("GET /v1/admin/pipeline/dead-letters/{id}", { path: { id } });
  const mayOperate = useMay("operate");
  if (!data)
    return (
      <>
        <PageHead title="Dead letter" crumbs={CRUMBS} />
        {error ? <Fault error={error} retry={() => void refetch()} /> : <Skeleton height={280} />}
      </>
    );
  return (
    <>
      <PageHead
        title={`Dead letter: ${codeWords(data.reason).toLowerCase()}`}
        crumbs={CRUMBS}
        line={REASONS[data.reason] ?? data.reason}
        action={mayOperate && data.redriven_at === null && <Button onClick={() => void redrive([data.id])}>Redrive</Button>}
      />
      <Stack gap="md">
        <Panel title="What is known">
          <Facts letter={data} />
        </Panel>
        {data.readable ? <Plays letter={data} /> : <Unreadable letter={data} />}
      </Stack>
    </>
  );
}

function Facts({ letter }: { letter: DeadLetterContents }) {
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <LetterState letter={letter} />
      </dd>
      <dt>Plays</dt>
      <dd>{count(letter.plays_count)}</dd>
      <dt>Device</dt>
      <dd>
        {letter.device_id ? (
          <>
            <Anchor component={Link} href={`/devices/${letter.device_id}`} inherit>
              Open the device
            </Anchor>{" "}
            <Id value={letter.device_id} label="device id" />
          </>
        ) : (
          "not known"
        )}
      </dd>
      <dt>Chunk</dt>
      <dd>{letter.chunk_id ? <Id value={letter.chunk_id} label="chunk id" whole /> : "not known"}</dd>
      <dt>Since</dt>
      <dd>
        <When at={letter.created_at} />
      </dd>
      <dt>Redriven</dt>
      <dd>
        <When at={letter.redriven_at} never="not yet" />
      </dd>
      <dt>Lies in</dt>
      <dd>
        <Id value={letter.r2_key} label="object's name" whole />
      </dd>
    </dl>
  );
}

function Plays({ letter }: { letter: DeadLetterContents }) {
  const { plays, plays_count } = letter;
  return (
    <Panel title={plays.length < plays_count ? `The first ${plays.length} of ${plural(plays_count, "play")}` : plural(plays_count, "play")}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1) */}
      <section className="table-frame" aria-label="Plays of this letter" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              {["Started", "Day", "Result", "Content", "Campaign"].map((header) => (
                <th key={header} scope="col">
                  {header}
                </th>
              ))}
              <th scope="col" className="number">
                Lasted
              </th>
              <th scope="col">Id</th>
            </tr>
          </thead>
          <tbody>
            {plays.map((play) => (
              <tr key={String(play.event_id)}>
                <td>{typeof play.started_at === "number" ? exact(play.started_at) : "–"}</td>
                <td>{String(play.day ?? "")}</td>
                <td>{String(play.result ?? "")}</td>
                <td>{play.content_id ? <Id value={String(play.content_id)} label="content id" /> : "–"}</td>
                <td>{play.campaign_id ? <Id value={String(play.campaign_id)} label="campaign id" /> : "filler"}</td>
                <td className="number">{span(Number(play.duration_ms ?? 0))}</td>
                <td>
                  <Id value={String(play.event_id)} label="play id" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  );
}

function Unreadable({ letter: { error, text } }: { letter: DeadLetterContents }) {
  return (
    <Panel title="It cannot be read">
      <Text size="sm" mb="xs">
        {error}
      </Text>
      {text !== "" && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
        <pre className="raw boxed" tabIndex={0}>
          {text}
        </pre>
      )}
    </Panel>
  );
}
