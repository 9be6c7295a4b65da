import FullCalendar, { type EventDisplayInfo, type EventInput } from "@fullcalendar/react";
import interactionPlugin from "@fullcalendar/react/interaction";
import classicTheme from "@fullcalendar/react/themes/classic";
import timeGridPlugin from "@fullcalendar/react/timegrid";
import { useMemo } from "react";
import { useLocation } from "wouter";
import { addDays, type Piece, priorityOf, type Stretch } from "./calendar.ts";

const DAY_MINUTES = 1440;
const WORDS = { plays: "", shares: "shares with ", covered: "covered by " };

/** A week as a calendar, by the wall clock: each schedule's pieces, and what is left empty. A click on a time picks it. */
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
  /** Told `YYYY-MM-DDTHH:MM`. */
  onPick: (at: string) => void;
}) {
  const [, navigate] = useLocation();
  const events = useMemo(
    () => [...pieces.map((piece, at) => eventOf(piece, at, monday, playlists)), ...gaps.map((gap, at) => gapOf(gap, at, monday))],
    [pieces, gaps, monday, playlists],
  );
  return (
    <div className="week-calendar">
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
          const { scheduleId } = event.extendedProps as { scheduleId?: string };
          if (scheduleId) navigate(`/schedules/${scheduleId}`);
        }}
        dateClick={({ date }) => onPick(date.toISOString().slice(0, 16))}
      />
    </div>
  );
}

function eventOf({ schedule, from, to, state, others }: Piece, at: number, monday: string, playlists: Map<string, string>): EventInput {
  return {
    id: `${schedule.id} ${at}`,
    title: schedule.name,
    start: instantOf(monday, from),
    end: instantOf(monday, to),
    className: `piece piece-${state}`,
    url: `/console/schedules/${schedule.id}`,
    extendedProps: {
      scheduleId: schedule.id,
      playlist: playlists.get(schedule.playlist_id) ?? "",
      note: others.length > 0 ? `${WORDS[state]}${others.map(({ name }) => name).join(", ")}` : "",
      priority: priorityOf(schedule),
    },
  };
}

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
  const { playlist, note, priority } = event.extendedProps as { playlist?: string; note?: string; priority?: number };
  if (event.display === "background") return null;
  return (
    <div className="piece-words" title={[event.title, timeText, playlist, note].filter(Boolean).join(" · ")}>
      <strong>{event.title}</strong>
      {note && <span className="piece-note">{note}</span>}
      <span>{timeText}</span>
      <span>{playlist}</span>
      {priority ? <span>priority {priority}</span> : null}
    </div>
  );
}
