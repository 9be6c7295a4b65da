import { Stack, Table, Text } from "@mantine/core";
import { Id } from "../../parts/id.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import type { TabProps } from "./one.tsx";
import { factName } from "./state.ts";

/** Its id, its keys, and what the player said of itself when it was paired. */
export default function AboutTab({ device, zone }: TabProps) {
  return (
    <Stack gap="md" maw={760}>
      <Panel title="Which keys sign its plays?">
        {device.keys && device.keys.length > 0 ? (
          <Table fz="sm" horizontalSpacing={0} aria-label="Keys">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Key</Table.Th>
                <Table.Th>Algorithm</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th ta="right">Since</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {device.keys.map((key) => (
                <Table.Tr key={`${key.kid}${key.valid_from}`}>
                  <Table.Td>
                    <Id value={key.kid} label="key id" />
                  </Table.Td>
                  <Table.Td>{key.alg}</Table.Td>
                  <Table.Td>
                    <State value={key.valid_to === null ? "ok" : "unknown"}>{key.valid_to === null ? "In force" : "Ended"}</State>
                  </Table.Td>
                  <Table.Td ta="right">
                    <When at={key.valid_from} zone={zone} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ) : (
          <Text size="sm" c="dimmed">
            None: its plays are not signed, and not billed.
          </Text>
        )}
      </Panel>
      <Panel title="What is it?">
        <Table fz="sm" horizontalSpacing={0} aria-label="Device">
          <Table.Tbody>
            <Table.Tr>
              <Table.Td c="dimmed">Id</Table.Td>
              <Table.Td>
                <Id value={device.id} label="device id" whole />
              </Table.Td>
            </Table.Tr>
            <Table.Tr>
              <Table.Td c="dimmed">Made</Table.Td>
              <Table.Td>
                <When at={device.created_at} zone={zone} />
              </Table.Td>
            </Table.Tr>
            {Object.entries(device.device_info ?? {}).map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Td c="dimmed">{factName(name)}</Table.Td>
                <Table.Td>{typeof value === "string" ? value : JSON.stringify(value)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Panel>
    </Stack>
  );
}
