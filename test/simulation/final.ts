import { HOUR_MS } from "../../src/platform/time.ts";
import { pendingRows } from "../../src/plays/ledger/daily-sums.ts";
import { AGGREGATE_COUNTERS, DAILY_SUMS } from "../../src/plays/tables.ts";
import { type ArchivedPlay, readArchive } from "./invariants.ts";
import type { Network } from "./network.ts";

/** Counts of plays by any key: [plays, completed, partial, skipped, interrupted, error, billable, duration in ms]. */
type Figures = Record<string, number[]>;

const SHOWING_COUNTS = {
  play_start: "starts_count",
  play_complete: "completed_count",
  play_stop: "stops_count",
  play_progress: "progress_count",
  seek: "seeks_count",
} as const;
const RESULTS = ["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"];
const COUNTS =
  "plays_count, completed_count, partial_count, skipped_count, interrupted_count, error_count, billable_count, total_duration_ms, starts_count";

/** What must hold when faults have ended and everything is drained and rolled up. */
export async function checkEnd(network: Network): Promise<void> {
  const { world } = network;
  const archive = await readArchive(network);
  const seen = new Set<string>();
  for (const play of archive) {
    const key = `${play.device_id} ${play.event_id}`;
    world.check("I2 no play is archived twice", !seen.has(key), () => key);
    seen.add(key);
  }
  if (network.eventRows) checkEvents(network, archive);
  checkAggregates(network, archive);
  checkBooks(network, archive);
  checkStarts(network, archive);
  checkShowings(network);
  checkRefusals(network);
  checkMetrics(network, archive);
  checkDeadLetters(network);
}

/** The metrics count each play and each refusal once, as the ledger's transaction does. */
function checkMetrics({ world, d1 }: Network, archive: ArchivedPlay[]): void {
  const [row] = d1.rows<{ values_json: string }>("SELECT values_json FROM metrics");
  const metrics = JSON.parse(row?.values_json ?? "{}") as Record<string, number>;
  const [refused] = d1.rows<{ n: number }>("SELECT coalesce(sum(count), 0) AS n FROM refusals_hourly WHERE code <> 'SAMPLED'");
  const sum = (name: string, status: string) =>
    Object.entries(metrics).reduce((all, [series, value]) => {
      const [metric, , which] = series.split("|");
      return metric === name && which === status ? all + value : all;
    }, 0);
  const found = [
    sum("telemetry_events_ingested_total", "accepted"),
    sum("telemetry_events_processed_total", "success"),
    sum("telemetry_events_ingested_total", "rejected"),
  ];
  const timeouts = archive.filter(({ type }) => type === "PLAY_TIMEOUT").length;
  const shown = Object.values(shownIn(d1)).reduce((a, b) => a + b, 0);
  const wanted = [archive.length - timeouts + shown, archive.length + shown, refused?.n ?? 0];
  world.check("metrics = archive, telemetry, refusals", String(found) === String(wanted), () => `${found} counted, ${wanted} there`);
}

/** What was no chunk, and what was another chunk under a recorded id, lies among the dead letters to be looked at; nothing else does. */
function checkDeadLetters({ world, d1, r2 }: Network): void {
  const letters = d1.rows<{ r2_key: string; reason: string }>("SELECT r2_key, reason FROM dead_letters");
  const count = (reason: string) => letters.filter((letter) => letter.reason === reason).length;
  const [rubbish, altered] = [world.fired.get("rubbish in the queue") ?? 0, world.fired.get("altered chunk in the queue") ?? 0];
  const about = () => `${rubbish} and ${altered} sent, ${JSON.stringify(letters)} listed`;
  // Redriven, rubbish comes as another message, and is buried as another letter.
  world.check("rubbish is a dead letter", count("UNREADABLE") > 0 === rubbish > 0 && count("UNREADABLE") >= rubbish, about);
  world.check(
    "an altered chunk is a dead letter",
    count("CHUNK_CONFLICT") > 0 === altered > 0 && count("CHUNK_CONFLICT") <= altered,
    about,
  );
  world.check("no other dead letters", count("UNRECORDABLE") === 0, about);
  for (const { r2_key } of letters) world.check("a dead letter is in R2", r2.objects.has(r2_key), about);
}

/** I2, I4: the rows in D1 are the archive's plays, one for one. */
function checkEvents({ world, d1 }: Network, archive: ArchivedPlay[]): void {
  const inD1 = d1
    .rows<{ row: string }>(
      "SELECT json_array(chunk, device_id, event_id, day, started_at, ended_at, result, billable, duration_ms, quality, flags) AS row FROM proof_of_play_events",
    )
    .map(({ row }) => row)
    .sort();
  const inR2 = archive
    .map((play) =>
      JSON.stringify([
        play.chunk_id,
        play.device_id,
        play.event_id,
        play.day,
        play.started_at.getTime(),
        play.ended_at.getTime(),
        play.result ?? "",
        Number(play.billable),
        Number(play.duration_ms),
        play.quality,
        play.flags ?? "",
      ]),
    )
    .sort();
  world.check("I2 event rows = archive", inD1.length === inR2.length, () => `${inD1.length} rows, ${inR2.length} archived`);
  for (const [index, row] of inD1.entries())
    world.check("I4 an event row is as archived", row === inR2[index], () => `${row} is ${inR2[index]}`);
}

