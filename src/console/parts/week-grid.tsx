import { Text } from "@mantine/core";
import { type PointerEvent, useRef, useState } from "react";
import { byDay, clockText, DAY_MINUTES, paint, type Range, WEEKDAYS, type Week, type Weekday } from "./week.ts";
import { wordsOfWeek } from "./week-words.ts";

const STEP_MINUTES = 30;
const NAMES: Record<Weekday, string> = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };
const MARKS = [0, 6, 12, 18, 24];

/** What is being painted: from where to where, and whether it sets or clears. */
interface Stroke {
  from: { day: number; step: number };
  to: { day: number; step: number };
  on: boolean;
}

/**
 * A week drawn day by day, midnight to midnight. With `onChange` it is painted: dragging over empty time sets it, over set time clears
 * it, across days too, in half hours. Words beside it say the same (see `WeekField`), and are the way by keyboard.
 */
export function WeekGrid({ week, onChange, label }: { week: Week; onChange?: (week: Week) => void; label: string }) {
  const lanes = useRef<HTMLDivElement>(null);
  const [stroke, setStroke] = useState<Stroke | null>(null);
  const shown = byDay(stroke ? painted(week, stroke) : week);

  const placeOf = (event: PointerEvent) => {
    const box = lanes.current?.getBoundingClientRect();
    if (!box) return { day: 0, step: 0 };
    const day = Math.floor(((event.clientY - box.top) / box.height) * WEEKDAYS.length);
    const step = Math.floor(((event.clientX - box.left) / box.width) * (DAY_MINUTES / STEP_MINUTES));
    return { day: clamp(day, WEEKDAYS.length - 1), step: clamp(step, DAY_MINUTES / STEP_MINUTES - 1) };
  };
  const begin = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = placeOf(event);
    const day = WEEKDAYS[at.day] ?? "mon";
    const minute = at.step * STEP_MINUTES;
    setStroke({ from: at, to: at, on: !byDay(week)[day].some(({ from, to }) => from <= minute && minute < to) });
  };
  const editing = onChange
    ? {
        onPointerDown: begin,
        onPointerMove: (event: PointerEvent) => stroke && setStroke({ ...stroke, to: placeOf(event) }),
        onPointerUp: () => {
          if (stroke) onChange(painted(week, stroke));
          setStroke(null);
        },
        onPointerCancel: () => setStroke(null),
      }
    : {};

  return (
    <div className="week-grid" role="img" aria-label={`${label}: ${wordsOfWeek(week, "none")}`}>
      <div className="week-days" aria-hidden>
        {WEEKDAYS.map((day) => (
          <Text key={day} size="xs" c="dimmed">
            {NAMES[day]}
          </Text>
        ))}
      </div>
      <div className="week-lanes" ref={lanes} data-editable={onChange ? true : undefined} {...editing}>
        {WEEKDAYS.map((day) => (
          <div key={day} className="week-lane">
            {shown[day].map(({ from, to }) => (
              <div
                key={from}
                className="week-bar"
                style={{ left: `${(from / DAY_MINUTES) * 100}%`, width: `${((to - from) / DAY_MINUTES) * 100}%` }}
                title={`${NAMES[day]} ${clockText(from)}–${clockText(to)}`}
              />
            ))}
          </div>
        ))}
      </div>
      <div className="week-marks" aria-hidden>
        {MARKS.map((hour) => (
          <span key={hour} style={{ left: `${(hour / 24) * 100}%` }}>
            {String(hour).padStart(2, "0")}
          </span>
        ))}
      </div>
    </div>
  );
}

function painted(week: Week, { from, to, on }: Stroke): Week {
  const days = WEEKDAYS.slice(Math.min(from.day, to.day), Math.max(from.day, to.day) + 1);
  const range: Range = { from: Math.min(from.step, to.step) * STEP_MINUTES, to: (Math.max(from.step, to.step) + 1) * STEP_MINUTES };
  return paint(week, days, range, on);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
