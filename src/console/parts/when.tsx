import { Tooltip } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { ago, exact, MINUTE_MS } from "./format.ts";

const TICK_MS = 5000;
const listeners = new Set<(now: number) => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** The present time in ms, renewed every five seconds for all who show it. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    listeners.add(setNow);
    ticking ??= setInterval(() => {
      const at = Date.now();
      for (const listener of listeners) listener(at);
    }, TICK_MS);
    return () => {
      listeners.delete(setNow);
      if (listeners.size === 0) {
        clearInterval(ticking);
        ticking = undefined;
      }
    };
  }, []);
  return now;
}

/**
 * A time, told relatively ("3 min. ago"). On hover: exactly, in the store's zone where one is given (else the reader's), and in UTC.
 * `at` is RFC 3339 or ms; `never` stands where there is none.
 */
export function When({ at, zone, never = "–" }: { at: string | number | null | undefined; zone?: string | undefined; never?: string }) {
  const now = useNow();
  const [near, setNear] = useState(false);
  const words = useRef<HTMLTimeElement>(null);
  if (at === null || at === undefined) return <span className="quiet">{never}</span>;
  const ms = typeof at === "number" ? at : Date.parse(at);
  // The tooltip is made when somebody comes near, since lists show thousands of times; beside the words, not around them: words that are
  // made anew while a finger is on them lose its tap.
  return (
    <>
      <time ref={words} dateTime={new Date(ms).toISOString()} onMouseEnter={() => setNear(true)} onMouseLeave={() => setNear(false)}>
        {Math.abs(ms - now) < MINUTE_MS / 6 ? "just now" : ago(ms, now)}
      </time>
      {near && <Tooltip label={<TwoTimes at={ms} zone={zone} />} multiline opened target={words} />}
    </>
  );
}

function TwoTimes({ at, zone }: { at: number; zone: string | undefined }) {
  return (
    <>
      <div>
        {exact(at, zone)}
        {zone ? ` (${zone})` : ""}
      </div>
      <div>{exact(at, "UTC")}</div>
    </>
  );
}