function add(figures: Figures, key: string, play: ArchivedPlay): void {
  figures[key] ??= Array.from({ length: 9 }, () => 0);
  const row = figures[key];
  const start = Number(play.type === "PLAY_START");
  const results = RESULTS.map((result) => Number(!start && play.result === result));
  const adds = [1 - start, ...results, Number(play.billable), Number(play.duration_ms), start];
  for (const [index, more] of adds.entries()) row[index] = (row[index] ?? 0) + more;
}

/** I4: hours, days and devices' days, summed anew from the archive, are those in D1, row for row. */
function checkAggregates({ world, d1 }: Network, archive: ArchivedPlay[]): void {
  const hourly: Figures = {};
  const daily: Figures = {};
  const activity: Figures = {};
  const last = new Map<string, number>();
  for (const play of archive) {
    const keys = [play.campaign_id, play.ad_group_id, play.supplier_id, play.store_id, play.content_id].map((id) => id ?? "").join(" ");
    const hour = Math.floor(play.started_at.getTime() / HOUR_MS) * HOUR_MS;
    add(hourly, `${play.day} ${hour} ${keys}`, play);
    add(daily, `${play.day} ${keys}`, play);
    if (play.type === "PLAY_START") continue;
    const device = `${play.day} ${play.device_id}`;
    add(activity, device, play);
    last.set(device, Math.max(last.get(device) ?? 0, play.ended_at.getTime()));
  }
  const ids = "campaign_id || ' ' || ad_group_id || ' ' || supplier_id || ' ' || store_id || ' ' || content_id";
  const read = (sql: string) => Object.fromEntries(d1.rows<{ key: string; counts: string }>(sql).map(({ key, counts }) => [key, counts]));
  const text = (figures: Figures) => Object.fromEntries(Object.entries(figures).map(([key, counts]) => [key, JSON.stringify(counts)]));
  const compare = (what: string, expected: Record<string, string>, found: Record<string, string>) => {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      world.check(what, expected[key] === found[key], () => `${key}: archive ${expected[key]}, D1 ${found[key]}`);
    }
  };
  compare(
    "I4 hourly rows = archive",
    text(hourly),
    read(`SELECT day || ' ' || hour || ' ' || ${ids} AS key, json_array(${COUNTS}) AS counts FROM plays_hourly WHERE generation = 1`),
  );
  compare(
    "I4 daily rows = archive",
    text(daily),
    read(`SELECT day || ' ' || ${ids} AS key, json_array(${COUNTS}) AS counts FROM proof_of_play_aggregate_daily WHERE generation = 1`),
  );
  for (const kind of DAILY_SUMS) {
    const narrow: Figures = {};
    for (const play of archive) add(narrow, `${play.day} ${kind.keys.map((key) => play[key] ?? "").join(" ")}`, play);
    const columns = ["generation", "day", ...kind.keys, ...AGGREGATE_COUNTERS].join(", ");
    const key = ["day", ...kind.keys].join(" || ' ' || ");
    compare(
      `I4 ${kind.table} = archive`,
      text(narrow),
      read(
        `SELECT ${key} AS key, json_array(${COUNTS.replace(/\w+/g, "sum($&)")}) AS counts
         FROM (SELECT ${columns} FROM ${kind.table} UNION ALL SELECT ${columns} FROM (${pendingRows(kind)})) WHERE generation = 1 GROUP BY 1`,
      ),
    );
  }
  compare(
    "I4 devices' days = archive",
    Object.fromEntries(
      Object.entries(activity).map(([key, counts]) => [key, JSON.stringify([counts[0], counts[6], counts[7], last.get(key)])]),
    ),
    read(
      `SELECT day || ' ' || device_id AS key, json_array(plays_count, billable_count, total_duration_ms, last_activity_at) AS counts
       FROM device_activity_daily WHERE generation = 1`,
    ),
  );
}

