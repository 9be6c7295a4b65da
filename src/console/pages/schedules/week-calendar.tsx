import FullCalendar, { type EventDisplayInfo, type EventInput } from "@fullcalendar/react";
import interactionPlugin from "@fullcalendar/react/interaction";
import classicTheme from "@fullcalendar/react/themes/classic";
import timeGridPlugin from "@fullcalendar/react/timegrid";
import { useMemo } from "react";
import { useLocation } from "wouter";
import { addDays } from "../../parts/days.ts";
import { type Piece, priorityOf, type Stretch } from "./calendar.ts";

const DAY_MINUTES = 1440;

/** A week as a calendar, by the wall clock: what plays, what shares the loop, what is covered, and what is left empty. A click on a time picks it. */
export default function WeekCalendar({
  monday,
  pieces,
  gaps,
  playlists,
  now,
  onPick,
}: {
  monday: string;
  pieces: Piece[];
  gaps: Stretch[];
  playlists: Map<string, string>;
  /** What the clock shows now, where it is one place's. */
  now: string | null;
  /** Told `YYYY-MM-DDTHH:MM`, by a click on a time, or on a box beside its names. */
  onPick: (at: string) => void;
}) {
  const [, navigate] = useLocation();
  const events = useMemo(
    () => [...pieces.map((piece, at) => eventOf(piece, at, monday, playlists)), ...gaps.map((gap, at) => gapOf(gap, at, monday))],
    [pieces, gaps, monday, playlists],
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
    <section className="week-calendar" aria-label="The week" tabIndex={0}>
      <FullCalendar
        key={monday}
        plugins={[timeGridPlugin, interactionPlugin, classicTheme]}
        initialView="timeGridWeek"
        initialDate={monday}
        timeZone="UTC"
        firstDay={1}
        headerToolbar={false}
        allDaySlot={false}
        height={700}
        expandRows
        locale={navigator.language}
        slotDuration="01:00:00"
        scrollTime="06:00:00"
        slotHeaderFormat={{ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }}
        dayHeaderFormat={{ weekday: "short", day: "numeric" }}
        eventTimeFormat={{ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }}
        slotEventOverlap={false}
        {...(now ? { now: `${now}:00Z`, nowIndicator: true } : {})}
        events={events}
        eventContent={Content}
        eventClick={({ event, jsEvent }) => {
          jsEvent.preventDefault();
          const named = jsEvent.target instanceof Element ? jsEvent.target.closest<HTMLElement>("[data-schedule]") : null;
          const { only } = event.extendedProps as Partial<Shown>;
          const id = named?.dataset.schedule ?? only;
          if (id) navigate(`/schedules/${id}`);
          else if (event.start) onPick(event.start.toISOString().slice(0, 16));
        }}
        dateClick={({ date }) => onPick(date.toISOString().slice(0, 16))}
      />
    </section>
  );
}

/** What a box shows. */
interface Shown {
  schedules: { id: string; name: string; playlist: string }[];
  /** The schedule, where there is one alone: the whole box leads to it. */
  only: string | undefined;
  note: string;
  priority: number;
}

function eventOf({ schedules, from, to, state, above }: Piece, at: number, monday: string, playlists: Map<string, string>): EventInput {
  const [first] = schedules;
  const only = schedules.length === 1 ? first?.id : undefined;
  const shown: Shown = {
    schedules: schedules.map(({ id, name, playlist_id }) => ({ id, name, playlist: playlists.get(playlist_id) ?? "" })),
    only,
    note:
      state === "covered"
        ? `covered by ${above.map(({ name }) => name).join(", ")}`
        : state === "shares"
          ? `${schedules.length} share`
          : "",
    priority: first ? priorityOf(first) : 0,
  };
  return {
    id: `${first?.id} ${at}`,
    title: schedules.map(({ name }) => name).join(", "),
    start: instantOf(monday, from),
    end: instantOf(monday, to),
    className: `piece piece-${state}`,
    // A box of several is no link or button: its names are.
    ...(only ? { url: scheduleHref(only) } : { interactive: false }),
    extendedProps: shown,
  };
}

const scheduleHref = (id: string) => `/console/schedules/${id}`;

function gapOf({ from, to }: Stretch, at: number, monday: string): EventInput {
  return { id: `gap ${at}`, display: "background", start: instantOf(monday, from), end: instantOf(monday, to), className: "piece-gap" };
}

/** The wall clock, written as if it were UTC. */
function instantOf(monday: string, minute: number): string {
  const within = minute % DAY_MINUTES;
  const clock = `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
  return `${addDays(monday, Math.floor(minute / DAY_MINUTES))}T${clock}:00Z`;
}

function Content({ event, timeText }: EventDisplayInfo) {
  if (event.display === "background") return null;
  const { schedules, only, note, priority } = event.extendedProps as Shown;
  const [first] = schedules;
  return (
    <div className="piece-words" title={[event.title, timeText, only && first?.playlist, note].filter(Boolean).join(" · ")}>
      {only ? (
        <>
          <strong>{event.title}</strong>
          {note && <span className="piece-note">{note}</span>}
          <span>{timeText}</span>
          <span>{first?.playlist}</span>
        </>
      ) : (
        <>
          <span className="piece-note">
            {timeText} {note}
          </span>
          {schedules.map(({ id, name }) => (
            <a key={id} href={scheduleHref(id)} data-schedule={id}>
              {name}
            </a>
          ))}
        </>
      )}
      {priority ? <span>priority {priority}</span> : null}
    </div>
  );
}
