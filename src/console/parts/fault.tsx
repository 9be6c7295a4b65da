import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/error.ts";
import { Id } from "./id.tsx";

/** What went wrong, what to do about it, and the correlation id by which it is found in the logs. */
export function Fault({ error, retry, children }: { error: unknown; retry?: () => void; children?: ReactNode }) {
  const fault = asApiError(error);
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title={fault.title} role="alert">
      <Text size="sm">{fault.message}</Text>
      {children}
      <Group gap="sm" mt="xs">
        {retry && fault.status !== 404 && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
        {fault.correlationId && (
          <Text size="xs" c="dimmed" component="span">
            Correlation id <Id value={fault.correlationId} label="correlation id" />
          </Text>
        )}
      </Group>
    </Alert>
  );
}
