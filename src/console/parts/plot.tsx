import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";
import UPlot from "uplot";
import { type ChartProps, colourOf, type Series } from "./chart-series.ts";
import { clock, count, moment } from "./format.ts";

const DAY_S = 86_400;

type PlotProps = Required<Pick<ChartProps, "title" | "x" | "series" | "kind" | "format" | "height">> & {
  zone: string | undefined;
  onRange: ((from: number, to: number) => void) | undefined;
};

/** The drawing of a `Chart`: all that needs uPlot. */
export default function Plot({ title, x, series, kind, format, zone, height, onRange }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const tellRange = useRef(onRange);
  tellRange.current = onRange;
  const scheme = useComputedColorScheme();
  const data = useMemo(() => [x, ...series.map((one) => one.values)] as UPlot.AlignedData, [x, series]);
  const latest = useRef(data);
  latest.current = data;
  const step = x[1] !== undefined && x[0] !== undefined ? x[1] - x[0] : DAY_S;
  const shape = JSON.stringify(series.map(({ label, state, dashed, quiet }) => ({ label, state, dashed, quiet })));
  // Colours are read from the page, so the scheme is a reason to draw anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: scheme
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const drawn = JSON.parse(shape) as Series[];
    const options = plotOptions(drawn, {
      kind,
      format,
      zone,
      height,
      width: element.clientWidth,
      colours: coloursOf(element, drawn),
      step,
    });
    const made = new UPlot(
      { ...options, hooks: { setSelect: [(self) => tellSelection(self, tellRange.current)] } },
      latest.current,
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, kind, zone, height, scheme, step]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={place} role="img" aria-label={`Chart: ${title}. The same numbers are in the table.`} style={{ height }} />;
}

function tellSelection(self: UPlot, onRange: ((from: number, to: number) => void) | undefined): void {
  if (self.select.width < 4) return;
  const [from, to] = [self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x")];
  if (onRange) {
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    onRange(from, to);
  }
}

interface Colours {
  text: string;
  line: string;
  strokes: string[];
}

function coloursOf(element: HTMLElement, series: Series[]): Colours {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { text: read("--text-quiet"), line: read("--line"), strokes: series.map((one) => read(colourOf(one, series))) };
}

/** Bars from one word of the axis to the next. */
const BAR_STEPS = [1, 2, 3, 4, 6, 7, 12, 14, 24, 28, 48, 56, 96, 168];
/** Steps of an axis on which things are counted: 1, 2, 5, 10 and so on. */
const WHOLE_STEPS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

const dayOf = (at: number, zone: string | undefined) => moment(at * 1000, zone).split(",")[0] ?? "";

/** The time of day; the day where one begins. */
function timeOf(at: number, zone: string | undefined): string {
  const time = clock(at * 1000, zone);
  return time === "00:00" ? dayOf(at, zone) : time;
}

function lonely(values: ArrayLike<number | null | undefined> | undefined): number[] {
  const found: number[] = [];
  for (let index = 0; values && index < values.length; index++) {
    if (values[index] != null && values[index - 1] == null && values[index + 1] == null) found.push(index);
  }
  return found;
}

function plotOptions(
  series: Series[],
  look: {
    kind: "lines" | "bars";
    format: (value: number) => string;
    zone: string | undefined;
    width: number;
    height: number;
    colours: Colours;
    /** Seconds between two points. */
    step: number;
  },
): UPlot.Options {
  const { kind, format, zone, width, height, colours, step } = look;
  const wholeOnly = format === count;
  const axis = { stroke: colours.text, grid: { stroke: colours.line, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const bars = kind === "bars" ? UPlot.paths.bars?.({ size: [0.7, 40] }) : undefined;
  // A bar stands over its time: half of the first one and of the last one would be cut off.
  const half = step / 2;
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, ...(bars ? { range: (_self, first, last) => [first - half, last + half] } : {}) },
      y: { range: (_self, _least, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        values: (_self, splits, _axis, _space, between) => splits.map((at) => (between >= DAY_S ? dayOf(at, zone) : timeOf(at, zone))),
        // Between bars stands nothing to be told.
        ...(bars ? { incrs: BAR_STEPS.map((bar) => bar * step) } : {}),
      },
      { ...axis, size: 56, values: (_self, values) => values.map(format), ...(wholeOnly ? { incrs: WHOLE_STEPS } : {}) },
    ],
    tzDate: (at) => (zone ? UPlot.tzDate(new Date(at * 1000), zone) : new Date(at * 1000)),
    series: [
      {},
      ...series.map((one, index) => ({
        label: one.label,
        stroke: colours.strokes[index] ?? colours.text,
        width: 1.75,
        spanGaps: false,
        // A value that stands alone between gaps would be no line.
        points: kind === "lines" ? { size: 4, filter: (self: UPlot, index: number) => lonely(self.data[index]) } : { show: false },
        ...(one.dashed ? { dash: [5, 4] } : {}),
        ...(bars ? { paths: bars, fill: `${colours.strokes[index] ?? colours.text}55` } : {}),
      })),
    ],
  };
}
