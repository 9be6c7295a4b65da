import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { asApiError } from "../api/error.ts";

const UNDO_WITHIN_MS = 8000;

/** Says, for a moment, what was done ("Store renamed"). */
export function said(message: string): void {
  notifications.show({ message, withBorder: true });
}

/** Says what could not be done, with the problem's own words. */
export function failed(what: string, error: unknown): void {
  const fault = asApiError(error);
  notifications.show({
    title: what,
    message: fault.correlationId ? `${fault.message} (${fault.correlationId})` : fault.message,
    color: "red",
    withBorder: true,
    autoClose: 12_000,
  });
}

/** Says what was done, and offers to take it back for eight seconds. A failure of that is said too. */
export function undoable(message: string, undo: () => Promise<unknown>): void {
  const id = crypto.randomUUID();
  const takeBack = async () => {
    notifications.hide(id);
    try {
      await undo();
      said("Taken back");
    } catch (error) {
      failed("That could not be taken back", error);
    }
  };
  notifications.show({
    id,
    withBorder: true,
    autoClose: UNDO_WITHIN_MS,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button size="compact-sm" variant="subtle" onClick={() => void takeBack()}>
          Undo
        </Button>
      </Group>
    ),
  });
}
