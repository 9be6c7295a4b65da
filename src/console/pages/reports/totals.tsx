import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { PlannedReport, ProofOfPlayReport } from "../../api/schema.ts";
import { count, percent, span } from "../../parts/format.ts";
import { DeliveryShare } from "../campaigns/delivery-share.tsx";
import { type Asked, playsHref } from "./asked.ts";
import { Behind, Unknown } from "./columns.tsx";
import { SOURCES } from "./words.tsx";

/** The sums of the whole report, whatever part of it the table shows. */
export function PlayedTotals({
  asked,
  totals,
  source,
}: {
  asked: Asked;
  totals: NonNullable<ProofOfPlayReport["totals"]>;
  source: ProofOfPlayReport["source"];
}) {
  const { plays_count, billable_count, completed_count, total_duration_ms } = totals;
  const share = (part: number | undefined) => (part === undefined || plays_count === 0 ? "" : `${percent(part / plays_count)} of all`);
  return (
    <div className="figures">
      <Total label="Plays" word={SOURCES[source]}>
        <Behind value={plays_count} href={playsHref({ ...asked, groups: [] }, {})} />
      </Total>
      <Total label="Billable" word={share(billable_count)}>
        <Behind value={billable_count} href={playsHref({ ...asked, groups: [] }, {}, { billable: true })} />
      </Total>
      <Total label="Completed" word={share(completed_count)}>
        <Behind value={completed_count} href={playsHref({ ...asked, groups: [] }, {}, { status: "COMPLETED" })} />
      </Total>
      <Total label="Time shown" word={plays_count === 0 ? "" : `${span(Math.round(total_duration_ms / plays_count))} a play`}>
        {span(total_duration_ms)}
      </Total>
    </div>
  );
}

export function PlannedTotals({ asked, totals, isOver }: { asked: Asked; totals: NonNullable<PlannedReport["totals"]>; isOver: boolean }) {
  const { planned_plays, played_plays, billable_plays, delivery } = totals;
  return (
    <div className="figures">
      <Total label="Planned" word="a day's plan counts whole, today's too">
        {planned_plays === null ? <Unknown /> : count(planned_plays)}
      </Total>
      <Total label="Played" word="of any status">
        <Behind value={played_plays} href={playsHref({ ...asked, groups: [] }, {})} />
      </Total>
      <Total label="Delivery" word={isOver ? "played of planned" : "played of planned; the last day is not over"}>
        <DeliveryShare delivery={delivery} isOver={isOver} />
      </Total>
      <Total label="Billable" word="">
        <Behind value={billable_plays} href={playsHref({ ...asked, groups: [] }, {}, { billable: true })} />
      </Total>
    </div>
  );
}

function Total({ label, word, children }: { label: string; word: string; children: ReactNode }) {
  return (
    <div className="panel">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className="figure">{children}</div>
      <Text size="xs" c="dimmed" mih={16}>
        {word}
      </Text>
    </div>
  );
}