/** The players' books: what they were told is accepted is recorded as they were told, and nothing else is, but for what no answer could tell. */
function checkBooks({ world, players }: Network, archive: ArchivedPlay[]): void {
  const recorded = new Map(archive.map((play) => [`${play.device_id} ${play.record}`, play]));
  const booked = new Set<string>();
  for (const player of players) {
    for (const play of player.books) {
      const key = `${player.id} ${play.verified.proof.record}`;
      booked.add(key);
      const row = recorded.get(key);
      const about = () =>
        `log ${play.id} of ${player.id}, ${play.state} ${JSON.stringify(play.told)}, ${row ? `${row.result} ${row.flags}` : "not recorded"}`;
      if (play.state === "accepted") {
        world.check("I1 accepted plays are recorded", row !== undefined, about);
        if (!row) continue;
        const { event } = play.verified.log;
        const changed = play.told?.flags.includes("STATUS_CHANGED");
        const status = event?.kind === "start" ? "" : changed ? "PARTIAL" : play.verified.log.status;
        world.check("books = report: status", (row.result ?? "") === status, about);
        world.check("books = report: billable", row.billable === play.told?.billable, about);
        world.check(
          "books = report: quality and flags",
          row.quality === play.told?.quality && (row.flags ?? "") === play.told?.flags.join(","),
          about,
        );
        // An end that tells none has the time since its start.
        const timed = event?.kind !== "end" || event.timed;
        world.check("books = report: duration", !timed || Number(row.duration_ms) === play.verified.log.durationMs, about);
        const { proof, log } = play.verified;
        world.check("nothing unsigned by chance, nothing without a campaign is billed", !row.billable || log.campaignId !== "", about);
        world.check("an unsigned play says so", (proof.signedBy === "nobody") === (row.flags ?? "").includes("UNSIGNED"), about);
      } else world.check("I1 refused plays are not recorded", row === undefined || play.state === "unknown", about);
    }
  }
  for (const [key, { type }] of recorded) {
    world.check("I7 only booked plays are recorded", type === "PLAY_TIMEOUT" || booked.has(key), () => key.slice(0, 200));
  }
}

/** Each start that was let in has one end and no more: an end that names it, one that was found to be its, or the time-out. */
function checkStarts({ world, players }: Network, archive: ArchivedPlay[]): void {
  const playIdOf = (play: ArchivedPlay): string => {
    const record = JSON.parse(play.record);
    return play.type === "PLAY_TIMEOUT" ? record.play_id : record.event.playId;
  };
  for (const player of players) {
    const own = Map.groupBy(
      archive.filter(({ device_id }) => device_id === player.id),
      ({ type }) => type,
    );
    const of = (type: string) => own.get(type) ?? [];
    const starts = new Set(of("PLAY_START").map(({ event_id }) => event_id));
    const named = new Map<string, number>();
    let nameless = 0;
    for (const play of [...of("PLAY_END"), ...of("PLAY_TIMEOUT")]) {
      const start = playIdOf(play);
      if (start === "") nameless += 1;
      else named.set(start, (named.get(start) ?? 0) + 1);
    }
    for (const [start, ends] of named) world.check("I2 a start ends once", ends === 1, () => `${start} of ${player.id}: ${ends} ends`);
    for (const play of of("PLAY_TIMEOUT")) {
      world.check("a time-out is of a start that was let in", starts.has(playIdOf(play)), () => `${play.record} of ${player.id}`);
      world.check("a time-out is an interrupted play of length 0", play.result === "INTERRUPTED" && !play.billable, () => play.record);
      world.check("a time-out lasts for nothing", Number(play.duration_ms) === 0, () => play.record);
    }
    const ended = [...starts].filter((start) => named.has(start)).length;
    const about = () => `${player.id}: ${starts.size} starts, ${ended} ended by name or time, ${nameless} ends name none`;
    world.check("I1 no start is left without an end", starts.size - ended <= nameless, about);
  }
}

/** What telemetry's tables count, by content and type: only what is folded. */
function shownIn(d1: Network["d1"]): Record<string, number> {
  const counts = Object.entries(SHOWING_COUNTS).map(([type, column]) => `sum(${column}) AS ${type}`);
  const rows = d1.rows<{ content_id: string } & Record<string, number>>(
    `SELECT content_id, ${counts.join(", ")} FROM telemetry_daily GROUP BY content_id`,
  );
  return Object.fromEntries(
    rows.flatMap((row) => Object.keys(SHOWING_COUNTS).map((type) => [`${row.content_id} ${type}`, row[type] ?? 0] as [string, number])),
  );
}

/** Telemetry counts once what a player was told is taken, and nothing that it was told is not. */
function checkShowings({ world, d1, players }: Network): void {
  const counted = shownIn(d1);
  const least: Record<string, number> = {};
  const most: Record<string, number> = {};
  for (const { facts, state } of players.flatMap(({ showings }) => showings)) {
    const key = `${facts.contentId} ${facts.type}`;
    if (state === "taken") least[key] = (least[key] ?? 0) + 1;
    if (state !== "refused") most[key] = (most[key] ?? 0) + 1;
  }
  for (const key of new Set([...Object.keys(counted), ...Object.keys(least)])) {
    const [found, from, to] = [counted[key] ?? 0, least[key] ?? 0, most[key] ?? 0];
    world.check("telemetry is counted once", from <= found && found <= to, () => `${key}: ${found}, told ${from} to ${to}`);
  }
}

/** What was refused is counted once, whatever became of the answer. */
function checkRefusals({ world, d1, hosts }: Network): void {
  for (const host of hosts) {
    const [row] = d1.rows<{ count: number }>(
      "SELECT coalesce(sum(count), 0) AS count FROM refusals_hourly WHERE device_id = ? AND door <> 'telemetry'",
      host.name,
    );
    const counted = row?.count ?? 0;
    const { answered, made } = host.refusals;
    world.check(
      "refusals are counted once",
      counted >= answered && counted <= made,
      () => `${host.name}: answered ${answered}, made ${made}, counted ${counted}`,
    );
  }
}
