import { ActionIcon, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { shortId } from "./format.ts";

/** An id, shortened; a click copies it whole. `label` says of what it is ("device id"). */
export function Id({ value, label = "id", whole = false }: { value: string; label?: string; whole?: boolean }) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : value}>
          <Group gap={2} wrap="nowrap" display="inline-flex" component="span" style={{ verticalAlign: "middle" }}>
            <code className="mono">{whole ? value : shortId(value)}</code>
            <ActionIcon
              size="xs"
              aria-label={copied ? `Copied the ${label}` : `Copy the ${label}`}
              onClick={(event) => {
                event.stopPropagation();
                copy();
              }}
            >
              {copied ? <IconCheck size={12} /> : <IconCopy size={12} />}
            </ActionIcon>
          </Group>
        </Tooltip>
      )}
    </CopyButton>
  );
}
