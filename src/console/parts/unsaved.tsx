import { Button, Group, Modal, Text } from "@mantine/core";
import { useEffect } from "react";
import type { AroundNavHandler } from "wouter";
import { createStore, useStore } from "../api/store.ts";

/** How many forms hold what is not saved. */
const unsaved = new Set<symbol>();
const asked = createStore<(() => void) | null>(null);

/** Guards typed values: while `dirty`, leaving the page asks first. */
export function useUnsaved(dirty: boolean): void {
  useEffect(() => {
    if (!dirty) return;
    const mine = Symbol();
    unsaved.add(mine);
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => {
      unsaved.delete(mine);
      removeEventListener("beforeunload", warn);
    };
  }, [dirty]);
}

/** Does it at once, or, where something is not saved, when that was agreed to. */
export function leave(go: () => void): void {
  if (unsaved.size === 0) go();
  else asked.set(() => go());
}

/** For the router: every way to another page passes here. */
export const guardedNavigation: AroundNavHandler = (navigate, to, options) => {
  // A page that only notes its filters in its address is not left.
  const stays = new URL(to, location.href).pathname === location.pathname;
  if (stays) navigate(to, options);
  else leave(() => navigate(to, options));
};

/**
 * The browser's own back and forward. Where the browser lets the page hold them (it does once for each time that somebody has touched the
 * page, so that nobody is locked in), the question comes first; leaving the console itself is asked about by the browser (`beforeunload`).
 */
export function guardHistory(): void {
  if (!("navigation" in globalThis)) return;
  navigation.addEventListener("navigate", (event) => {
    const { key, sameDocument, url } = event.destination;
    if (unsaved.size === 0 || event.navigationType !== "traverse" || !event.cancelable || !sameDocument) return;
    if (new URL(url).pathname === location.pathname) return;
    event.preventDefault();
    asked.set(() => void navigation.traverseTo(key));
  });
}

/** The question; in the frame, once. */
export function LeaveDialog() {
  const go = useStore(asked);
  return (
    <Modal opened={go !== null} onClose={() => asked.set(null)} title="Leave without saving?" size="sm" zIndex={350}>
      <Text size="sm" mb="md">
        What you have typed is not saved yet.
      </Text>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={() => asked.set(null)} data-autofocus>
          Keep editing
        </Button>
        <Button
          color="red"
          onClick={() => {
            asked.set(null);
            unsaved.clear();
            go?.();
          }}
        >
          Leave
        </Button>
      </Group>
    </Modal>
  );
}
