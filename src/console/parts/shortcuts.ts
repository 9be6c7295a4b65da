import { useEffect, useRef } from "react";
import { createStore } from "../api/store.ts";

/** A way to do something by keyboard, as the overlay (`?`) lists it. */
export interface Shortcut {
  /** One key (`/`), keys one after another (`g d`), or keys together (`mod+k`; `mod` is ⌘ on a Mac, else Ctrl). */
  keys: string;
  label: string;
  /** The heading that it stands under. */
  group: string;
}

interface Registered extends Shortcut {
  run: (event: KeyboardEvent) => void;
}

/** All shortcuts that are on now, newest last. */
export const shortcutsOn = createStore<readonly Registered[]>([]);

const NEXT_KEY_WITHIN_MS = 900;
let begun: { key: string; at: number } | null = null;

export const isMac = /mac|iphone|ipad/i.test(navigator.platform);

/** Registers a shortcut for as long as the component is there. It does nothing while somebody types, or has a dialog open. */
export function useShortcut({ keys, label, group }: Shortcut, run: (event: KeyboardEvent) => void, enabled = true): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!enabled) return;
    const mine: Registered = { keys, label, group, run: (event) => latest.current(event) };
    shortcutsOn.set([...shortcutsOn.get(), mine]);
    return () => shortcutsOn.set(shortcutsOn.get().filter((one) => one !== mine));
  }, [keys, label, group, enabled]);
}

/** Hears every key of the page. Called once, at the start. */
export function listenForShortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const together = event.ctrlKey || event.metaKey;
    if (!together && (event.altKey || isTyping(event.target) || document.querySelector('[role="dialog"]') !== null)) return;
    const pressed = together ? `mod+${event.key.toLowerCase()}` : event.key;
    const now = performance.now();
    const sequence = begun !== null && now - begun.at < NEXT_KEY_WITHIN_MS ? `${begun.key} ${pressed}` : null;
    const find = (keys: string | null) => shortcutsOn.get().findLast((one) => one.keys === keys);
    const found = find(sequence) ?? find(pressed);
    begun = found ? null : { key: pressed, at: now };
    if (!found) return;
    event.preventDefault();
    found.run(event);
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !isTick(target);
}

function isTick(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && (target.type === "checkbox" || target.type === "radio");
}
