import type { Stack } from "../stack/stack.ts";
import { memoryMb } from "./machine.ts";
import { ADMIN_HEADERS, reportAddress } from "./reports-address.ts";
import { PLAYS_OF_A_DAY } from "./reports-data.ts";
import type { Row } from "./stats.ts";

/** A download of a million lines: every campaign, store and content of each day. */
const CSV = { days: 50, query: "group_by=day,campaign,store,content" };
const SAMPLE_EVERY_MS = 100;

interface Download {
  lines: number;
  bytes: number;
  plays: number;
  firstByteMs: number;
  seconds: number;
  /** Resident memory of workerd while it streamed, MB, with the lines that had come by then. */
  memory: { lines: number; mb: number }[];
}

/**
 * Downloads the largest report, adds up what came, and watches workerd's memory: it must not grow with the lines. The isolates' heaps are
 * limited as on the platform; without, a machine with much memory is slow to collect what is no longer used.
 */
export async function csvRows(stack: Stack, now: number, faults: string[]): Promise<Row[]> {
  const before = memoryMb([stack.pid], "workerd");
  const download = await downloadCsv(stack, now);
  const { lines, bytes, plays, firstByteMs, seconds, memory } = download;
  const expected = CSV.days * PLAYS_OF_A_DAY;
  if (plays !== expected) faults.push(`the CSV's lines sum up to ${plays} plays, not ${expected}`);
  const rows: Row[] = [
    {
      id: "csv-rows",
      what: `CSV of ${CSV.days} days by day, campaign, store and content, streamed`,
      value: lines / seconds,
      unit: "lines/s",
      note: `${lines.toLocaleString("en")} lines, ${Math.round(bytes / 1e6)} MB, first byte after ${Math.round(firstByteMs)} ms`,
    },
  ];
  if (before === null) return rows;
  const peak = (from: number, to: number) =>
    Math.max(...memory.filter((sample) => sample.lines >= from * lines && sample.lines < to * lines).map(({ mb }) => mb), 0);
  const quarters = [0, 0.25, 0.5, 0.75].map((from) => `${Math.round(peak(from, from + 0.25))}`);
  return [
    ...rows,
    {
      id: "csv-memory",
      what: "peak memory of workerd while it streams, every isolate held to 128 MB of heap",
      value: peak(0, 1.01),
      unit: "MB",
      note: `${Math.round(before)} MB before; peak in each quarter of the file ${quarters.join(", ")} MB`,
    },
  ];
}

async function downloadCsv(stack: Stack, now: number): Promise<Download> {
  const download: Download = { lines: -1, bytes: 0, plays: 0, firstByteMs: 0, seconds: 0, memory: [] };
  const watch = setInterval(() => {
    const mb = memoryMb([stack.pid], "workerd");
    if (mb !== null) download.memory.push({ lines: Math.max(0, download.lines), mb });
  }, SAMPLE_EVERY_MS);
  try {
    const started = performance.now();
    const answer = await fetch(reportAddress(stack, "proof-of-play.csv", CSV, now), { headers: ADMIN_HEADERS });
    const decoder = new TextDecoder();
    let rest = "";
    let column = -1;
    for await (const chunk of answer.body ?? []) {
      if (download.bytes === 0) download.firstByteMs = performance.now() - started;
      download.bytes += chunk.length;
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\r\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        const cells = line.split(",");
        // The first line is the header.
        if (download.lines++ < 0) column = cells.indexOf("plays_count");
        else download.plays += Number(cells[column]);
      }
    }
    download.seconds = (performance.now() - started) / 1000;
    return download;
  } finally {
    clearInterval(watch);
  }
}
