import { Button, Group, Skeleton, Text } from "@mantine/core";
import { IconChartLine, IconTable } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { type ChartProps, colourOf, type Series } from "./chart-series.ts";
import { count, moment } from "./format.ts";
import { Panel } from "./panel.tsx";

export type { Series } from "./chart-series.ts";

// Numbers come first, then the library that draws them.
const Plot = lazy(() => import("./plot.tsx"));

/** A chart of one idea: zero-based, gaps for what is missing, brush to choose a range, and the same numbers as a table one click away. */
export function Chart({ title, x, series, kind = "lines", format = count, zone, height = 200, onRange }: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  return (
    <Panel
      title={title}
      aside={
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={asTable ? <IconChartLine size={14} /> : <IconTable size={14} />}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? "Chart" : "Table"}
        </Button>
      }
    >
      {asTable ? (
        <NumbersTable title={title} x={x} series={series} format={format} zone={zone} />
      ) : (
        <>
          <Legend series={series} />
          <Suspense fallback={<Skeleton height={height} />}>
            <Plot title={title} x={x} series={series} kind={kind} format={format} zone={zone} height={height} onRange={onRange} />
          </Suspense>
        </>
      )}
    </Panel>
  );
}

function Legend({ series }: { series: Series[] }) {
  return (
    <Group gap="md" mb={4}>
      {series.map((one) => (
        <Group key={one.label} gap={6} wrap="nowrap">
          <svg width="14" height="8" aria-hidden>
            <line
              x1="0"
              y1="4"
              x2="14"
              y2="4"
              stroke={`var(${colourOf(one, series)})`}
              strokeWidth="2"
              strokeDasharray={one.dashed ? "4 3" : "none"}
            />
          </svg>
          <Text size="xs" c="dimmed">
            {one.label}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

function NumbersTable({
  title,
  x,
  series,
  format,
  zone,
}: {
  title: string;
  x: number[];
  series: Series[];
  format: (value: number) => string;
  zone: string | undefined;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
    <section className="table-frame" style={{ maxHeight: 280 }} aria-label={`${title}, in numbers`} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((one) => (
              <th key={one.label} scope="col" className="number">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {x.map((at, index) => (
            <tr key={at}>
              <td>{moment(at * 1000, zone)}</td>
              {series.map((one) => {
                const value = one.values[index];
                return (
                  <td key={one.label} className="number">
                    {value === null || value === undefined ? "–" : format(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
