export interface Series {
  name: string;
  points: [x: number, y: number][];
}

export interface Chart {
  title: string;
  x: string;
  y: string;
  /** Whether x grows by factors, as numbers of devices do. */
  logX?: boolean;
  series: Series[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 70;
const COLOURS = ["#1f6feb", "#d1570c", "#1a7f37", "#8250df"];
const FONT = 'font-family="system-ui, sans-serif" font-size="12" fill="#57606a"';

/** A line chart as SVG, from zero on the y axis, so that no difference looks larger than it is. */
export function lineChart(chart: Chart): string {
  const xs = [...new Set(chart.series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const top = roundUp(Math.max(1e-9, ...chart.series.flatMap(({ points }) => points.map(([, y]) => y))));
  const place = (x: number) => (chart.logX ? Math.log(x) : x);
  const [first, last] = [place(xs[0] ?? 0), place(xs.at(-1) ?? 1)];
  const atX = (x: number) => LEFT + ((place(x) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const atY = (y: number) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(chart.title)}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" ${FONT} font-weight="600">${escapeText(chart.title)}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => {
      const y = atY(top * share);
      return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#d0d7de"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end" ${FONT}>${escapeText((top * share).toLocaleString("en"))}</text>`;
    }),
    ...xs.map((x) => `<text x="${atX(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" ${FONT}>${x.toLocaleString("en")}</text>`),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - BOTTOM + 36}" text-anchor="middle" ${FONT}>${escapeText(chart.x)}</text>`,
    `<text x="${LEFT - 8}" y="${TOP - 6}" text-anchor="end" ${FONT}>${escapeText(chart.y)}</text>`,
    ...chart.series.flatMap((series, n) => drawSeries(series, n, atX, atY)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function drawSeries({ name, points }: Series, n: number, atX: (x: number) => number, atY: (y: number) => number): string[] {
  const colour = COLOURS[n % COLOURS.length] ?? "#000000";
  const line = points.map(([x, y]) => `${round(atX(x))},${round(atY(y))}`).join(" ");
  const legendX = LEFT + n * 140;
  return [
    `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(([x, y]) => `<circle cx="${round(atX(x))}" cy="${round(atY(y))}" r="3" fill="${colour}"/>`),
    `<rect x="${legendX}" y="${HEIGHT - 20}" width="12" height="4" fill="${colour}"/><text x="${legendX + 18}" y="${HEIGHT - 14}" ${FONT}>${escapeText(name)}</text>`,
  ];
}

/** The next of 1, 2, 2.5, 4, 5, 6, 8 and 10 times a power of ten: a top whose quarters read well. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
