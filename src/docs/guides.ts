import { Marked } from "marked";
import access from "./access.md";
import architecture from "./architecture.md";
import content from "./content.md";
import sendPlay from "./examples/send-play.sh";
import signedPlayLogs from "./examples/signed-play-logs.json.txt";
import faults from "./faults.md";
import monitoring from "./monitoring.md";
import operations from "./operations.md";
import performance from "./performance.md";
import batches from "./performance-batches.svg";
import batchesP99 from "./performance-batches-p99.svg";
import devices from "./performance-devices.svg";
import devicesP99 from "./performance-devices-p99.svg";
import playLogs from "./play-logs.md";
import players from "./players.md";
import proofEvents from "./proof-events.md";
import scheduling from "./scheduling.md";
import sdk from "./sdk.md";
import simulator from "./simulator.md";
import stream from "./stream.md";
import telemetry from "./telemetry.md";
import webPlayer from "./web-player.md";
import webhooks from "./webhooks.md";

/** The guides, in the order of the table of contents. The first line of each is its title. */
const GUIDES: Record<string, string> = {
  "play-logs": playLogs,
  players,
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
  simulator,
  performance,
};

/** The charts that guides show, by their files' names. */
const CHARTS: Record<string, string> = {
  "performance-batches.svg": batches,
  "performance-batches-p99.svg": batchesP99,
  "performance-devices.svg": devices,
  "performance-devices-p99.svg": devicesP99,
};

/** What guides offer for download, by their files' names. */
const FILES: Record<string, { text: string; type: string }> = {
  ...Object.fromEntries(Object.entries(CHARTS).map(([name, text]) => [name, { text, type: "image/svg+xml" }])),
  "send-play.sh": { text: sendPlay, type: "text/x-shellscript; charset=utf-8" },
  // As text all the way: a bundler's own JSON would not keep how each number is written.
  "signed-play-logs.json": { text: signedPlayLogs, type: "application/json" },
};

/** A chart, or a file for download, with its media type; null where there is none of this name. */
export function fileOf(name: string): { text: string; type: string } | null {
  return Object.hasOwn(FILES, name) ? (FILES[name] ?? null) : null;
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
  return href.replace(/^(?:\.\/)?([a-z-]+)\.md(?=#|$)/, "/docs/$1").replace(/^(?:\.\/)?examples\/(.+?)(?:\.txt)?$/, "/docs/$1");
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
