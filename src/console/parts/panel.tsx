import { Group } from "@mantine/core";
import type { ReactNode } from "react";

/** A bordered part of a page under a title that says, or asks, what it shows. `aside` stands at the title's right. */
export function Panel({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <Group justify="space-between" mb="sm" gap="xs">
        <h2 className="panel-title">{title}</h2>
        {aside}
      </Group>
      {children}
    </section>
  );
}
