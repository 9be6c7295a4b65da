import { Button, CloseButton, Popover, Text } from "@mantine/core";
import { useState } from "react";
import { later } from "../../parts/later.tsx";
import { DIMENSIONS, type Dimension } from "./asked.ts";
import { useNames } from "./names.ts";

const DimensionChoice = later(async () => (await import("./dimension-choice.tsx")).DimensionChoice);

/** A chip by which a report is narrowed to some campaigns, stores and so on: searched by name, several at once. */
export function DimensionFilter({ dimension, ids, onChange }: { dimension: Dimension; ids: string[]; onChange: (ids: string[]) => void }) {
  const [opened, setOpened] = useState(false);
  const { label } = DIMENSIONS[dimension];
  const names = useNames(dimension, ids);
  const isSet = ids.length > 0;
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus withRoles>
      <Popover.Target>
        <Button.Group>
          <Button variant="default" size="xs" onClick={() => setOpened(!opened)} data-set={isSet || undefined}>
            <Text span c="dimmed" inherit>
              {label}
            </Text>
            {isSet && (
              <Text span inherit ml={6} truncate maw={200}>
                {names[0]}
                {ids.length > 1 ? ` and ${ids.length - 1} more` : ""}
              </Text>
            )}
          </Button>
          {isSet && (
            <Button variant="default" size="xs" px={4} component="span">
              <CloseButton size={18} aria-label={`Remove filter ${label}`} onClick={() => onChange([])} />
            </Button>
          )}
        </Button.Group>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <DimensionChoice dimension={dimension} ids={ids} onChange={onChange} />
      </Popover.Dropdown>
    </Popover>
  );
}
