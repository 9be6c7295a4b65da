import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

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
