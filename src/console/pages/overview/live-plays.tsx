import { useMemo } from "react";
import type { Overview } from "../../api/schema.ts";
import { Chart } from "../../parts/chart.tsx";

/** Plays by the minute in which they were recorded. */
export function LivePlays({ minutes }: { minutes: NonNullable<Overview["minutes"]> }) {
  const { x, series } = useMemo(
    () => ({
      x: minutes.map(({ at }) => Date.parse(at) / 1000),
      series: [{ label: "Recorded plays", values: minutes.map(({ plays_count }) => plays_count) }],
    }),
    [minutes],
  );
  return <Chart title="How many plays were recorded each minute of the last hour?" x={x} series={series} height={180} />;
}
