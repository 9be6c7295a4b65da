import { Marked } from "marked";
import access from "./access.md";
import architecture from "./architecture.md";
import content from "./content.md";
import faults from "./faults.md";
import monitoring from "./monitoring.md";
import operations from "./operations.md";
import performance from "./performance.md";
import batches from "./performance-batches.svg";
import batchesP99 from "./performance-batches-p99.svg";
import devices from "./performance-devices.svg";
import devicesP99 from "./performance-devices-p99.svg";
import playLogs from "./play-logs.md";
import proofEvents from "./proof-events.md";
import scheduling from "./scheduling.md";
import sdk from "./sdk.md";
import stream from "./stream.md";
import telemetry from "./telemetry.md";
import webPlayer from "./web-player.md";
import webhooks from "./webhooks.md";

/** The guides, in the order of the table of contents. The first line of each is its title. */
const GUIDES: Record<string, string> = {
  "play-logs": playLogs,
  "proof-events": proofEvents,
  telemetry,
  stream,
  sdk,
  "web-player": webPlayer,
  content,
  scheduling,
  monitoring,
  webhooks,
  access,
  operations,
  architecture,
  faults,
  performance,
};

/** The charts that guides show, by their files' names. */
const CHARTS: Record<string, string> = {
  "performance-batches.svg": batches,
  "performance-batches-p99.svg": batchesP99,
  "performance-devices.svg": devices,
  "performance-devices-p99.svg": devicesP99,
};

/** A chart as SVG, or null. */
export function chart(name: string): string | null {
  return Object.hasOwn(CHARTS, name) ? (CHARTS[name] ?? null) : null;
}

const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${slugOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    image({ href, text }) {
      return `<img src="/docs/${escapeAttribute(href.replace(/^\.\//, ""))}" alt="${escapeAttribute(text)}">`;
    },
    link({ href, tokens }) {
      return `<a href="${escapeAttribute(pathOf(href))}">${this.parser.parseInline(tokens)}</a>`;
    },
  },
});

export interface Guide {
  name: string;
  title: string;
}

export function guides(): Guide[] {
  return Object.entries(GUIDES).map(([name, text]) => ({ name, title: titleOf(text) }));
}

/** A guide as HTML, or null. The texts are the product's own: they are not sanitised. */
export function renderGuide(name: string): { title: string; html: string } | null {
  const text = Object.hasOwn(GUIDES, name) ? GUIDES[name] : undefined;
  return text === undefined ? null : { title: titleOf(text), html: marked.parse(text, { async: false }) };
}

function titleOf(text: string): string {
  return /^# (.+)$/m.exec(text)?.[1] ?? "";
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** Guides cite each other as files, so that they can be read in the repository too. */
function pathOf(href: string): string {
  return href.replace(/^(?:\.\/)?([a-z-]+)\.md(?=#|$)/, "/docs/$1");
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
