import { addDays } from "../../parts/days.ts";

/** All days of a range, both ends included. */
export function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to && days.length < 400; day = addDays(day, 1)) days.push(day);
  return days;
}

/** The ranges that are asked for most. */
export function presets(today: string): { label: string; from: string; to: string }[] {
  const first = `${today.slice(0, 8)}01`;
  const lastMonthEnd = addDays(first, -1);
  return [
    { label: "Today", from: today, to: today },
    { label: "Yesterday", from: addDays(today, -1), to: addDays(today, -1) },
    { label: "Last 7 days", from: addDays(today, -6), to: today },
    { label: "Last 30 days", from: addDays(today, -29), to: today },
    { label: "This month", from: first, to: today },
    { label: "Last month", from: `${lastMonthEnd.slice(0, 8)}01`, to: lastMonthEnd },
    { label: "Last 90 days", from: addDays(today, -89), to: today },
  ];
}
