import { canonicalText } from "./canonical.ts";
import { type FrequencyCap, inOrder, type PlanInput, type PlanPlaylistItem, type PlanSchedule, type PlanVersion } from "./input.ts";
import type { SlotTerms } from "./plan.ts";
import { interleave, playlistRound } from "./spread.ts";

/** What an image or a page shows where nobody says how long; a video of unknown length counts as much. */
export const DEFAULT_DURATION_MS = 10_000;
const HOUR_SECONDS = 3600;
const HOUR_LENGTH_MS = HOUR_SECONDS * 1000;

/** A place in a loop, before it has its name. */
export interface Entry {
  version: PlanVersion;
  playlistId: string | null;
  terms: SlotTerms;
}

export interface Loop {
  entries: Entry[];
  /** See `PlanSegment.fallback`. */
  fallback: Entry[];
}

/** Makes loops out of one device's playlists; each playlist is read once. */
export class LoopMaker {
  readonly #input: PlanInput;
  readonly #playlists: Map<string, PlanInput["playlists"][number]>;
  readonly #versions: Map<string, PlanVersion>;
  readonly #rounds = new Map<string, Entry[]>();

  constructor(input: PlanInput) {
    this.#input = input;
    this.#playlists = new Map(input.playlists.map((playlist) => [playlist.id, playlist]));
    this.#versions = new Map(input.versions.map((version) => [version.id, version]));
  }

  /** What one schedule plays if it plays alone: a round of its playlist. Empty where that has nothing to play. */
  ofSchedule({ playlist_id, rules }: PlanSchedule): Entry[] {
    return this.#ofPlaylist(playlist_id, rules.frequency_cap ?? {});
  }

  /** A takeover's message. */
  ofItems(items: readonly PlanPlaylistItem[]): Entry[] {
    return this.#round(items, { playlistId: null, campaign_id: null, ad_group_id: null, caps: {} });
  }

  /**
   * What plays while these schedules, which are of one priority, are on. Those with a share of voice get their seconds of each
   * hour; the others share the rest by weight, in slots; the default playlist has what is left, and all where there is nothing
   * else. Without either, shares keep their ratio and fill the hour. Shares of over an hour are cut in their ratio, and leave
   * nothing.
   */
  of(schedules: readonly PlanSchedule[]): Loop {
    const playing = schedules
      .map((schedule) => ({ schedule, entries: this.ofSchedule(schedule) }))
      .filter(({ entries }) => entries.length > 0);
    const defaults = this.#default();
    const others = playing.filter(({ schedule }) => !hasShare(schedule));
    const rest = interleave(
      others.map(({ entries }) => entries),
      others.map(({ schedule }) => schedule.rules.weight ?? 1),
    );
    const voices = playing
      .filter(({ schedule }) => hasShare(schedule))
      .map(({ schedule, entries }) => ({ entries, seconds: schedule.rules.share_of_voice_s_per_hour ?? 0 }));
    const filler = rest.length > 0 ? rest : defaults;
    const entries = voices.length > 0 ? hourly(voices, filler) : filler;
    const mayRunDry = entries.length > 0 && entries.every(({ terms }) => hasCap(terms.caps));
    return { entries, fallback: mayRunDry ? defaults : [] };
  }

  #default(): Entry[] {
    const { default_playlist_id } = this.#input;
    return default_playlist_id === null ? [] : this.#ofPlaylist(default_playlist_id, {});
  }

  #ofPlaylist(playlistId: string, caps: FrequencyCap): Entry[] {
    const key = canonicalText([playlistId, caps]);
    let round = this.#rounds.get(key);
    if (!round) {
      const playlist = this.#playlists.get(playlistId);
      round = playlist
        ? this.#round(playlist.items, { playlistId, campaign_id: playlist.campaign_id, ad_group_id: playlist.ad_group_id, caps })
        : [];
      this.#rounds.set(key, round);
    }
    return round;
  }

  #round(
    items: readonly PlanPlaylistItem[],
    { playlistId, campaign_id, ad_group_id, caps }: { playlistId: string | null } & Omit<SlotTerms, "duration_ms">,
  ): Entry[] {
    const known = inOrder(items).flatMap((item) => {
      const version = this.#versions.get(item.content_version_id);
      if (!version) return [];
      const terms = { duration_ms: durationOf(item, version), campaign_id, ad_group_id, caps };
      return [{ weight: item.weight, entry: { version, playlistId, terms } }];
    });
    return playlistRound(known.map(({ weight }) => weight)).flatMap((index) => known.slice(index, index + 1).map(({ entry }) => entry));
  }
}

/** Whether a schedule has a share of voice, and so no part in the weights. */
export function hasShare({ rules }: PlanSchedule): boolean {
  return typeof rules.share_of_voice_s_per_hour === "number";
}

/** Whether shares of voice leave nothing of the hour. */
export function sharesFillTheHour(schedules: readonly PlanSchedule[]): boolean {
  return schedules.reduce((sum, { rules }) => sum + (rules.share_of_voice_s_per_hour ?? 0), 0) >= HOUR_SECONDS;
}

/**
 * An hour, shortened where it repeats itself: each voice as many times as come nearest to its seconds, once at least, and
 * the filler in what they leave.
 */
function hourly(voices: readonly { entries: Entry[]; seconds: number }[], filler: readonly Entry[]): Entry[] {
  const asked = voices.reduce((sum, { seconds }) => sum + seconds, 0);
  const spare = filler.length > 0 && asked < HOUR_SECONDS;
  const scale = spare ? 1 : HOUR_SECONDS / asked;
  const counts = voices.map(({ entries, seconds }) => Math.max(1, Math.round((seconds * scale * 1000) / meanMs(entries))));
  const loops: (readonly Entry[])[] = voices.map(({ entries }) => entries);
  if (!spare) return interleave(loops, counts);
  const takenMs = voices.reduce((sum, { entries }, index) => sum + (counts[index] ?? 0) * meanMs(entries), 0);
  const left = Math.max(1, Math.round((HOUR_LENGTH_MS - takenMs) / meanMs(filler)));
  return interleave([...loops, filler], [...counts, left]);
}

function meanMs(entries: readonly Entry[]): number {
  const sum = entries.reduce((total, { terms }) => total + (terms.duration_ms ?? DEFAULT_DURATION_MS), 0);
  return Math.max(1, sum / entries.length);
}

function durationOf(item: PlanPlaylistItem, version: PlanVersion): number | null {
  return item.duration_ms ?? version.duration_ms ?? (version.type === "video" ? null : DEFAULT_DURATION_MS);
}

function hasCap(caps: FrequencyCap): boolean {
  return caps.max_plays_per_hour !== undefined || caps.max_plays_per_day !== undefined;
}
