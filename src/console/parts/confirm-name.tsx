import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Fault } from "./fault.tsx";

/**
 * Asks for the name of a thing before something is done that cannot be taken back. `doing` is the button's words ("Revoke device").
 * Stays open, and says why, where it fails.
 */
export function ConfirmName({
  opened,
  onClose,
  name,
  title,
  children,
  doing,
  onConfirm,
}: {
  opened: boolean;
  onClose: () => void;
  name: string;
  title: string;
  children: ReactNode;
  doing: string;
  onConfirm: () => Promise<unknown>;
}) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const close = () => {
    setTyped("");
    setError(null);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() === name) void confirm();
        }}
      >
        <Stack gap="sm">
          <Text component="div" size="sm">
            {children}
          </Text>
          {error !== null && <Fault error={error} />}
          <TextInput
            label={`Type "${name}" to go on`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color="red" disabled={typed.trim() !== name} loading={busy}>
              {doing}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
