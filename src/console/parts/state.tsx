import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** The four states: well, to be looked at, wrong, not known (or not meant to be). */
export type StateValue = "ok" | "warn" | "bad" | "unknown";

const ICONS = { ok: IconCircleCheck, warn: IconAlertTriangle, bad: IconCircleX, unknown: IconCircleDashed };

/** A state as icon, word and colour: never the colour alone. */
export function State({ value, children, size = 15 }: { value: StateValue; children: ReactNode; size?: number }) {
  const Icon = ICONS[value];
  return (
    <span className="state" style={{ color: `var(--${value})` }}>
      <Icon size={size} stroke={1.8} aria-hidden />
      <span>{children}</span>
    </span>
  );
}
