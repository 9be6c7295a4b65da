import { Button, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Filters } from "./filters.tsx";

/** What stands where nothing is: one sentence, and the button that fills it. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap="sm" py="xl" px="md">
      <Text c="dimmed" ta="center" maw={460}>
        {children}
      </Text>
      {action}
    </Stack>
  );
}

/** What a table says that has no row: that nothing is as the filters say, and the way out of them; without filters, `first`. */
export function emptyOf(filters: Filters, nothing: string, first: { text: ReactNode; action?: ReactNode }): typeof first {
  if (Object.keys(filters.values).length === 0) return first;
  const clear = (
    <Button variant="default" onClick={filters.clear}>
      Clear filters
    </Button>
  );
  return { text: nothing, action: clear };
}
