import { Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** The plain page for those who are not signed in: a title, one line, a form. */
export function WayIn({ title, line, children }: { title: string; line?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Alive Signage`;
  }, [title]);
  return (
    <main>
      <Stack maw={360} mx="auto" pt="16vh" px="md" pb="xl" gap="md">
        <div>
          <Text fw={650} c="dimmed" size="sm">
            Alive Signage
          </Text>
          <Title order={1}>{title}</Title>
          {line && <Text c="dimmed">{line}</Text>}
        </div>
        {children}
      </Stack>
    </main>
  );
}
