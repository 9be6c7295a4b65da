import { Group, Kbd, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { useStore } from "../api/store.ts";
import { isMac, type Shortcut, shortcutsOn } from "../parts/shortcuts.ts";

/** The groups that are on every page, or nearly; what a page has of its own stands above them. */
const SHARED = ["Go to", "Lists", "Everywhere"];

/** All that can be done by keyboard on the page in view. */
export default function ShortcutList({ onClose }: { onClose: () => void }) {
  const all = useStore(shortcutsOn);
  const unique = [...new Map(all.map((one) => [one.keys, one])).values()];
  const groups = [...new Set(unique.map(({ group }) => group))];
  const own = groups.filter((group) => !SHARED.includes(group));
  const columns = [
    groups.filter((group) => group === "Go to"),
    [...own, ...SHARED.filter((group) => group !== "Go to" && groups.includes(group))],
  ];
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" size="lg">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xl">
        {columns.map((column) => (
          <Stack key={column.join()} gap="lg">
            {column.map((group) => (
              <Stack key={group} gap={6}>
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
          </Stack>
        ))}
      </SimpleGrid>
    </Modal>
  );
}

function Keys({ of: { keys } }: { of: Shortcut }) {
  const parts = keys.split(" ");
  return (
    <Group gap={4} wrap="nowrap">
      {parts.map((part) => (
        <Kbd key={part} size="xs">
          {part.replace("mod+", isMac ? "⌘" : "Ctrl ").replace(/\b[a-z]$/, (letter) => letter.toUpperCase())}
        </Kbd>
      ))}
    </Group>
  );
}
