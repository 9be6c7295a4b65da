import { Button, CopyButton, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** A secret that was just made: here to be copied, and nowhere ever again. Nothing but its button closes it. */
export function ShownOnce({
  title,
  value,
  label,
  children,
  onClose,
}: {
  title: string;
  /** Undefined where the answer that had it was lost. */
  value: string | undefined;
  /** What it is: "link", "token". */
  label: string;
  children: ReactNode;
  onClose: () => void;
}) {
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} size="lg">
      <Stack gap="sm">
        <Text size="sm" component="div">
          {children}
        </Text>
        {value === undefined ? (
          <Text size="sm">
            The {label} was in an answer that did not arrive, and is kept nowhere. Take this one back, and make another.
          </Text>
        ) : (
          <>
            <code className="secret mono" data-secret>
              {value}
            </code>
            <CopyButton value={value} timeout={2000}>
              {({ copied, copy }) => (
                <Group>
                  <Button
                    variant="default"
                    onClick={copy}
                    leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
                    data-autofocus
                  >
                    {copied ? "Copied" : `Copy the ${label}`}
                  </Button>
                </Group>
              )}
            </CopyButton>
          </>
        )}
        <Group justify="space-between" wrap="nowrap">
          <Text size="xs" c="dimmed">
            It is not shown again.
          </Text>
          <Button onClick={onClose}>I have kept it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
