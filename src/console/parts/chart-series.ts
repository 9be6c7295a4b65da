import type { StateValue } from "./state.tsx";

/** One line of a chart. */
export interface Series {
  label: string;
  /** One for each point of `x`; null where nothing is known, which is drawn as a gap and never as zero. */
  values: (number | null)[];
  /** For series that are a state; others take the accent and the greys, in order. */
  state?: StateValue;
  dashed?: boolean;
  /** Stands behind the others, of which it is the whole. */
  quiet?: boolean;
}

export interface ChartProps {
  /** The question that it answers: "Plays a minute, by verdict". */
  title: string;
  /** Seconds since 1970, ascending; even, for a gap to be seen. */
  x: number[];
  series: Series[];
  /** Lines for what goes on, bars for sums of an hour or a day. */
  kind?: "lines" | "bars";
  format?: (value: number) => string;
  /** The zone that the x axis is told in; the reader's own without it. */
  zone?: string;
  height?: number;
  /** Called with seconds when a part was brushed: sets the page's range. */
  onRange?: (from: number, to: number) => void;
}

const STROKES = ["--accent", "--unknown", "--warn", "--text"];

/** The name of the colour that a series is drawn in. */
export function colourOf(one: Series, all: Series[]): string {
  if (one.quiet) return "--line-strong";
  return one.state ? `--${one.state}` : (STROKES[all.filter(({ quiet }) => !quiet).indexOf(one) % STROKES.length] ?? "--accent");
}
