import { Group, Kbd, Modal, Stack, Text } from "@mantine/core";
import { useStore } from "../api/store.ts";
import { isMac, type Shortcut, shortcutsOn } from "../parts/shortcuts.ts";

/** All that can be done by keyboard on the page in view. */
export default function ShortcutList({ onClose }: { onClose: () => void }) {
  const all = useStore(shortcutsOn);
  const unique = [...new Map(all.map((one) => [one.keys, one])).values()];
  const groups = [...new Set(unique.map(({ group }) => group))].sort();
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" size="lg">
      <Group align="flex-start" gap="xl">
        {groups.map((group) => (
          <Stack key={group} gap={6} miw={220} style={{ flex: 1 }}>
            <Text size="xs" c="dimmed">
              {group}
            </Text>
            {unique
              .filter((one) => one.group === group)
              .map((one) => (
                <Group key={one.keys} justify="space-between" gap="sm" wrap="nowrap">
                  <Text size="sm">{one.label}</Text>
                  <Keys of={one} />
                </Group>
              ))}
          </Stack>
        ))}
      </Group>
    </Modal>
  );
}

function Keys({ of: { keys } }: { of: Shortcut }) {
  const parts = keys.split(" ");
  return (
    <Group gap={4} wrap="nowrap">
      {parts.map((part) => (
        <Kbd key={part} size="xs">
          {part.replace("mod+", isMac ? "⌘" : "Ctrl ").replace(/[a-z]$/, (letter) => letter.toUpperCase())}
        </Kbd>
      ))}
    </Group>
  );
}
