import { HOUR_MS } from "../platform/time.ts";
import type { FrequencyCap } from "./input.ts";
import { DEFAULT_DURATION_MS } from "./loop.ts";
import type { Plan, PlanSegment, PlanSlot, Span } from "./plan.ts";
import { type LocalDay, localDays, steadyStretches } from "./zone.ts";

/** Plays, and how long they take in milliseconds. */
export interface PlannedSum {
  plays: number;
  ms: number;
}

/** What is planned of each campaign. `''` is always there: what plays for none, a takeover's message included. */
export type PlannedCampaigns = Map<string, PlannedSum>;

/**
 * What a plan says is played in a span, by day of its zone and by campaign. Every day of the span that the plan covers is there,
 * be it that nothing plays.
 *
 * A play belongs to the instant at which it starts, with its whole length; a loop starts with its segment. So spans add up: what is
 * planned in [a, b) and in [b, c) is what is planned in [a, c). A video of unknown length counts 10 s.
 *
 * A cap holds for all slots of a playlist that have it, by the clock hours and the days of the plan's zone; what is used up is passed
 * over, and where all is, the fallback plays, or nothing until the next hour.
 */
export function plannedOf(plan: Plan, span: Span): Map<string, PlannedCampaigns> {
  const whole = { from: Date.parse(plan.valid_from), to: Date.parse(plan.valid_to) };
  const asked = { from: Math.max(span.from, whole.from), to: Math.min(span.to, whole.to) };
  if (asked.from >= asked.to) return new Map();
  const calendar = localDays(plan.timezone, whole);
  const sums = new Map<string, PlannedCampaigns>();
  for (const { day, from, to } of calendar) if (from < asked.to && to > asked.from) sums.set(day, new Map([["", { plays: 0, ms: 0 }]]));
  const hours = clockHours(plan.timezone, whole);
  const loops = new Loops(plan.items);
  for (const segment of plan.segments) {
    const reach = { from: Date.parse(segment.from), to: Math.min(Date.parse(segment.to), asked.to) };
    if (reach.from >= reach.to) break;
    const walk = loops.walk(segment, reach.from);
    // What has no cap leaves no trace in later segments.
    if (!walk.capped && reach.to <= asked.from) continue;
    for (const stretch of stretchesOf(reach, asked, calendar, walk.capped ? hours : [])) {
      const day = stretch.from >= asked.from ? sums.get(stretch.day) : undefined;
      walk.through(stretch, (slot, plays) => day && add(day, slot, plays));
    }
  }
  return sums;
}

function add(day: PlannedCampaigns, { campaign, ms }: Playable, plays: number): void {
  const sum = day.get(campaign);
  if (sum) {
    sum.plays += plays;
    sum.ms += plays * ms;
  } else day.set(campaign, { plays, ms: plays * ms });
}

/** The starts of a zone's clock hours; an hour that a clock change cuts short begins anew behind it. */
function clockHours(timezone: string, span: Span): number[] {
  return steadyStretches(timezone, span).flatMap(({ from, to, offsetMs }) => {
    const starts = [from];
    for (let at = (Math.floor((from + offsetMs) / HOUR_MS) + 1) * HOUR_MS - offsetMs; at < to; at += HOUR_MS) starts.push(at);
    return starts;
  });
}

/** A stretch within one day and, where hours matter, one clock hour; `hour` is its number. */
interface Stretch extends Span {
  day: string;
  hour: number;
}

/** A segment's reach, cut at the days, at the hours given, and where the span that is asked for begins. */
function stretchesOf(reach: Span, asked: Span, calendar: readonly LocalDay[], hours: readonly number[]): Stretch[] {
  const inside = [asked.from, ...calendar.map(({ from }) => from), ...hours].filter((at) => at > reach.from && at < reach.to);
  const edges = [...new Set([reach.from, ...inside, reach.to])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, index) => ({
    from,
    to: edges[index + 1] ?? from,
    day: calendar.find((day) => from >= day.from && from < day.to)?.day ?? "",
    hour: hours.findLastIndex((at) => at <= from),
  }));
}

/** How often what is capped may still play in an hour and a day. */
class Budget {
  #hour = -1;
  #day = "";
  #usedInHour = 0;
  #usedInDay = 0;

  constructor(private readonly cap: FrequencyCap) {}

  left({ hour, day }: Stretch): number {
    if (hour !== this.#hour) [this.#hour, this.#usedInHour] = [hour, 0];
    if (day !== this.#day) [this.#day, this.#usedInDay] = [day, 0];
    const { max_plays_per_hour = Infinity, max_plays_per_day = Infinity } = this.cap;
    return Math.min(max_plays_per_hour - this.#usedInHour, max_plays_per_day - this.#usedInDay);
  }

  use(plays: number): void {
    this.#usedInHour += plays;
    this.#usedInDay += plays;
  }
}

/** One budget for each playlist and cap. */
class Budgets {
  readonly #known = new Map<string, Budget>();

  of(playlistId: string | null, cap: FrequencyCap): Budget | null {
    const { max_plays_per_hour, max_plays_per_day } = cap;
    if (max_plays_per_hour === undefined && max_plays_per_day === undefined) return null;
    const key = JSON.stringify([playlistId, max_plays_per_hour, max_plays_per_day]);
    const budget = this.#known.get(key) ?? new Budget(cap);
    this.#known.set(key, budget);
    return budget;
  }
}

interface Playable {
  campaign: string;
  ms: number;
  budget: Budget | null;
}

/** Loops made ready to be walked: each once, however often it plays. */
class Loops {
  readonly #budgets = new Budgets();
  readonly #known = new Map<string, Playable[]>();

  constructor(private readonly items: Plan["items"]) {}

  walk({ loop, fallback = [], takeover_id }: PlanSegment, at: number): LoopWalk {
    return new LoopWalk(this.#playable(loop, takeover_id), this.#playable(fallback, takeover_id), at);
  }

  #playable(slots: readonly PlanSlot[], takeoverId: string | undefined): Playable[] {
    // A slot's id is made of all that its loop is.
    const key = `${slots[0]?.slot_id} ${takeoverId}`;
    const known = this.#known.get(key) ?? slots.map((slot) => this.#playableOf(slot, takeoverId));
    this.#known.set(key, known);
    return known;
  }

  #playableOf(slot: PlanSlot, takeoverId: string | undefined): Playable {
    const terms = { ...this.items[slot.item], ...slot };
    return {
      // A takeover is for nobody, whatever its slots say.
      campaign: takeoverId === undefined ? (terms.campaign_id ?? "") : "",
      ms: Math.max(1, terms.duration_ms ?? DEFAULT_DURATION_MS),
      budget: this.#budgets.of(slot.playlist_id, terms.caps ?? {}),
    };
  }
}

type Recorder = (slot: Playable, plays: number) => void;

/** A loop on its way through its segment. */
class LoopWalk {
  readonly capped: boolean;
  #place = 0;
  #fallbackPlace = 0;

  /** @param at when the next play starts */
  constructor(
    private readonly loop: readonly Playable[],
    private readonly fallback: readonly Playable[],
    private at: number,
  ) {
    this.capped = loop.some(({ budget }) => budget !== null);
  }

  /** Records the plays that start in a stretch, which begins where the last one ended. */
  through(stretch: Stretch, record: Recorder): void {
    while (this.at < stretch.to) {
      const open = this.loop.filter(({ budget }) => (budget?.left(stretch) ?? 1) > 0);
      if (open.length > 0) this.#place = this.#play(this.loop, open, this.#place, stretch, record);
      else if (this.fallback.length > 0)
        this.#fallbackPlace = this.#play(this.fallback, this.fallback, this.#fallbackPlace, stretch, record);
      else this.at = stretch.to;
    }
  }

  /** As many whole rounds as there is room for, then one slot by slot. Returns the place behind the last play. */
  #play(loop: readonly Playable[], open: readonly Playable[], from: number, stretch: Stretch, record: Recorder): number {
    const rounds = this.#rounds(open, stretch, record);
    let next = rounds > 0 ? behindLast(loop, open, from) : from;
    for (let step = 0; step < loop.length && this.at < stretch.to; step++) {
      const place = (from + step) % loop.length;
      const slot = loop[place];
      if (!slot || (slot.budget?.left(stretch) ?? 1) <= 0) continue;
      record(slot, 1);
      slot.budget?.use(1);
      this.at += slot.ms;
      next = (place + 1) % loop.length;
    }
    return next;
  }

  /** Those that the stretch and every budget have room for. Returns how many these are. */
  #rounds(open: readonly Playable[], stretch: Stretch, record: Recorder): number {
    const roundMs = open.reduce((sum, { ms }) => sum + ms, 0);
    let rounds = Math.floor((stretch.to - this.at) / roundMs);
    for (const [budget, slots] of Map.groupBy(open, (slot) => slot.budget)) {
      if (budget) rounds = Math.min(rounds, Math.floor(budget.left(stretch) / slots.length));
    }
    if (rounds < 1) return 0;
    for (const slot of open) {
      record(slot, rounds);
      slot.budget?.use(rounds);
    }
    this.at += rounds * roundMs;
    return rounds;
  }
}

/** The place behind the last slot that a round plays which begins at `from`: not `from` itself where what stands before it was passed over. */
function behindLast(loop: readonly Playable[], open: readonly Playable[], from: number): number {
  const places = loop.map((_, step) => (from + step) % loop.length);
  const last = places.findLast((place) => open.some((slot) => slot === loop[place]));
  return last === undefined ? from : (last + 1) % loop.length;
}
